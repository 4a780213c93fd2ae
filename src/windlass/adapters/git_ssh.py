"""SSH for Git inside the sandbox: the deploy key and the host keys that were seen before."""

import fcntl
import os
import re
from pathlib import Path

from windlass.adapters import git_connect
from windlass.adapters.git_names import Remote
from windlass.core.launch import Bind
from windlass.core.launch_plan import interpreter

_KEY = "ssh_ed25519"
_KNOWN = "known_hosts"
_MOST_BYTES = 1 << 20
_INSIDE = "/windlass/ssh"
_CONNECT = "/windlass/connect.py"
_COMMAND = (
    "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=accept-new"
    f" -o UserKnownHostsFile={_INSIDE}/{_KNOWN} -o GlobalKnownHostsFile=/dev/null"
    " -o HashKnownHosts=no -o UpdateHostKeys=no -o CheckHostIP=no -o ConnectTimeout=30"
    " -o IdentitiesOnly=yes -o PreferredAuthentications=publickey"
)


def prepare(
    folder: Path, keys: Path | None, uid: int | None, own: bytes | None = None
) -> tuple[tuple[Bind, ...], dict[str, str]]:
    """Copies for the user that Git runs as, in a folder of their own; binds and environment.

    `own`: a private key in place of the one in `keys`.
    """
    inner = folder / "ssh"
    inner.mkdir(mode=0o700)
    command = _COMMAND
    _write(inner / _KNOWN, _read(keys / _KNOWN) if keys else b"", uid)
    key = own if own is not None else _read(keys / _KEY) if keys else b""
    if key:
        _write(inner / _KEY, key, uid)
        command += f" -i {_INSIDE}/{_KEY}"
    if uid is not None:
        os.chown(inner, uid, uid)
    command += f" -o 'ProxyCommand={interpreter().path} -I -S {_CONNECT} %h %p'"
    script = folder / "connect.py"
    _write(script, Path(git_connect.__file__).read_bytes(), uid)
    binds = (
        Bind(str(inner.absolute()), _INSIDE, writable=True),
        Bind(str(script.absolute()), _CONNECT),
    )
    return binds, {"GIT_SSH_COMMAND": command, "GIT_SSH_VARIANT": "ssh"}


def remember(folder: Path, keys: Path, remote: Remote) -> None:
    """Keep the host key that was accepted for this host; nothing else of what came back."""
    inner = folder / "ssh" / _KNOWN
    if remote.scheme != "ssh" or not inner.exists():
        return
    name = remote.host if remote.port == 22 else f"[{remote.host}]:{remote.port}"
    line = re.compile(rf"{re.escape(name.lower())} [a-z0-9@.-]+ [A-Za-z0-9+/=]+")
    fd = os.open(keys / _KNOWN, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with open(fd, "r+") as known:
        fcntl.flock(fd, fcntl.LOCK_EX)
        before = set(known.read().splitlines())
        for found in _read(inner).decode("utf-8", "replace").splitlines():
            if found not in before and line.fullmatch(found):
                known.write(found + "\n")


def _read(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    with open(fd, "rb") as file:
        return file.read(_MOST_BYTES)


def _write(path: Path, content: bytes, uid: int | None) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
    if uid is not None:
        os.chown(path, uid, uid)
