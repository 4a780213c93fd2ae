"""Remembers which blobs were made from which blob, so that the same work is done once.

One small file per source: `derived/<recipe>/ab/cdef…`. It may be lost or damaged at any time; then
the work is done again.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec


class Made(msgspec.Struct, frozen=True, array_like=True):
    """One blob that was made from another."""

    sha256: str
    size: int


_RECORD = msgspec.json.Decoder(tuple[Made | None, ...])


def load(root: Path, recipe: str, sha256: str) -> tuple[Made | None, ...] | None:
    """What the recipe made of this blob; None when it was not tried yet."""
    try:
        return _RECORD.decode(_path(root, recipe, sha256).read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def save(
    root: Path, recipe: str, sha256: str, made: tuple[Made | None, ...], *, temporary: Path
) -> None:
    """Remember it. `temporary` is a new path on the same file system."""
    path = _path(root, recipe, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_bytes(msgspec.json.encode(made))
    os.replace(temporary, path)


def keep(
    root: Path, wanted: set[str], *, is_used: Callable[[str], bool], before: float
) -> set[str]:
    """The blobs made from blobs that are wanted or used; old records of all others are deleted."""
    kept: set[str] = set()
    for path in _records(root):
        sha256 = path.parent.name + path.name
        if sha256 in wanted or is_used(sha256):
            found = load(root, path.parent.parent.name, sha256) or ()
            kept |= {made.sha256 for made in found if made}
            continue
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
    return kept


def _records(root: Path) -> Iterator[Path]:
    return (root / "derived").glob("*/??/*")


def _path(root: Path, recipe: str, sha256: str) -> Path:
    return root / "derived" / recipe / sha256[:2] / sha256[2:]
