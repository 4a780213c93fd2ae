"""Frees the disk of what only makes builds quicker, by budgets; never of what is served or kept.

Releases, sources and blobs have rules of their own (retention, collection). What is left to take is
caches: those of the projects that have not been built for the longest time go first, whole, and
never under a build that runs.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from windlass.builds import caches
from windlass.core.settings import Disk
from windlass.core.trees import folder_size

_EVERYTHING = 1 << 62


class Used(msgspec.Struct, frozen=True):
    """The caches of a project: their size, and when a build last used them (Unix time)."""

    project: str
    size_bytes: int
    used_at: float


class Freed(msgspec.Struct, frozen=True):
    """What was taken from whom; `busy` had a build that ran."""

    projects: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    size_bytes: int = 0


def reclaim(home: Path, budget: Disk) -> Freed:
    """Look at the caches and at the disk, and take what is too much. Blocks."""
    found = look(home)
    free = shutil.disk_usage(home).free
    taken: list[Used] = []
    busy: list[str] = []
    for used in choose(found, budget, free=free):
        if caches.empty_unused(home, used.project, "evicted"):
            taken.append(used)
        else:
            busy.append(used.project)
    return Freed(
        tuple(used.project for used in taken),
        tuple(busy),
        sum(used.size_bytes for used in taken),
    )


def look(home: Path) -> list[Used]:
    """The caches of every project. Blocks."""
    folder = home / "caches"
    if not folder.is_dir():
        return []
    return [
        Used(child.name, _size(child), _used_at(child))
        for child in sorted(folder.iterdir())
        if child.is_dir() and not child.name.startswith(".")
    ]


def choose(found: Sequence[Used], budget: Disk, *, free: int) -> list[Used]:
    """Those whose caches go: over their own budget, then the longest unused, until what is left
    fits into the budget of all and the disk has its floor."""
    going = [used for used in found if used.size_bytes > budget.project_cache_bytes]
    left = [used for used in found if used not in going]
    total = sum(used.size_bytes for used in left)
    free += sum(used.size_bytes for used in going)
    for used in sorted(left, key=lambda used: used.used_at):
        if total <= budget.cache_bytes and free >= budget.floor_bytes:
            break
        if used.size_bytes == 0:
            continue
        going.append(used)
        total -= used.size_bytes
        free += used.size_bytes
    return going


def _size(folder: Path) -> int:
    """Without the few bytes that say why they are empty."""
    return sum(
        folder_size(child, stop_above=_EVERYTHING)
        for each in caches.folders_of(folder)
        for child in caches.parts_of(each)
    )


def _used_at(folder: Path) -> float:
    """A build writes the state when it takes or makes dependencies."""
    times: list[float] = []
    for each in caches.folders_of(folder):
        try:
            times.append((each / "state.json").stat().st_mtime)
        except OSError:
            continue
    return max(times, default=0.0)
