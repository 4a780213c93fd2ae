"""A manifest is the one form every input takes: paths, content hashes and checked links.

Uploads, archives, clones and build outputs all pass `checked`, so no other part has to ask
whether a path leaves its tree.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from windlass.core.errors import AppError, BadRequest, TooLarge, Unavailable

Mode = Literal["file", "exec", "link"]


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One file or link of a tree; `sha256` of a link is that of its target text."""

    path: str
    sha256: str
    size: int
    mode: Mode = "file"
    target: str = ""


Manifest = list[Entry]
"""Sorted by path; relative POSIX paths in NFC; proven to stay inside its tree."""


class TreeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one tree may hold."""

    files: int = 100_000
    total_bytes: int = 2 << 30
    file_bytes: int = 1 << 30
    path_bytes: int = 1024
    depth: int = 64
    ratio: int = 200
    """An archive that unpacks to more than this many times its own size is a bomb."""


DEFAULT_LIMITS = TreeLimits()
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DRIVE = re.compile(r"[A-Za-z]:")
_NAME_BYTES = 255
_LINK_BYTES = 4095
_MOST_HOPS = 40


class Reasoned(AppError):
    """An input error that says its reason: the class name, PathRefused → PATH_REFUSED."""

    def __init_subclass__(cls) -> None:
        cls.reason = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).upper()


class PathRefused(Reasoned, BadRequest):
    """The path {path} is not allowed: {why}."""


class DuplicatePath(Reasoned, BadRequest):
    """The path {path} appears twice."""


class PathClash(Reasoned, BadRequest):
    """{path} is a file or link, but other files lie beneath it."""


class LinkLeaves(Reasoned, BadRequest):
    """The link {path} points to {target}, which is outside of the folder."""


class LinkLoops(Reasoned, BadRequest):
    """The link {path} points to {target} and never arrives: the links form a circle."""


class EntryRefused(Reasoned, BadRequest):
    """The entry {path} is not valid: {why}."""


class TooManyFiles(Reasoned, TooLarge):
    """There are more than {limit} files ({found} counted so far). Leave out what is not needed."""


class TreeTooLarge(Reasoned, TooLarge):
    """The files are larger than {limit} together ({found} counted so far)."""


class FileTooLarge(Reasoned, TooLarge):
    """{path} is larger than {limit} ({found})."""


class DiskFull(Reasoned, Unavailable):
    """The disk that holds {folder} is full. Free some space and try again."""


def size_text(count: int) -> str:
    """1536 → "1.5 KiB"."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.10g} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def shown(text: str) -> str:
    """A path as it may stand in a message: nothing unprintable, not endless."""
    safe = "".join(
        char if char.isprintable() else char.encode("unicode_escape", "replace").decode()
        for char in text[:200]
    )
    return safe + "…" if len(text) > 200 else safe


def check_path(path: str, limits: TreeLimits = DEFAULT_LIMITS, *, on_disk: bool = False) -> str:
    """The path in NFC, without `.` components and doubled slashes; PathRefused when it leaves.

    Look-alikes count as what they look like: full-width dots and slashes turn into the real
    ones as soon as something normalises them to NFKC. A name read from a Linux disk (`on_disk`)
    may hold a backslash or a colon; there it cannot be a separator.
    """
    if path.startswith(("/", "~/")) or (_DRIVE.match(path) and not on_disk):
        raise PathRefused(path=shown(path), why="it is absolute")
    if "\\" in path and not on_disk:
        raise PathRefused(path=shown(path), why="it holds a backslash")
    if not path.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs") for c in path):
        raise PathRefused(path=shown(path), why="it holds a control or undecodable character")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    for part in parts:
        plain = part if part.isascii() else unicodedata.normalize("NFKC", part)
        if plain == ".." or (plain != part and (plain == "." or "/" in plain or "\\" in plain)):
            raise PathRefused(path=shown(path), why='it holds ".." or something that reads so')
        if len(part.encode()) > _NAME_BYTES:
            raise PathRefused(path=shown(path), why=f"a name is longer than {_NAME_BYTES} bytes")
    if not parts:
        raise PathRefused(path=shown(path), why="it is empty")
    if len(parts) > limits.depth:
        raise PathRefused(path=shown(path), why=f"it is more than {limits.depth} folders deep")
    clean = "/".join(parts)
    clean = clean if clean.isascii() else unicodedata.normalize("NFC", clean)
    if len(clean.encode()) > limits.path_bytes:
        raise PathRefused(path=shown(path), why=f"it is longer than {limits.path_bytes} bytes")
    return clean


