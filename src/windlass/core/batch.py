"""Blobs on their way into the store: temporary files until all of them are durable."""

import hashlib
import os
import threading
from pathlib import Path
from typing import Protocol

from windlass.core import trees
from windlass.core.manifest import FileTooLarge, size_text


class Shelf(Protocol):
    """What a batch needs of the store."""

    root: Path

    def temporary(self) -> Path: ...
    def is_stored(self, sha256: str, *, executable: bool) -> bool: ...
    def land(self, temporary: Path, sha256: str, *, executable: bool) -> Path | None: ...


class Writer:
    """One file being written under a temporary name; hashed on the way."""

    def __init__(self, batch: "Batch", path: Path, max_bytes: int) -> None:
        self.path = path
        self.size = 0
        self._batch = batch
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        # A cancelled upload discards while a thread may still be writing; without the lock that
        # thread could write into a descriptor that is by then somebody else's.
        self._lock = threading.Lock()
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, content: bytes) -> None:
        """Append. FileTooLarge beyond the limit, DiskFull when it is."""
        with self._lock:
            self.size += len(content)
            if self.size > self._max_bytes:
                limit, found = size_text(self._max_bytes), size_text(self.size)
                raise FileTooLarge(path="The content", limit=limit, found=f"{found} so far")
            self._hash.update(content)
            if self._fd >= 0:
                trees.write_all(self._fd, content)

    def finish(self, *, executable: bool = False) -> str:
        """Hand the complete file to the batch; its hash."""
        with self._lock:
            os.fchmod(self._fd, 0o555 if executable else 0o444)
            self._close()
        sha256 = self._hash.hexdigest()
        self._batch.add(self.path, sha256, executable=executable)
        return sha256

    def discard(self) -> None:
        """Forget the file."""
        with self._lock:
            self._close()
            self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Batch:
    """Blobs on their way in. Safe to use from several threads."""

    def __init__(self, store: Shelf) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._open: set[Writer] = set()
        self._complete: dict[tuple[str, bool], Path] = {}

    def keep(self, content: bytes, *, executable: bool) -> str:
        """Store bytes; their hash."""
        sha256 = hashlib.sha256(content).hexdigest()
        if not self._known(sha256, executable):
            with trees.disk_full(self._store.root):
                writer = self.writer(len(content))
                writer.write(content)
                writer.finish(executable=executable)
        return sha256

    def keep_open(self, fd: int, *, executable: bool, max_bytes: int) -> tuple[str, int]:
        """Store an open file; its hash and size. Content that is here already is only read."""
        digest = hashlib.sha256()
        size = 0
        while size <= max_bytes and (content := os.read(fd, trees.CHUNK)):
            digest.update(content)
            size += len(content)
        if size > max_bytes or self._known(digest.hexdigest(), executable):
            return digest.hexdigest(), size
        os.lseek(fd, 0, os.SEEK_SET)
        with trees.disk_full(self._store.root):
            writer = self.writer(max_bytes)
            while content := os.read(fd, trees.CHUNK):
                writer.write(content)
            return writer.finish(executable=executable), writer.size

    def writer(self, max_bytes: int) -> Writer:
        """A file to write piece by piece; `finish` it before the batch ends."""
        with trees.disk_full(self._store.root):
            writer = Writer(self, self._store.temporary(), max_bytes)
        with self._lock:
            self._open.add(writer)
        return writer

    def twin(self, source: int, sha256: str, *, executable: bool) -> None:
        """Store verified content once more, with the other mode."""
        path = self._store.temporary()
        trees.copy_open(source, path, mode=0o555 if executable else 0o444)
        self.add(path, sha256, executable=executable)

    def add(self, path: Path, sha256: str, *, executable: bool) -> None:
        """Take a complete temporary file over."""
        with self._lock:
            self._open = {writer for writer in self._open if writer.path != path}
            other = self._complete.setdefault((sha256, executable), path)
        if other != path:
            path.unlink()

    def commit(self) -> None:
        """Make all of it durable, then visible, then make the names durable."""
        root = self._store.root
        with self._lock, trees.disk_full(root):
            if not self._complete:
                return
            trees.sync_all(list(self._complete.values()), on=root)
            folders: set[Path] = set()
            for (sha256, executable), path in list(self._complete.items()):
                folder = self._store.land(path, sha256, executable=executable)
                del self._complete[sha256, executable]
                folders |= {folder, folder.parent} if folder else set()
            trees.sync_all(folders, on=root)

    def discard(self) -> None:
        """Remove what has not landed."""
        with self._lock:
            for writer in self._open:
                writer.discard()
            for path in self._complete.values():
                path.unlink(missing_ok=True)
            self._open, self._complete = set(), {}

    def _known(self, sha256: str, executable: bool) -> bool:
        with self._lock:
            if (sha256, executable) in self._complete:
                return True
        return self._store.is_stored(sha256, executable=executable)
