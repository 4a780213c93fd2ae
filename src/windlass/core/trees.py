"""Laying a tree of files down in one step, and removing one that cannot be trusted."""

import errno
import glob
import os
import secrets
import stat
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager, suppress
from ctypes import CDLL
from pathlib import Path

from windlass.core.manifest import (
    DiskFull,
    Entry,
    Manifest,
)

CHUNK = 1 << 20
_JOBS_AHEAD = 16
_FSYNC_EACH = 16
"""Up to this many files an fsync each is cheaper than one flush of the file system (measured)."""

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_libc = CDLL(None)


@contextmanager
def disk_full(folder: Path) -> Generator[None, None, None]:
    """Turn "no space left" into the error that says so."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(folder=str(folder)) from error
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in this folder survive a power cut."""
    fd = os.open(folder, FOLDER_FLAGS)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_all(paths: Collection[Path], *, on: Path) -> None:
    """Make these files or folders, all on the file system of `on`, survive a power cut."""
    if len(paths) <= _FSYNC_EACH:
        for path in paths:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        return
    fd = os.open(on, FOLDER_FLAGS)
    try:
        if _libc.syncfs(fd) != 0:
            os.sync()
    finally:
        os.close(fd)


def write_all(fd: int, content: bytes | memoryview) -> None:
    """os.write may write less than asked."""
    left = memoryview(content)
    while left:
        left = left[os.write(fd, left) :]


def copy_open(
    source: int, target: Path, *, mode: int, uid: int | None = None, durable: bool = False
) -> None:
    """Copy an open file to a new one in the kernel; file systems that can share the blocks do."""
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _copy(source, fd)
        if uid is not None:
            os.fchown(fd, uid, uid)
        os.fchmod(fd, mode)
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)


def _copy(source: int, target: int) -> None:
    try:
        while os.copy_file_range(source, target, 64 << 20):
            pass
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        while content := os.read(source, CHUNK):
            write_all(target, content)


def lay(
    manifest: Manifest,
    target: Path,
    place: Callable[[Entry, Path], None],
    *,
    uid: int | None,
    durable: bool,
) -> None:
    """Build the tree beside `target`, then rename it there: it exists whole or not at all.

    One builder per target at a time: what an earlier one left unfinished is removed first.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for unfinished in target.parent.glob(f".{glob.escape(target.name)}.*.unfinished"):
        remove_tree(unfinished)
    building = _beside(target)
    with disk_full(target.parent):
        try:
            folders = _make_folders(manifest, building)
            _place_all(manifest, building, place, uid)
            if uid is not None:
                for folder in folders:
                    os.chown(folder, uid, uid)
            if durable:
                sync_all(folders, on=target.parent)
            _move_into_place(building, target)
            if durable:
                sync_folder(target.parent)
        except BaseException:
            remove_tree(building)
            raise


def _beside(target: Path) -> Path:
    return target.parent / f".{target.name}.{secrets.token_hex(8)}.unfinished"


def _make_folders(manifest: Manifest, root: Path) -> list[Path]:
    names: set[str] = set()
    for entry in manifest:
        parent = entry.path.rpartition("/")[0]
        while parent and parent not in names:
            names.add(parent)
            parent = parent.rpartition("/")[0]
    folders = [root, *(root / name for name in sorted(names))]
    for folder in folders:
        os.mkdir(folder)
        # Whatever the umask is: an app's own user has to read it.
        os.chmod(folder, 0o755)  # noqa: S103
    return folders


def _place_all(
    manifest: Manifest, root: Path, place: Callable[[Entry, Path], None], uid: int | None
) -> None:
    for entry in manifest:
        path = root / entry.path
        if entry.mode != "link":
            place(entry, path)
            continue
        os.symlink(entry.target, path)
        if uid is not None:
            os.chown(path, uid, uid, follow_symlinks=False)


def _move_into_place(building: Path, target: Path) -> None:
    """An older tree under the same name, from an attempt that was repeated, makes room."""
    try:
        os.rename(building, target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        old = _beside(target)
        os.rename(target, old)
        os.rename(building, target)
        remove_tree(old)


def remove_tree(folder: Path) -> None:
    """Delete a folder however deep it is and whatever its modes are; nothing outside is touched.

    Folders are pulled up to the top before they are emptied: no recursion, two descriptors.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return os.unlink(folder)
        with suppress(PermissionError):
            os.chmod(folder, 0o700)
        _empty(folder)
        os.rmdir(folder)
    return None


def _empty(folder: Path) -> None:
    top = os.open(folder, FOLDER_FLAGS)
    try:
        pending = _drop_files(top)
        while pending:
            name = pending.pop()
            with suppress(PermissionError):
                os.chmod(name, 0o700, dir_fd=top)
            here = os.open(name, FOLDER_FLAGS, dir_fd=top)
            try:
                for child in _drop_files(here):
                    moved = secrets.token_hex(12)
                    with suppress(PermissionError):
                        os.chmod(child, 0o700, dir_fd=here)  # else its ".." cannot change
                    os.rename(child, moved, src_dir_fd=here, dst_dir_fd=top)
                    pending.append(moved)
            finally:
                os.close(here)
            os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)


def _drop_files(fd: int) -> list[str]:
    """Unlink all that is not a folder; the names of the folders."""
    with os.scandir(fd) as found:
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    for name, is_folder in entries:
        if not is_folder:
            os.unlink(name, dir_fd=fd)
    return [name for name, is_folder in entries if is_folder]


def folder_size(folder: Path, *, stop_above: int) -> int:
    """Bytes on disk below a folder that others are writing to; gives up above `stop_above`.

    Every entry counts as 4 KiB at least: ten million empty files are not nothing.
    """
    total = 0
    pending = [str(folder)]
    while pending and total <= stop_above:
        with (
            suppress(FileNotFoundError, NotADirectoryError, PermissionError),
            os.scandir(pending.pop()) as found,
        ):
            for entry in found:
                with suppress(FileNotFoundError):
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    blocks = entry.stat(follow_symlinks=False).st_blocks
                    total += max(4096, blocks * 512)
    return total
