"""Content-addressed files: stored once under their hash, linked into as many trees as need them.

A blob is complete, verified and durable before its name appears; what a crash leaves are only
temporary files, which `sweep` removes. Methods block and may be called from any thread: use
`asyncio.to_thread` for all but `put`.
"""

import asyncio
import errno
import fcntl
import os
import re
import secrets
import threading
import time
import weakref
from collections.abc import AsyncIterable, Collection, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from windlass.core import derived, reading, trees
from windlass.core.batch import Batch, Writer
from windlass.core.errors import BadRequest, Conflict
from windlass.core.manifest import (
    DEFAULT_LIMITS,
    Entry,
    Manifest,
    Reasoned,
    checked,
    shown,
)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FRESH_SECONDS = 600
GRACE_SECONDS = 24 * 3600
"""Collection spares what was stored or asked for within this time: its source may be on its way."""


class HashMalformed(Reasoned, BadRequest):
    """ "{sha256}" is not a SHA-256 hash in lower-case hexadecimal."""


class HashMismatch(Reasoned, BadRequest):
    """The content arrived damaged: its hash is {found}, not {expected}. Send it again."""


class ContentMissing(Reasoned, Conflict):
    """The content of {path} is not on the server. Upload it again."""


class BlobStore:
    """The store below `root`: sha256/ab/cdef…, and cdef….x for the executable twin.

    Modes belong to files, not to names, so content that is both plain and executable lies there
    twice. Everything is read-only; trees share the files by hard links.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "sha256"
        self._temporary = root / "tmp"
        self._scratch: Path | None = None
        self._guard = threading.Lock()

    # ------------------------------------------------------------- asking

    def path(self, sha256: str, *, executable: bool = False) -> Path:
        """Where this content lies or would lie."""
        if not _SHA256.fullmatch(sha256):
            raise HashMalformed(sha256=shown(sha256[:80]))
        return self._blobs / sha256[:2] / (sha256[2:] + (".x" if executable else ""))

    def has(self, sha256: str) -> bool:
        """Whether the content is here; it then stays for at least the grace time."""
        return not self.missing([sha256])

    def missing(self, hashes: Iterable[str]) -> list[str]:
        """Those of the hashes whose content is not here; the others stay for the grace time."""
        with self._shared():
            return [sha256 for sha256 in hashes if self._touch(sha256) is None]

    def open(self, sha256: str) -> BinaryIO:
        """The content, to read. FileNotFoundError when it is not here."""
        found = self._find(sha256)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "no such blob", sha256)
        return found.open("rb")

    def read_bytes(self, sha256: str, limit: int = -1) -> bytes:
        """The content, or its first `limit` bytes. FileNotFoundError when it is not here."""
        with self.open(sha256) as blob:
            return blob.read(limit)

    # ------------------------------------------------------------ storing

    async def put(self, sha256: str | None, chunks: AsyncIterable[bytes], max_bytes: int) -> str:
        """Store a stream; returns its hash. HashMismatch or FileTooLarge leave nothing behind."""
        if sha256 is not None:
            self.path(sha256)
        batch = Batch(self)
        held = bytearray()
        try:
            writer = await asyncio.to_thread(batch.writer, max_bytes)
            async for chunk in chunks:
                held += chunk
                if len(held) >= trees.CHUNK:
                    with trees.disk_full(self.root):
                        await asyncio.to_thread(writer.write, bytes(held))
                    held.clear()
            return await asyncio.to_thread(_finish, batch, writer, bytes(held), sha256)
        except BaseException:
            batch.discard()
            raise

    def put_bytes(self, content: bytes, *, executable: bool = False) -> str:
        """Store bytes; returns their hash."""
        with self.batch() as batch:
            return batch.keep(content, executable=executable)

    @contextmanager
    def batch(self) -> Generator[Batch, None, None]:
        """Store many blobs and make them durable together, at the end; nothing on an error."""
        batch = Batch(self)
        try:
            yield batch
            batch.commit()
        except BaseException:
            batch.discard()
            raise

    def scan(
        self,
        folder: Path,
        *,
        within: Path | None = None,
        allow_links_under: Sequence[str] = (),
        mounted_at: str | None = None,
        max_files: int = DEFAULT_LIMITS.files,
        max_bytes: int = DEFAULT_LIMITS.total_bytes,
        max_file_bytes: int | None = None,
        ignore: Collection[str] = (),
    ) -> Manifest:
        """Take a folder in: its manifest, with all content stored.

        `within`: the trusted folder above it, when the way from there may hold links. `ignore`:
        names left out anywhere, or relative paths. `mounted_at`: where the folder was seen by what
        filled it; absolute links to there are made relative.
        """
        limits = msgspec.structs.replace(
            DEFAULT_LIMITS,
            files=max_files,
            total_bytes=max_bytes,
            file_bytes=max_bytes if max_file_bytes is None else max_file_bytes,
        )
        what = reading.Reading(limits=limits, ignore=frozenset(ignore), mounted_at=mounted_at)
        with self.batch() as batch:
            entries = reading.read_folder(folder, batch, what, within=within or folder)
            return checked(
                entries, limits=limits, allow_links_under=allow_links_under, on_disk=True
            )

    # ------------------------------------------------------- laying down

    def link_tree(self, manifest: Manifest, target: Path) -> None:
        """An immutable tree of hard links at `target`, whole and durable or not at all."""
        trees.lay(manifest, target, self._link, uid=None, durable=True)

    def copy_tree(self, manifest: Manifest, target: Path, uid: int | None) -> None:
        """A tree of writable copies at `target`, owned by `uid`."""

        def place(entry: Entry, path: Path) -> None:
            mode = 0o755 if entry.mode == "exec" else 0o644
            with self._opened(entry) as source:
                trees.copy_open(source.fileno(), path, mode=mode, uid=uid)

        trees.lay(manifest, target, place, uid=uid, durable=False)

    def _link(self, entry: Entry, path: Path) -> None:
        executable = entry.mode == "exec"
        source = self.path(entry.sha256, executable=executable)
        if not source.exists():
            self._make_twin(entry)
        try:
            os.link(source, path)
        except OSError as error:
            # One file has at most 65,000 names on ext4; empty files get there.
            if error.errno not in (errno.EMLINK, errno.EXDEV, errno.EPERM):
                raise
            with self._opened(entry) as blob:
                mode = 0o555 if executable else 0o444
                trees.copy_open(blob.fileno(), path, mode=mode, durable=True)

    def _make_twin(self, entry: Entry) -> None:
        """The content is here with the other mode only: store it with this one too."""
        with self._opened(entry) as blob, self.batch() as batch:
            batch.twin(blob.fileno(), entry.sha256, executable=entry.mode == "exec")

    def _opened(self, entry: Entry) -> BinaryIO:
        try:
            return self.open(entry.sha256)
        except FileNotFoundError:
            raise ContentMissing(path=entry.path, missing=[entry.sha256]) from None

    # ------------------------------------------------------------ keeping

    def collect(self, keep: Iterable[str], *, grace_seconds: float = GRACE_SECONDS) -> int:
        """Delete blobs that are neither kept, nor linked into a tree, nor fresh; bytes freed."""
        wanted = set(keep)
        before = time.time() - grace_seconds
        wanted |= derived.keep(self.root, wanted, is_used=self._is_linked, before=before)
        freed = 0
        for shard in _entries(self._blobs):
            # Held for one shard at a time, so that a writer waits milliseconds, not minutes.
            with self._locked(fcntl.LOCK_EX):
                for blob in _entries(Path(shard.path)):
                    if shard.name + blob.name.removesuffix(".x") in wanted:
                        continue
                    status = blob.stat(follow_symlinks=False)
                    if status.st_nlink == 1 and status.st_mtime < before:
                        os.unlink(blob.path)
                        freed += status.st_size
        return freed

    def _is_linked(self, sha256: str) -> bool:
        path = self.path(sha256)
        return path.exists() and path.stat().st_nlink > 1

    def sweep(self) -> int:
        """Remove the temporary files of processes that are gone; how many folders of them."""
        removed = 0
        for scratch in _entries(self._temporary):
            with suppress(FileNotFoundError):
                fd = os.open(scratch.path, trees.FOLDER_FLAGS)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    trees.remove_tree(Path(scratch.path))
                    removed += 1
                except BlockingIOError:
                    pass  # its process lives
                finally:
                    os.close(fd)
        return removed

    def temporary(self) -> Path:
        """A new temporary path, in a folder this process holds locked for as long as it lives."""
        with self._guard:
            while self._scratch is None or not self._scratch.is_dir():
                self._scratch = self._new_scratch()
            return self._scratch / secrets.token_hex(12)

    def _new_scratch(self) -> Path | None:
        scratch = self._temporary / secrets.token_hex(8)
        scratch.mkdir(parents=True, mode=0o700)
        try:
            fd = os.open(scratch, trees.FOLDER_FLAGS)
        except FileNotFoundError:
            return None  # a sweep came between
        fcntl.flock(fd, fcntl.LOCK_SH)
        weakref.finalize(self, _close_scratch, fd, scratch)
        return scratch

    # ------------------------------------------------------------ details

    def land(self, temporary: Path, sha256: str, *, executable: bool) -> Path | None:
        """Give a finished file its name; the folder to make durable, None if it was there."""
        target = self.path(sha256, executable=executable)
        with self._shared():
            if _refresh(target):
                os.unlink(temporary)
                return None
            try:
                os.rename(temporary, target)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.rename(temporary, target)
        return target.parent

    def is_stored(self, sha256: str, *, executable: bool) -> bool:
        """Whether the content is here with this very mode."""
        with self._shared():
            return _refresh(self.path(sha256, executable=executable))

    def _find(self, sha256: str) -> Path | None:
        for executable in (False, True):
            path = self.path(sha256, executable=executable)
            if path.exists():
                return path
        return None

    def _touch(self, sha256: str) -> Path | None:
        found = None
        for executable in (False, True):
            path = self.path(sha256, executable=executable)
            if _refresh(path):
                found = path
        return found

    @contextmanager
    def _locked(self, operation: int) -> Generator[None, None, None]:
        try:
            fd = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, operation)
            yield
        finally:
            os.close(fd)

    def _shared(self) -> AbstractContextManager[None]:
        return self._locked(fcntl.LOCK_SH)


def _finish(batch: Batch, writer: Writer, rest: bytes, expected: str | None) -> str:
    writer.write(rest)
    found = writer.finish()
    if expected is not None and found != expected:
        raise HashMismatch(expected=expected, found=found)
    batch.commit()
    return found


def _refresh(path: Path) -> bool:
    """Whether the file is there; looking at it makes it fresh, so that collection spares it."""
    try:
        if time.time() - os.stat(path).st_mtime > _FRESH_SECONDS:
            os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:
        return []


def _close_scratch(fd: int, scratch: Path) -> None:
    os.close(fd)
    with suppress(OSError):
        scratch.rmdir()
