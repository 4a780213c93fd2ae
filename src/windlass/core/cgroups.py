"""Limits by control groups: version 2 where it is ours, version 1 where writable, else none.

A group's folder is named `windlass.<launch>.<owner's pid>.<owner's start time>`, so that anybody
can see from the name alone whether the one who made it still lives.
"""

import errno
import os
import re
import signal
import time
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from windlass.core.launch_spec import Limits

Rung = Literal["cgroup-v2", "cgroup-v1", "rlimits"]
_ROOT = Path("/sys/fs/cgroup")
_MAIN = "windlass-main"
_PERIOD = 100_000
_NAME = re.compile(r"windlass\.(?P<launch>[A-Za-z0-9_-]+)\.(?P<pid>\d+)\.(?P<start>\d+)")


class Ladder(msgspec.Struct, frozen=True):
    """Where groups can be made: one folder for version 2, one per controller for version 1."""

    rung: Rung
    unified: Path | None = None
    controllers: dict[str, Path] = {}

    def folders(self) -> tuple[Path, ...]:
        """Every folder that may hold groups of ours."""
        return (self.unified,) if self.unified else tuple(self.controllers.values())


class Counts(msgspec.Struct, frozen=True):
    """What the kernel counted so far."""

    out_of_memory: int = 0
    refused_processes: int = 0
    peak_memory_bytes: int = 0


class Group:
    """The folders of one launch."""

    def __init__(self, ladder: Ladder, name: str) -> None:
        self.ladder = ladder
        self.name = name
        self.folders = tuple(folder / name for folder in ladder.folders())

    def create(self, limits: Limits) -> None:
        """Make the folders and write the limits; OSError when the kernel refuses."""
        for folder in self.folders:
            folder.mkdir()
        self.limit(limits)

    def limit(self, limits: Limits) -> None:
        """Write the limits; OSError when the kernel refuses or it is gone."""
        for path, value in self._settings(limits):
            path.write_text(str(value))

    def _settings(self, limits: Limits) -> list[tuple[Path, str | int]]:
        quota = int(limits.cpus * _PERIOD)
        if self.ladder.unified:
            folder = self.folders[0]
            settings: list[tuple[Path, str | int]] = [
                (folder / "memory.max", limits.memory_bytes),
                (folder / "memory.swap.max", 0),
                (folder / "memory.oom.group", 1),
                (folder / "pids.max", limits.processes),
                (folder / "cpu.max", f"{quota} {_PERIOD}"),
            ]
        else:
            settings = []
            if memory := self._of("memory"):
                settings += [(memory / "memory.limit_in_bytes", limits.memory_bytes)]
                settings += [(memory / "memory.memsw.limit_in_bytes", limits.memory_bytes)]
            if pids := self._of("pids"):
                settings += [(pids / "pids.max", limits.processes)]
            if cpu := self._of("cpu"):
                settings += [(cpu / "cpu.cfs_period_us", _PERIOD)]
                settings += [(cpu / "cpu.cfs_quota_us", quota)]
        # Swap accounting and the cpu controller may be missing; memory and pids never are.
        optional = ("memory.memsw", "memory.swap", "memory.oom", "cpu.")
        return [
            (path, value)
            for path, value in settings
            if path.exists() or not path.name.startswith(optional)
        ]

    def _of(self, controller: str) -> Path | None:
        folder = self.ladder.controllers.get(controller)
        return folder / self.name if folder else None

    def procs(self) -> list[str]:
        """The files into which a process writes 0 to join."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    def counts(self) -> Counts:
        """What happened so far; zeros for what this kernel does not count."""
        if self.ladder.unified:
            memory = pids = self.folders[0]
            killed = _field(memory / "memory.events", "oom_kill")
            peak = _number(memory / "memory.peak")
        else:
            memory, pids = self._of("memory") or Path(), self._of("pids") or Path()
            killed = _field(memory / "memory.oom_control", "oom_kill")
            peak = _number(memory / "memory.max_usage_in_bytes")
        return Counts(killed, _field(pids / "pids.events", "max"), peak)

    def processes(self) -> list[int]:
        """Who is in it now."""
        return _processes(self.folders[0])

    def kill(self) -> None:
        """Send SIGKILL to every process in it."""
        for folder in self.folders:
            for pid in _processes(folder):
                _kill(pid)

    def remove(self) -> bool:
        """Remove the folders; False while a process is still in one of them."""
        gone = True
        for folder in self.folders:
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                gone = False
        return gone


def create(name: str, limits: Limits) -> Group | None:
    """A group for one launch of this process; None where the ladder ends at rlimits."""
    ladder = found()
    if ladder.rung == "rlimits":
        return None
    group = Group(ladder, f"windlass.{name}.{owner()}")
    try:
        group.create(limits)
    except OSError:
        group.remove()
        raise
    return group


def made_elsewhere(path: str, *, root: Path = _ROOT) -> Group | None:
    """The group that an engine made, by its path below the hierarchy's root; None: not there."""
    above, _, name = path.strip("/").rpartition("/")
    if (root / "cgroup.controllers").exists():
        ladder = Ladder("cgroup-v2", root / above)
    else:
        controllers = {each: root / each / above for each in ("memory", "pids", "cpu")}
        ladder = Ladder("cgroup-v1", None, controllers)
    group = Group(ladder, name)
    return group if group.folders[0].is_dir() else None


