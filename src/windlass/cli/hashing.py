"""SHA-256 of every file to upload, computed once: an unchanged file is recognised by its inode.

The cache (`.windlass/cache/hashes`) trusts size, modification and change time and inode number. A
file touched just before it was hashed is not cached: a second change within the same tick of the
file system's clock would look like none (Git calls such entries "racily clean").
"""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from windlass.cli import linking
from windlass.cli.credentials import replace
from windlass.cli.files import LocalFile, UnreadableFile

TICK_NS = 20_000_000
COARSE_TICK_NS = 2_000_000_000


class _Known(msgspec.Struct, array_like=True, frozen=True):
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    sha256: str


_Cache = dict[str, _Known]


def fill(
    folder: Path, files: Sequence[LocalFile], *, clock_ns: Callable[[], int] = time.time_ns
) -> int:
    """Sets `sha256` of every file and says how many had to be read. Raises UnreadableFile."""
    cache_file = linking.data_folder(folder) / "cache" / "hashes"
    known = _load(cache_file)
    unknown = [file for file in files if not _recall(file, known)]
    started_ns = clock_ns()
    if len(unknown) > 1:
        with ThreadPoolExecutor(min(8, (os.cpu_count() or 1) + 2)) as pool:
            list(pool.map(read_again, unknown))
    elif unknown:
        read_again(unknown[0])
    if unknown or len(known) > len(files):
        _save(folder, cache_file, files, started_ns)
    return len(unknown)


def read_again(file: LocalFile) -> None:
    """Hashes the content as it is now and takes over its size and times. Raises UnreadableFile."""
    if file.mode == "link":
        file.sha256 = hashlib.sha256(file.target.encode()).hexdigest()
        return
    try:
        # The file may have become a link or a pipe since it was listed: neither is followed.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        with open(os.open(file.location, flags), "rb") as content:
            status = os.fstat(content.fileno())
            file.size, file.inode = status.st_size, status.st_ino
            file.mtime_ns, file.ctime_ns = status.st_mtime_ns, status.st_ctime_ns
            file.sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableFile(path=file.path, reason=error.strerror) from error


def _recall(file: LocalFile, known: _Cache) -> bool:
    entry = known.get(file.path)
    now = (file.size, file.mtime_ns, file.ctime_ns, file.inode)
    if entry is None or file.mode == "link":
        return False
    if (entry.size, entry.mtime_ns, entry.ctime_ns, entry.inode) != now:
        return False
    file.sha256 = entry.sha256
    return True


def _load(path: Path) -> _Cache:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=_Cache)
    except (OSError, msgspec.MsgspecError):
        # A cache may be lost or damaged at any time; it only costs a second reading.
        return {}


def _save(folder: Path, path: Path, files: Sequence[LocalFile], started_ns: int) -> None:
    cache = {
        file.path: _Known(file.size, file.mtime_ns, file.ctime_ns, file.inode, file.sha256)
        for file in files
        if file.mode != "link" and not _is_racy(file, started_ns)
    }
    try:
        linking.make_data_folder(folder)
        path.parent.mkdir(exist_ok=True)
        replace(path, msgspec.msgpack.encode(cache), mode=0o600)
    except OSError:
        # A read-only folder can be deployed too.
        return


def _is_racy(file: LocalFile, started_ns: int) -> bool:
    changed_ns = max(file.mtime_ns, file.ctime_ns)
    tick_ns = COARSE_TICK_NS if file.mtime_ns % 1_000_000_000 == 0 else TICK_NS
    return changed_ns + tick_ns > started_ns
