"""Reading a folder that cannot be trusted, while something may still write to it.

Every open goes through a folder's descriptor and never follows a link, so that swapping a folder
for a link while it is read cannot lead the reader outside.
"""

import errno
import os
import stat
import threading
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from windlass.core.errors import BadRequest, Conflict
from windlass.core.manifest import (
    Entry,
    FileTooLarge,
    Reasoned,
    TreeLimits,
    check_count,
    check_path,
    check_total,
    link_entry,
    shown,
    size_text,
)
from windlass.core.trees import CHUNK, FOLDER_FLAGS

_THREADS = 4
_JOBS_AHEAD = 16
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class SpecialFile(Reasoned, BadRequest):
    """{path} is a {kind}. Only files, folders and links can be deployed."""


class FolderChanged(Reasoned, Conflict):
    """{path} changed while it was read. Try again when nothing writes to the folder."""


class Unreadable(Reasoned, BadRequest):
    """{path} cannot be read: its permissions forbid it."""


class NotAFolder(Reasoned, BadRequest):
    """{path} is not a folder of the project (a link does not count)."""


class Sink(Protocol):
    """What `scan` needs of the blob store: a place for content."""

    def keep(self, content: bytes, *, executable: bool) -> str: ...
    def keep_open(self, fd: int, *, executable: bool, max_bytes: int) -> tuple[str, int]: ...


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What `read_folder` takes in and what it leaves out."""

    limits: TreeLimits
    ignore: frozenset[str] = frozenset()
    mounted_at: str | None = None


def read_folder(folder: Path, sink: Sink, reading: Reading, *, within: Path) -> list[Entry]:
    """Every file and link below `folder`, its content given to the sink; links not yet checked."""
    root = _open_within(folder, within)
    scan = _Scan(sink, reading)
    try:
        with ThreadPoolExecutor(_THREADS, "windlass-scan") as pool:
            try:
                scan.walk(root, "", pool)
                return scan.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    finally:
        os.close(root)


def _open_within(folder: Path, within: Path) -> int:
    """Open a folder below one that can be trusted, following no link on the way."""
    fd = os.open(within, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for name in folder.relative_to(within).parts:
        try:
            if name == "..":
                raise NotADirectoryError(name)
            inner = os.open(name, FOLDER_FLAGS, dir_fd=fd)
        except (NotADirectoryError, OSError) as error:
            if isinstance(error, FileNotFoundError) or (
                error.errno not in (errno.ELOOP, errno.ENOTDIR, None)
            ):
                raise
            raise NotAFolder(path=shown(str(folder.relative_to(within)))) from error
        finally:
            os.close(fd)
        fd = inner
    return fd


class _Scan:
    def __init__(self, sink: Sink, reading: Reading) -> None:
        self._sink = sink
        self._reading = reading
        self._entries: list[Entry] = []
        self._jobs: list[Future[Entry]] = []
        self._ahead = threading.BoundedSemaphore(_JOBS_AHEAD)
        self._files = 0
        self._bytes = 0

    def result(self) -> list[Entry]:
        return self._entries + [job.result() for job in self._jobs]

    def walk(self, fd: int, prefix: str, pool: ThreadPoolExecutor) -> None:
        names: list[str] = []
        folders: list[str] = []
        with os.scandir(fd) as found:
            for entry in found:
                path = prefix + entry.name
                if entry.name in self._reading.ignore or path in self._reading.ignore:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                    continue
                check_path(path, self._reading.limits, on_disk=True)
                self._count()
                if entry.is_symlink():
                    self._entries.append(self._link(fd, entry.name, path))
                elif entry.is_file(follow_symlinks=False):
                    names.append(entry.name)
                else:
                    raise SpecialFile(path=shown(path), kind=_kind(fd, entry.name))
        for name in names:
            self._take(pool, fd, name, prefix + name)
        for name in folders:
            check_path(prefix + name, self._reading.limits, on_disk=True)
            with _explained(prefix + name):
                inner = os.open(name, FOLDER_FLAGS, dir_fd=fd)
            try:
                self.walk(inner, f"{prefix}{name}/", pool)
            finally:
                os.close(inner)

    def _take(self, pool: ThreadPoolExecutor, folder: int, name: str, path: str) -> None:
        """Small files here and now, large ones in a thread (measured: threads that take turns
        every few microseconds made 10,000 small files five times slower)."""
        with _explained(path):
            fd = os.open(name, _FILE, dir_fd=folder)
        try:
            status = os.fstat(fd)
            self._check(path, status)
            mode = "exec" if status.st_mode & 0o100 else "file"
            if status.st_size < CHUNK:
                content = os.read(fd, CHUNK)
                if len(content) != status.st_size:
                    raise FolderChanged(path=shown(path))
                digest = self._sink.keep(content, executable=mode == "exec")
                self._entries.append(Entry(path, digest, len(content), mode))
                return
            large = os.dup(fd)
        finally:
            os.close(fd)
        self._submit(pool, large, Entry(path, "", status.st_size, mode))

    def _submit(self, pool: ThreadPoolExecutor, fd: int, entry: Entry) -> None:
        self._ahead.acquire()

        def run() -> Entry:
            digest, size = self._sink.keep_open(
                fd, executable=entry.mode == "exec", max_bytes=entry.size
            )
            if size != entry.size:
                raise FolderChanged(path=shown(entry.path))
            return msgspec.structs.replace(entry, sha256=digest)

        def ended(_: Future[Entry]) -> None:
            os.close(fd)
            self._ahead.release()

        job = pool.submit(run)
        job.add_done_callback(ended)
        self._jobs.append(job)

    def _check(self, path: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise FolderChanged(path=shown(path))
        limit, size = self._reading.limits.file_bytes, status.st_size
        if size > limit:
            raise FileTooLarge(path=shown(path), limit=size_text(limit), found=size_text(size))
        self._bytes += size
        check_total(self._bytes, self._reading.limits.total_bytes)

    def _link(self, fd: int, name: str, path: str) -> Entry:
        with _explained(path):
            target = os.readlink(name, dir_fd=fd)
        mounted_at = self._reading.mounted_at
        if mounted_at and f"{target}/".startswith(f"{mounted_at}/"):
            # Tools write links to where the project was mounted; the release lies elsewhere.
            here = os.path.dirname(f"{mounted_at}/{path}")
            target = os.path.relpath(target, here)
        return link_entry(path, target)

    def _count(self) -> None:
        self._files += 1
        check_count(self._files, self._reading.limits.files)


@contextmanager
def _explained(path: str) -> Generator[None, None, None]:
    try:
        yield
    except PermissionError as error:
        raise Unreadable(path=shown(path)) from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOENT, errno.ENOTDIR, errno.ENXIO):
            raise FolderChanged(path=shown(path)) from error
        raise


def _kind(fd: int, name: str) -> str:
    try:
        mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return "file that vanished"
    if stat.S_ISSOCK(mode):
        return "socket"
    if stat.S_ISFIFO(mode):
        return "named pipe"
    return "device"