def owner() -> str:
    """This process as `pid.start time`; no other process ever has the same."""
    return f"{os.getpid()}.{start_time(os.getpid())}"


def is_alive(owner_name: str) -> bool:
    """Whether the process named `pid.start time` still runs."""
    pid, _, start = owner_name.partition(".")
    return start != "0" and start_time(int(pid)) == int(start)


def start_time(pid: int) -> int:
    """In clock ticks since the machine's start; 0 when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    # The command's name may hold spaces and brackets, so count from its end.
    fields = stat.rpartition(")")[2].split()
    return 0 if fields[0] in "ZX" else int(fields[19])


def leftovers(prefix: str) -> dict[str, Group]:
    """Groups of launches named `prefix…` whose owner is dead, by the launch's name."""
    ladder = found()
    left: dict[str, Group] = {}
    for folder in ladder.folders():
        for path in folder.glob(f"windlass.{prefix}*"):
            name = _NAME.fullmatch(path.name)
            if name and not is_alive(f"{name['pid']}.{name['start']}"):
                left[path.name] = Group(ladder, path.name)
    return left


def clear(group: Group, *, seconds: float = 2.0) -> bool:
    """Kill what is in it and remove it; False when the kernel would not within the time."""
    until = time.monotonic() + seconds
    while not group.remove():
        group.kill()
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


@cache
def found() -> Ladder:
    """The ladder's rung on this machine, found once."""
    own = _own_groups(Path("/proc/self/cgroup"))
    return find(_ROOT, own)


def find(root: Path, own: dict[str, str]) -> Ladder:
    """The rung below `root`; `own` is the group we are in, by controller ("" is version 2)."""
    for mounted in (root, root / "unified"):
        if (mounted / "cgroup.controllers").exists():
            folder = _unified(mounted, own.get("", "/"))
            if folder:
                return Ladder("cgroup-v2", folder)
    controllers: dict[str, Path] = {}
    for name in ("memory", "pids", "cpu"):
        folder = root / name / own.get(name, "/").strip("/")
        if (folder / "cgroup.procs").exists() and os.access(folder, os.W_OK):
            controllers[name] = folder
    if {"memory", "pids"} <= controllers.keys():
        return Ladder("cgroup-v1", None, controllers)
    return Ladder("rlimits")


def _own_groups(path: Path) -> dict[str, str]:
    own: dict[str, str] = {}
    for line in path.read_text().splitlines():
        _, controllers, folder = line.split(":", 2)
        own |= dict.fromkeys(controllers.split(","), folder)
    return own


def _unified(mounted: Path, own: str) -> Path | None:
    """The nearest folder, from our own upwards, in which groups with limits can be made."""
    here = mounted / own.strip("/")
    if here.name == _MAIN:
        here = here.parent
    above = [folder for folder in (here, *here.parents) if folder.is_relative_to(mounted)]
    usable = [folder for folder in above if _is_ours(folder)]
    for folder in usable:
        if {"memory", "pids"} <= _words(folder / "cgroup.subtree_control"):
            _enable(folder)
            return folder
    for folder in usable:
        if _enable(folder) or _empty(folder):
            return folder
    return None


def _is_ours(folder: Path) -> bool:
    files = (folder, folder / "cgroup.procs", folder / "cgroup.subtree_control")
    writable = all(os.access(path, os.W_OK) for path in files)
    return writable and {"memory", "pids"} <= _words(folder / "cgroup.controllers")


def _enable(folder: Path) -> bool:
    """Let the folder's children be limited; False when processes in it forbid that."""
    wanted = {"memory", "pids", "cpu"} & _words(folder / "cgroup.controllers")
    try:
        for name in sorted(wanted - _words(folder / "cgroup.subtree_control")):
            (folder / "cgroup.subtree_control").write_text(f"+{name}")
    except OSError:
        return False
    return True


def _empty(folder: Path) -> bool:
    """Move the folder's processes (us and ours) into a leaf: version 2 allows limits only so."""
    leaf = folder / _MAIN
    try:
        leaf.mkdir(exist_ok=True)
        for pid in _processes(folder):
            (leaf / "cgroup.procs").write_text(str(pid))
    except OSError:
        return False
    return _enable(folder)


def _processes(folder: Path) -> list[int]:
    return [int(pid) for pid in _words(folder / "cgroup.procs")]


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _words(path: Path) -> set[str]:
    try:
        return set(path.read_text().split())
    except OSError:
        return set()


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _field(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    values = [line.split()[1] for line in lines if line.split()[:1] == [name]]
    return int(values[0]) if values else 0
