"""Caches of one project: dependencies by the hash of their lock file, and what frameworks keep.

They are never shared between projects, and they go when the project goes (C-150, C-151).
"""

import hashlib
import os
import shutil
from pathlib import Path

from windlass.builds.plan import Plan
from windlass.core.launch import Bind
from windlass.core.trees import remove_tree

_KEPT = 3


class Caches:
    """`<home>/caches/<project>`; all paths of plans are relative to the source."""

    def __init__(self, folder: Path, uid: int | None) -> None:
        self._folder = folder
        self._uid = uid

    def key(self, plan: Plan, lock: bytes | None, runtime: str) -> str | None:
        """What the installed dependencies depend on; None when nothing can be kept."""
        if lock is None or not plan.cache_directories:
            return None
        parts = (lock, (plan.install_command or "").encode(), plan.root_directory.encode())
        found = hashlib.sha256(runtime.encode())
        for part in parts:
            found.update(hashlib.sha256(part).digest())
        return found.hexdigest()[:24]

    def has(self, key: str) -> bool:
        return (self._folder / "dependencies" / key).is_dir()

    def keep(self, key: str, plan: Plan, app: Path) -> None:
        """Move what the install step made into the cache: whole or not at all. Blocks."""
        draft = self._folder / "dependencies" / f".{key}.new"
        remove_tree(draft)
        draft.mkdir(parents=True)
        for directory in plan.cache_directories:
            place = draft / _flat(directory)
            if (app / directory).is_dir() and not (app / directory).is_symlink():
                (app / directory).rename(place)
            else:
                self._make(place)
        final = draft.with_name(key)
        remove_tree(final)
        draft.rename(final)
        self._prune(final)

    def folders(self, key: str, plan: Plan) -> dict[str, Path]:
        """Where the kept dependencies of each cache directory lie."""
        place = self._folder / "dependencies" / key
        os.utime(place)
        return {directory: place / _flat(directory) for directory in plan.cache_directories}

    def framework(self, plan: Plan) -> tuple[Bind, ...]:
        """The framework's own caches, made when they are missing. Blocks."""
        binds: list[Bind] = []
        for directory in plan.framework_caches:
            place = self._folder / "frameworks" / _flat(directory)
            if not place.is_dir():
                self._make(place)
            binds.append(Bind(str(place), f"/app/{directory}", writable=True))
        return tuple(binds)

    def home(self) -> Bind:
        """The home of the project's steps, where npm, pip and uv keep what they fetched. Blocks."""
        place = self._folder / "home"
        if not place.is_dir():
            self._make(place)
        return Bind(str(place), "/tmp/home", writable=True)  # noqa: S108 - inside the sandbox

    def had_framework(self, plan: Plan) -> bool:
        """True when an earlier build left something for the frameworks of this plan."""
        places = [self._folder / "frameworks" / _flat(d) for d in plan.framework_caches]
        return any(place.is_dir() and any(place.iterdir()) for place in places)

    def clear(self) -> None:
        """Forget everything. Blocks."""
        remove_tree(self._folder)

    def _make(self, place: Path) -> None:
        place.mkdir(parents=True)
        if self._uid is not None:
            os.chown(place, self._uid, self._uid)

    def _prune(self, newest: Path) -> None:
        kept = sorted(newest.parent.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
        for old in kept[_KEPT:]:
            if old != newest:
                shutil.rmtree(old, ignore_errors=True)


def _flat(directory: str) -> str:
    return directory.strip("/").replace("/", "%2F") or "%2E"