def link_entry(path: str, target: str) -> Entry:
    """A link as a manifest holds it."""
    digest = hashlib.sha256(target.encode("utf-8", "surrogateescape")).hexdigest()
    return Entry(path, digest, len(target.encode("utf-8", "surrogateescape")), "link", target)


def checked(
    entries: Iterable[Entry],
    *,
    limits: TreeLimits = DEFAULT_LIMITS,
    allow_links_under: Sequence[str] = (),
    on_disk: bool = False,
) -> Manifest:
    """The sorted manifest of these entries, or the AppError that names the first wrong one."""
    tree: dict[str, Entry] = {}
    total = 0
    for entry in entries:
        path = check_path(entry.path, limits, on_disk=on_disk)
        if path in tree:
            raise DuplicatePath(path=shown(path))
        _check_entry(entry, limits)
        tree[path] = entry if path == entry.path else msgspec.structs.replace(entry, path=path)
        total += entry.size
        check_count(len(tree), limits.files)
        check_total(total, limits.total_bytes)
    _check_clashes(tree)
    for entry in tree.values():
        if entry.mode == "link":
            _check_link(tree, entry, allow_links_under)
    return [tree[path] for path in sorted(tree)]


def check_count(found: int, limit: int) -> None:
    """TooManyFiles when there are more files than allowed."""
    if found > limit:
        raise TooManyFiles(limit=limit, found=found)


def check_total(found: int, limit: int) -> None:
    """TreeTooLarge when the files together hold more bytes than allowed."""
    if found > limit:
        raise TreeTooLarge(limit=size_text(limit), found=size_text(found))


def _check_entry(entry: Entry, limits: TreeLimits) -> None:
    path = shown(entry.path)
    if not _SHA256.fullmatch(entry.sha256) or entry.size < 0:
        raise EntryRefused(path=path, why="its hash or size is malformed")
    if entry.mode != "link":
        if entry.size > limits.file_bytes:
            raise FileTooLarge(
                path=path, limit=size_text(limits.file_bytes), found=size_text(entry.size)
            )
        if entry.target:
            raise EntryRefused(path=path, why="only a link has a target")
        return
    if not entry.target or entry.size > _LINK_BYTES:
        raise EntryRefused(path=path, why=f"a link's target has 1 to {_LINK_BYTES} bytes")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in entry.target):
        raise EntryRefused(path=path, why="its target holds a control or undecodable character")
    if link_entry(entry.path, entry.target) != entry:
        raise EntryRefused(path=path, why="its hash is not that of its target")


def _check_clashes(tree: dict[str, Entry]) -> None:
    folders: set[str] = set()
    for path in tree:
        parent = path.rpartition("/")[0]
        while parent and parent not in folders:
            if parent in tree:
                raise PathClash(path=shown(parent))
            folders.add(parent)
            parent = parent.rpartition("/")[0]


def _check_link(tree: dict[str, Entry], link: Entry, allowed: Sequence[str]) -> None:
    """Walk the link as the kernel would, through other links too, and refuse to leave the tree."""
    place = link.path.split("/")[:-1]
    ahead = link.target.split("/")[::-1]
    hops = 0
    if link.target.startswith("/"):
        return _check_absolute(link, ahead, allowed)
    while ahead:
        part = ahead.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not place:
                raise LinkLeaves(path=shown(link.path), target=shown(link.target))
            place.pop()
            continue
        place.append(part)
        through = tree.get("/".join(place))
        if through is None or through.mode != "link":
            continue
        hops += 1
        if hops > _MOST_HOPS:
            raise LinkLoops(path=shown(link.path), target=shown(link.target))
        place.pop()
        ahead.extend(through.target.split("/")[::-1])
        if through.target.startswith("/"):
            return _check_absolute(link, ahead, allowed)
    return None


def _check_absolute(link: Entry, ahead: list[str], allowed: Sequence[str]) -> None:
    """An absolute way must enter an allowed folder and never step above it again."""
    place: list[str] = []
    roots = [[part for part in root.split("/") if part] for root in allowed]
    inside = False
    for part in reversed(ahead):
        if part in ("", "."):
            continue
        place = place[:-1] if part == ".." else [*place, part]
        now = any(place[: len(root)] == root for root in roots)
        if inside and not now:
            raise LinkLeaves(path=shown(link.path), target=shown(link.target))
        inside = now
    if not inside:
        raise LinkLeaves(path=shown(link.path), target=shown(link.target))
