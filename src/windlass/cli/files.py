"""Which files of a folder are uploaded, and what may not be uploaded at all.

Never sent: version control, installed dependencies, caches, and `.env` files (but `.env.example`).
Beyond that `.gitignore` and `.windlassignore` decide, in every directory, the deeper one first and
`.windlassignore` before `.gitignore`; so `!dist/` there brings back what Git ignores.
"""

import os
import stat
import unicodedata
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from windlass.cli.errors import CliError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILES = (".gitignore", ".windlassignore")
NEVER = frozenset({".git", "node_modules", ".venv", "__pycache__", ".windlass", ".DS_Store"})


class EmptyFolder(CliError):
    """{folder} holds no file to deploy."""

    fix = "Hidden by .gitignore or .windlassignore? A line like !dist/ in .windlassignore helps."


class UnreadableFile(CliError):
    """{path} cannot be read: {reason}."""

    fix = "Correct its permissions, or name it in .windlassignore."


class SpecialFile(CliError):
    """{path} is a {kind}; only files, folders and links can be deployed."""

    fix = "Remove it, or name it in .windlassignore."


class LeavingLink(CliError):
    """{path} is a link to {target}, outside of the folder."""

    fix = "Copy the file into the folder, or name the link in .windlassignore."


class BadFileName(CliError):
    """{path} has a name that cannot be deployed: {reason}."""

    fix = "Rename it, or name it in .windlassignore."


class LocalFile(msgspec.Struct):
    """A file or link to upload: `path` for the server (POSIX, NFC), `location` on this machine.

    The numbers are those of os.lstat when the folder was read; `sha256` is empty until hashed.
    """

    path: str
    location: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    mode: str = "file"
    target: str = ""
    sha256: str = ""


class Found(NamedTuple):
    """The files in order of path, and the `.env` files that were left out."""

    files: list[LocalFile]
    environments: list[str]


class _Rules(NamedTuple):
    """The ignore files from the top of the upload down to one directory."""

    stack: tuple[tuple[str, "GitIgnoreSpec"], ...] = ()

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        subject = f"{path}/" if is_folder else path
        for prefix, spec in reversed(self.stack):
            verdict = spec.check_file(subject[len(prefix) :]).include
            if verdict is not None:
                return verdict
        return False


def find(folder: Path) -> Found:
    """Everything below `folder` that is to be uploaded.

    Raises EmptyFolder, UnreadableFile, SpecialFile, LeavingLink, BadFileName with the path.
    """
    root = os.path.realpath(folder)
    found = Found([], [])
    todo = [("", _Rules())]
    while todo:
        prefix, outer = todo.pop()
        entries = _entries(root, prefix)
        rules = _with_files_of(outer, root, prefix, {entry.name for entry in entries})
        for entry in entries:
            path = prefix + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if _never(entry.name):
                if entry.name.startswith(".env") and not rules.ignores(path, is_folder=is_folder):
                    found.environments.append(path)
            elif rules.ignores(path, is_folder=is_folder):
                continue
            elif is_folder:
                todo.append((f"{path}/", rules))
            else:
                found.files.append(_local(root, path, entry))
    if not found.files:
        raise EmptyFolder(folder=folder)
    found.files.sort(key=lambda file: file.path)
    _refuse_twins(found.files)
    return found


def _entries(root: str, prefix: str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(os.path.join(root, prefix)) as listing:
            return list(listing)
    except OSError as error:
        raise UnreadableFile(path=prefix.rstrip("/") or root, reason=error.strerror) from error


def _never(name: str) -> bool:
    return name in NEVER or (fnmatchcase(name, ".env*") and name != ".env.example")


def _with_files_of(outer: _Rules, root: str, prefix: str, names: set[str]) -> _Rules:
    stack = list(outer.stack)
    for name in IGNORE_FILES:
        if name in names:
            # Most folders have no such file, and the library takes 60 ms to import.
            from pathspec import GitIgnoreSpec

            try:
                text = Path(root, prefix, name).read_text("utf-8-sig", errors="surrogateescape")
            except OSError as error:
                raise UnreadableFile(path=prefix + name, reason=error.strerror) from error
            stack.append((prefix, GitIgnoreSpec.from_lines(text.splitlines())))
    return _Rules(tuple(stack))


def _local(root: str, path: str, entry: "os.DirEntry[str]") -> LocalFile:
    name = _checked_name(path)
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        raise UnreadableFile(path=path, reason=error.strerror) from error
    file = LocalFile(
        path=name,
        location=entry.path,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        inode=status.st_ino,
    )
    if stat.S_ISLNK(status.st_mode):
        file.mode, file.target = "link", _inner_target(root, path, os.readlink(entry.path))
        file.size = len(file.target.encode())
    elif not stat.S_ISREG(status.st_mode):
        raise SpecialFile(path=path, kind=_kind(status.st_mode))
    elif status.st_mode & stat.S_IXUSR:
        file.mode = "exec"
    return file


def _checked_name(path: str) -> str:
    shown = path.encode("utf-8", "backslashreplace").decode()
    if any(unicodedata.category(char) == "Cs" for char in path):
        raise BadFileName(path=shown, reason="it is not UTF-8")
    if not path.isprintable() and any(unicodedata.category(char) == "Cc" for char in path):
        raise BadFileName(path=repr(path), reason="it holds a control character")
    return unicodedata.normalize("NFC", path)


def _inner_target(root: str, path: str, target: str) -> str:
    """The link's target, relative, when it stays in the folder. Raises LeavingLink."""
    base = os.path.dirname(path)
    if os.path.isabs(target):
        target = os.path.relpath(os.path.normpath(target), os.path.join(root, base))
    inside = os.path.normpath(os.path.join(base, target))
    if inside == ".." or inside.startswith("../"):
        raise LeavingLink(path=path, target=target)
    return _checked_name(target)


def _kind(mode: int) -> str:
    if stat.S_ISSOCK(mode):
        return "socket"
    return "named pipe" if stat.S_ISFIFO(mode) else "device"


def _refuse_twins(files: list[LocalFile]) -> None:
    for one, other in pairwise(files):
        if one.path == other.path:
            reason = "another file has the same name in a different Unicode form"
            raise BadFileName(path=other.path, reason=reason)
