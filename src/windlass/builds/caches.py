"""Caches of one project: dependencies by the hash of their lock file, and what frameworks keep.

They are never shared between projects, and they go when the project goes (C-150, C-151). A build
holds them from its beginning to its end; who wants to remove something waits, or comes again.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Literal

import msgspec

from windlass.builds.plan import Plan
from windlass.core.launch import Bind
from windlass.core.threads import blocking
from windlass.core.trees import remove_tree

_KEPT = 3
_PARTS = ("dependencies", "frameworks", "home")
Emptied = Literal["cleaned", "evicted"]


class Result(msgspec.Struct, frozen=True):
    """What a cache was good for in one build, and why: "why did it rebuild?" (C-153, E-13)."""

    is_hit: bool
    reason: str

    @property
    def words(self) -> str:
        """As the log says it."""
        return f"{'hit' if self.is_hit else 'miss'} ({self.reason})"


class Basis(msgspec.Struct, frozen=True):
    """What installed dependencies depend on; all of it the same: nothing to install."""

    lock_file: str
    lock: str
    command: str
    root: str
    runtime: str

    @property
    def key(self) -> str:
        """The name of what was installed for this."""
        found = hashlib.sha256(self.runtime.encode())
        for part in (self.lock, self.command, self.root):
            found.update(bytes.fromhex(part))
        return found.hexdigest()[:24]


class State(msgspec.Struct, frozen=True):
    """What the last build installed for, and whether somebody emptied the caches since."""

    basis: Basis | None = None
    emptied: Emptied | None = None


_EMPTIED = {"cleaned": "the caches were cleaned", "evicted": "removed to free the disk"}


class Caches:
    """`<home>/caches/<project>`; all paths of plans are relative to the source."""

    def __init__(self, folder: Path, uid: int | None) -> None:
        self._folder = folder
        self._uid = uid

    def basis(self, plan: Plan, lock: bytes | None, runtime: str) -> Basis | None:
        """What the installed dependencies depend on; None when nothing can be kept."""
        if lock is None or not plan.cache_directories:
            return None
        return Basis(
            lock_file=plan.lock_file or "",
            lock=_hash(lock),
            command=_hash((plan.install_command or "").encode()),
            root=_hash(plan.root_directory.encode()),
            runtime=runtime,
        )

    def look(self, basis: Basis | None) -> Result:
        """Whether the dependencies for this are here, and if not, why."""
        if basis is None:
            return Result(is_hit=False, reason="no lock file, nothing is kept")
        if (self._folder / "dependencies" / basis.key).is_dir():
            return Result(is_hit=True, reason=f"{basis.lock_file} unchanged")
        return Result(is_hit=False, reason=self._why(basis))

    def _why(self, basis: Basis) -> str:
        state = self._state()
        if state.emptied is not None:
            return _EMPTIED[state.emptied]
        last = state.basis
        if last is None:
            return "first build"
        if (last.lock_file, last.lock) != (basis.lock_file, basis.lock):
            return f"{basis.lock_file} changed"
        if last.runtime != basis.runtime:
            return f"toolchain changed: {last.runtime or 'none'} → {basis.runtime or 'none'}"
        if last.command != basis.command:
            return "the install command changed"
        return "the root directory changed" if last.root != basis.root else _EMPTIED["evicted"]

    def keep(self, basis: Basis, plan: Plan, app: Path) -> None:
        """Move what the install step made into the cache: whole or not at all. Blocks."""
        key = basis.key
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

    def remember(self, basis: Basis) -> None:
        """The next miss is explained by what is different from this. Blocks."""
        _write(self._folder, State(basis=basis))

    def folders(self, basis: Basis, plan: Plan) -> dict[str, Path]:
        """Where the kept dependencies of each cache directory lie."""
        place = self._folder / "dependencies" / basis.key
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

    def look_at_framework(self, plan: Plan) -> Result:
        """Whether an earlier build left something for the frameworks of this plan."""
        places = [self._folder / "frameworks" / _flat(d) for d in plan.framework_caches]
        if any(place.is_dir() and any(place.iterdir()) for place in places):
            return Result(is_hit=True, reason="kept from the build before")
        state = self._state()
        if state.emptied is not None:
            return Result(is_hit=False, reason=_EMPTIED[state.emptied])
        return Result(is_hit=False, reason="nothing was kept before")

    def clear(self) -> None:
        """Forget everything. Blocks."""
        empty(self._folder, "cleaned")

    def _state(self) -> State:
        try:
            return _STATE.decode((self._folder / "state.json").read_bytes())
        except (OSError, msgspec.MsgspecError):
            return State()

    def _make(self, place: Path) -> None:
        place.mkdir(parents=True)
        if self._uid is not None:
            os.chown(place, self._uid, self._uid)

    def _prune(self, newest: Path) -> None:
        kept = sorted(newest.parent.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)
        for old in kept[_KEPT:]:
            if old != newest:
                shutil.rmtree(old, ignore_errors=True)


_STATE = msgspec.json.Decoder(State)


@contextlib.asynccontextmanager
async def held(home: Path, project: str) -> AsyncGenerator[None]:
    """Nobody empties the project's caches meanwhile; several builds may hold them."""
    lock = await blocking(_open_lock, home, project)
    try:
        await blocking(fcntl.flock, lock, fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)


def empty_unused(home: Path, project: str, why: Emptied) -> bool:
    """Empty a project's caches unless a build has them; whether it did. Blocks.

    A kill in the middle leaves less than there was, which a build takes for nothing.
    """
    lock = _open_lock(home, project)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Pull requests of strangers have caches of their own below the project's.
        for folder in folders_of(home / "caches" / project):
            empty(folder, why)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def folders_of(project: Path) -> list[Path]:
    """Every folder of caches that a project has."""
    if not project.is_dir():
        return []
    inside = [child for child in project.iterdir() if child.is_dir()]
    return [project, *(c for c in inside if c.name not in _PARTS and not c.name.startswith("."))]


def parts_of(folder: Path) -> list[Path]:
    """What of a folder of caches takes space, also what a kill left half removed."""
    return [folder / name for part in _PARTS for name in (part, f".{part}.gone")]


def empty(folder: Path, why: Emptied) -> None:
    """Remove what is kept, and remember why. Blocks."""
    if not folder.is_dir():
        return
    # First, or a kill in the middle would leave half of it with nobody to say why.
    _write(folder, State(emptied=why))
    for part in _PARTS:
        place = folder / part
        if place.is_dir():
            # Out of the way at once: what is half removed is never taken for whole.
            gone = folder / f".{part}.gone"
            remove_tree(gone)
            place.rename(gone)
    for part in _PARTS:
        remove_tree(folder / f".{part}.gone")


def _open_lock(home: Path, project: str) -> int:
    folder = home / "caches" / ".locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(folder / project, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _write(folder: Path, state: State) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / ".state.new"
    draft.write_bytes(msgspec.json.encode(state))
    draft.replace(folder / "state.json")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _flat(directory: str) -> str:
    return directory.strip("/").replace("/", "%2F") or "%2E"
