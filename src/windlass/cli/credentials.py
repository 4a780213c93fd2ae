"""Which server, and who we are there: the environment, then `windlass login`, then this machine."""

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec

from windlass.cli.client import clean_address, is_loopback
from windlass.cli.errors import BadFile, NotSignedIn, OtherServer, PlainHttp


class SignIn(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """`how` says where it came from: environment, login or this machine."""

    url: str
    token: str
    token_id: str = ""
    insecure: bool = False
    how: str = "login"


class _Running(msgspec.Struct):
    url: str


def home() -> Path:
    """The instance's directory, where the server keeps its token for us too."""
    given = os.environ.get("WINDLASS_HOME")
    return Path(given) if given else Path("~/.local/share/windlass").expanduser()


def find() -> SignIn:
    """The sign-in to use. Raises NotSignedIn, OtherServer, PlainHttp, BadFile."""
    found = _from_environment() or from_login() or _from_this_machine()
    if found is None:
        raise NotSignedIn
    # Half of what a pipeline sets must not send a deployment to the server of the other half.
    if (wanted := os.environ.get("WINDLASS_URL")) and clean_address(wanted) != found.url:
        raise OtherServer(wanted=clean_address(wanted), url=found.url)
    refuse_plain_http(found.url, allowed=found.insecure, flag="WINDLASS_INSECURE=1")
    return found


def refuse_plain_http(url: str, *, allowed: bool, flag: str) -> None:
    if url.startswith("http:") and not allowed and not is_loopback(url):
        raise PlainHttp(url=url, flag=flag)


def login_file() -> Path:
    return home() / "cli.json"


def from_login() -> SignIn | None:
    """What `windlass login` stored."""
    path = login_file()
    text = _read(path)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=SignIn)
    except msgspec.MsgspecError as error:
        raise BadFile(path=path, reason=error) from error


def store(sign_in: SignIn) -> None:
    """Writes <home>/cli.json, readable by its owner alone, whole or not at all."""
    path = login_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace(path, msgspec.json.encode(sign_in), mode=0o600)


def forget() -> None:
    login_file().unlink(missing_ok=True)


def replace(path: Path, content: bytes, *, mode: int) -> None:
    """Writes a file by renaming a finished one, so that a crash leaves the old or the new."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _from_environment() -> SignIn | None:
    url, token = os.environ.get("WINDLASS_URL"), os.environ.get("WINDLASS_TOKEN")
    if not token:
        return None
    if not url:
        stored = from_login() or _from_this_machine()
        if stored is None:
            raise NotSignedIn
        url = stored.url
    insecure = os.environ.get("WINDLASS_INSECURE") == "1"
    return SignIn(url=clean_address(url), token=token, insecure=insecure, how="environment")


def _from_this_machine() -> SignIn | None:
    token = _read(home() / "keys" / "cli.token")
    running = _read(home() / "run" / "windlass.json")
    if token is None or running is None:
        return None
    try:
        url = msgspec.json.decode(running, type=_Running).url
    except msgspec.MsgspecError as error:
        raise BadFile(path=home() / "run" / "windlass.json", reason=error) from error
    return SignIn(url=clean_address(url), token=token.decode().strip(), how="this machine")


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except OSError as error:
        raise BadFile(path=path, reason=error.strerror) from error
