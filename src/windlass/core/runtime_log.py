"""Where the output of an app lies, and what a line of it looks like.

`<home>/logs/apps/<deployment>/<process>.000001.log` and so on: numbered files that only grow, so
that a place in them stays the same place for as long as it is kept. A line is its time, the letter
of its level and what the app wrote: `2026-11-21T21:04:05.123Z E connection refused`.
"""

import re
from pathlib import Path
from typing import Literal

import msgspec

Level = Literal["info", "warn", "error"]
LETTERS: dict[Level, bytes] = {"info": b"I", "warn": b"W", "error": b"E"}
LEVELS: dict[bytes, Level] = {letter: level for level, letter in LETTERS.items()}
TIME_BYTES = 24
HEAD_BYTES = TIME_BYTES + 3
"""Time, level and the spaces after them."""
_NAME = re.compile(r"([A-Za-z0-9_-]+)\.(\d{6,})\.log")


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the output of one process is kept."""

    file_bytes: int = 16 << 20
    files: int = 8
    bytes_per_second: int = 2 << 20
    """What a process may write for long; more than that is left out, with a note of how much."""


class Segment(msgspec.Struct, frozen=True, order=True):
    """One of the files of a process."""

    number: int
    path: Path


def folder(home: Path, deployment: str) -> Path:
    """Of one release."""
    return home / "logs" / "apps" / deployment


def segments(where: Path) -> dict[str, list[Segment]]:
    """By process, oldest first. Blocks."""
    found: dict[str, list[Segment]] = {}
    try:
        names = [path.name for path in where.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return found
    for name in names:
        if match := _NAME.fullmatch(name):
            found.setdefault(match[1], []).append(Segment(int(match[2]), where / name))
    return {process: sorted(files) for process, files in sorted(found.items())}


def segment(where: Path, process: str, number: int) -> Segment:
    """The one with this number."""
    return Segment(number, where / f"{process}.{number:06}.log")
