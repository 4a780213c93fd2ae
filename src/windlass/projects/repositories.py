"""One name for a repository, however its URL is written: `github.com/acme/shop`."""

import re
from urllib.parse import urlsplit

_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/@]+):(?P<path>.+)")
# Where hosts offer ssh on a port that firewalls let through.
_SAME = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}


def key_of(url: str | None) -> str | None:
    """Host and path in small letters, without scheme, user, port and `.git`; hosts tell names of
    repositories apart by letters only. None when it is no URL of one."""
    text = (url or "").strip()
    if "://" in text:
        try:
            parts = urlsplit(text)
        except ValueError:
            return None
        host, path = parts.hostname or "", parts.path
    elif (found := _SCP.fullmatch(text)) is not None:
        host, path = found["host"], found["path"]
    else:
        return None
    host = host.lower().rstrip(".")
    path = path.strip("/").lower().removesuffix(".git").strip("/")
    return f"{_SAME.get(host, host)}/{path}" if host and path else None
