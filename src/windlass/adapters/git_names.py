"""What may be the URL of a repository, and the name of a branch."""

import ipaddress
import re
import unicodedata
from urllib.parse import SplitResult, urlsplit

import msgspec

from windlass.core import addresses
from windlass.core.addresses import AddressPolicy
from windlass.core.errors import BadRequest
from windlass.core.manifest import Reasoned, shown

_SCHEMES = ("https", "http", "ssh")
_LONGEST_URL = 2048
_LONGEST_BRANCH = 240
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?")
_SCP = re.compile(r"(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@(?P<host>[^:/@]+):(?P<path>[^/:-].*|/.+)")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_TRANSPORT = re.compile(r"[A-Za-z0-9+.-]+::")
_REF_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]")


class GitUrlRefused(Reasoned, BadRequest):
    """{url} is not the URL of a Git repository we can fetch: {why}."""


class GitCredentialsInUrl(Reasoned, BadRequest):
    """The URL for {host} holds a user name or password. Leave it out, it would end up in logs.
    For a private repository use its SSH URL and this machine's deploy key."""


class GitAddressRefused(Reasoned, BadRequest):
    """The repository cannot be fetched from there: {detail}"""


class BranchNameRefused(Reasoned, BadRequest):
    """{branch} is not a branch name: {why}."""


class Remote(msgspec.Struct, frozen=True):
    """Where a repository is, taken apart."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def target(self) -> str:
        """As the egress names it."""
        return f"{self.host.lower().rstrip('.')}:{self.port}"


def check_url(url: str, *, allow: AddressPolicy | None = None) -> str:
    """The URL, fit for Git: https, http, ssh or user@host:path, without credentials.

    A literal private address is refused unless `allow` names it; what a name leads to is looked at
    when Git connects. Raises GitUrlRefused, GitCredentialsInUrl, GitAddressRefused.
    """
    return parse_url(url, allow=allow).url


def parse_url(url: str, *, allow: AddressPolicy | None = None) -> Remote:
    """As `check_url`, taken apart."""
    url = url.strip(" ")
    if not url:
        raise GitUrlRefused(url="An empty text", why="a URL is missing")
    if url.startswith("-"):
        raise _refused(url, "it begins with a dash")
    if len(url) > _LONGEST_URL:
        raise _refused(url, f"it is longer than {_LONGEST_URL} characters")
    if any(char.isspace() or unicodedata.category(char) in ("Cc", "Cs") for char in url):
        raise _refused(url, "it holds a space or a control character")
    if "\\" in url:
        raise _refused(url, "it holds a backslash")
    if _TRANSPORT.match(url):
        raise _refused(url, "only https, http and ssh are allowed, no transport helpers")
    remote = _with_scheme(url) if "://" in url else _scp_like(url)
    _check_host(remote, allow or AddressPolicy())
    return remote


def _with_scheme(url: str) -> Remote:
    scheme = url.partition("://")[0].lower()
    if scheme == "file":
        raise _refused(url, "it is a local folder; deploy the folder itself")
    if scheme not in _SCHEMES:
        raise _refused(url, "only https, http and ssh are allowed")
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80, "ssh": 22}[scheme]
    except ValueError:
        raise _refused(url, "its host or port is malformed") from None
    _check_user(url, parts, scheme)
    if not parts.hostname:
        raise _refused(url, "the host is missing")
    if not parts.path.strip("/") or parts.path.startswith("/-"):
        raise _refused(url, "it names no repository")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise _refused(url, 'what follows "?" or "#" does not belong to it')
    return Remote(url, scheme, parts.hostname, port)


def _check_user(url: str, parts: SplitResult, scheme: str) -> None:
    if "@" not in parts.netloc:
        return
    if scheme != "ssh" or parts.password is not None:
        raise GitCredentialsInUrl(host=shown(parts.hostname or "the host"))
    if not _USER.fullmatch(parts.username or ""):
        raise _refused(url, "its user name is malformed")


def _scp_like(url: str) -> Remote:
    found = _SCP.fullmatch(url)
    if not found:
        if re.match(r"[A-Za-z0-9.-]+\.[A-Za-z]{2,}/", url):
            raise _refused(url, "it has no scheme; put https:// before it")
        if url.startswith(("/", "./", "../", "~")):
            raise _refused(url, "it is a local folder; deploy the folder itself")
        raise _refused(url, "it should look like https://host/owner/name or git@host:owner/name")
    return Remote(url, "ssh", found["host"], 22)


def _check_host(remote: Remote, allow: AddressPolicy) -> None:
    try:
        ip = ipaddress.ip_address(remote.host)
    except ValueError:
        last = remote.host.rstrip(".").rpartition(".")[2]
        # Resolvers read 127.1, 0x7f000001 and 2130706433 as addresses too.
        numeric = last.isdigit() or last.lower().startswith("0x")
        if numeric or not _HOST.fullmatch(remote.host) or len(remote.host) > 253:
            raise _refused(remote.url, "its host name is malformed") from None
        return
    if remote.target in allow.hosts:
        return
    if any(ip in ipaddress.ip_network(network, strict=False) for network in allow.networks):
        return
    kind = addresses.refusal(str(ip))
    if kind is not None:
        raise GitAddressRefused(detail=f"{ip} is {kind}. {allow.fix}")
    if ip.version == 6 and remote.scheme == "ssh":
        raise _refused(remote.url, "ssh needs a host name or an IPv4 address here")


def check_branch(name: str) -> str:
    """The branch name, by the rules of `git check-ref-format --branch`; BranchNameRefused."""
    why = _wrong_with(name)
    if why is not None:
        raise BranchNameRefused(branch=shown(name) or "An empty text", why=why)
    return name


def _wrong_with(name: str) -> str | None:
    parts = name.split("/")
    rules = (
        (not name, "it is empty"),
        (name.startswith("-"), "it begins with a dash"),
        (len(name.encode("utf-8", "replace")) > _LONGEST_BRANCH, "it is too long"),
        (
            any(unicodedata.category(c) in ("Cc", "Cs") for c in name),
            "it holds a control character",
        ),
        (bool(_REF_FORBIDDEN.search(name)), "it holds a space or one of ~ ^ : ? * [ \\"),
        ("" in parts, "it begins or ends with a slash, or holds two in a row"),
        (any(p.startswith(".") for p in parts), "a part of it begins with a dot"),
        (any(p.endswith(".lock") for p in parts), 'a part of it ends with ".lock"'),
        (".." in name or name.endswith("."), "it holds two dots in a row or ends with a dot"),
        ("@{" in name or name in ("@", "HEAD"), 'it is "@", "HEAD" or holds "@{"'),
    )
    return next((why for is_wrong, why in rules if is_wrong), None)


def _refused(url: str, why: str) -> GitUrlRefused:
    # What stands before an @ may be a password; it does not belong into a message.
    return GitUrlRefused(url=shown(re.sub(r"//[^/]*@", "//…@", url)), why=why)
