"""The routing table is a folder: `sites/<host>` is a symbolic link to a release, and replacing it
by rename is the switch.

Each host remembers the largest generation that ever touched it (`sites/.generations/<host>`, a
link whose text is the number), so that a worker that was paused and wakes up late cannot undo newer
work.
"""

import fcntl
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\Z")
_DEPLOYMENT = re.compile(r"[A-Za-z0-9_-]{1,80}\Z")


def is_host(host: str) -> bool:
    """True for a lower-case DNS name without a port, the only names that `sites/` may hold."""
    return _HOST.match(host) is not None


def switch(home: Path, host: str, deployment: str, generation: int) -> bool:
    """Make `host` serve `deployment`; false when a larger generation was there already.

    Atomic for readers and durable when it returns. Raises ValueError for a name that cannot be a
    host or a release.
    """
    _check(host)
    if not _DEPLOYMENT.match(deployment):
        raise ValueError(f"not a deployment: {deployment!r}")
    with _locked(home) as sites:
        if not _claim(sites, host, generation):
            return False
        _replace(f"../releases/{deployment}", sites / host)
        return True


def unlink(home: Path, host: str, generation: int) -> bool:
    """Stop serving `host`; false when a larger generation was there already.

    The number stays remembered, or a late worker could bring the host back.
    """
    _check(host)
    with _locked(home) as sites:
        if not _claim(sites, host, generation):
            return False
        (sites / host).unlink(missing_ok=True)
        _sync(sites)
        return True


def current(home: Path, host: str) -> str | None:
    """The deployment that `host` serves now."""
    if not is_host(host):
        return None
    try:
        return os.path.basename(os.readlink(home / "sites" / host))
    except OSError:
        return None


def routes(home: Path) -> dict[str, str]:
    """Every host and the deployment it serves now."""
    try:
        hosts = os.listdir(home / "sites")
    except FileNotFoundError:
        return {}
    found = ((host, current(home, host)) for host in sorted(hosts))
    return {host: deployment for host, deployment in found if deployment}


def _check(host: str) -> None:
    if not is_host(host):
        raise ValueError(f"not a host name: {host!r}")


@contextmanager
def _locked(home: Path) -> Generator[Path]:
    sites = home / "sites"
    (sites / ".generations").mkdir(parents=True, exist_ok=True)
    lock = os.open(sites / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield sites
    finally:
        os.close(lock)


def _claim(sites: Path, host: str, generation: int) -> bool:
    """Remember the generation before acting: after a crash in between, the work may be repeated."""
    mark = sites / ".generations" / host
    try:
        seen = int(os.readlink(mark))
    except FileNotFoundError:
        seen = -1
    if generation < seen:
        return False
    if generation > seen:
        _replace(str(generation), mark)
    return True


def _replace(target: str, link: Path) -> None:
    # The dot keeps a left-over from ever being taken for a host.
    temporary = link.with_name(f".{link.name}.new")
    temporary.unlink(missing_ok=True)
    os.symlink(target, temporary)
    os.replace(temporary, link)
    _sync(link.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
