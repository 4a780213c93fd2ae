"""Looks at a running launch and says when it went over a limit that nothing else enforces."""

import os
import time
from pathlib import Path

from windlass.core.cgroups import Counts, Group
from windlass.core.launch_spec import Launch, Reason

_REFUSED_SECONDS = 1.0


class Watch:
    """One launch's limits, looked at again and again by `look`."""

    def __init__(self, launch: Launch, group: Group | None) -> None:
        self.launch = launch
        self.group = group
        self.peak_memory_bytes = 0
        self._refused = 0
        self._refused_since = 0.0
        self._disks = [bind.source for bind in launch.binds if bind.writable]

    def look(self, pid: int) -> Reason | None:
        """The limit that is broken right now; `pid` is the sandbox's first process."""
        counts = self.group.counts() if self.group else self._sampled(pid)
        self.peak_memory_bytes = max(self.peak_memory_bytes, counts.peak_memory_bytes)
        if counts.out_of_memory:
            return "out-of-memory"
        if self._is_flooding(counts):
            return "process-limit"
        return "disk-full" if self.is_disk_full() else None

    def verdict(self, *, failed: bool, temporary_full: bool) -> Reason | None:
        """The reason to give for a command that ended by itself."""
        counts = self.group.counts() if self.group else Counts()
        self.peak_memory_bytes = max(self.peak_memory_bytes, counts.peak_memory_bytes)
        if counts.out_of_memory:
            return "out-of-memory"
        if not failed:
            return None
        if temporary_full or self.is_disk_full():
            return "disk-full"
        return "process-limit" if counts.refused_processes else None

    def _is_flooding(self, counts: Counts) -> bool:
        """A second after the first refusal, so that the command's own error can be written."""
        rose = counts.refused_processes > self._refused
        self._refused = counts.refused_processes
        if self.launch.forgiving and not rose:
            self._refused_since = 0.0
        if not self._refused or (self.launch.forgiving and not rose):
            return False
        self._refused_since = self._refused_since or time.monotonic()
        return time.monotonic() - self._refused_since > _REFUSED_SECONDS

    def is_disk_full(self) -> bool:
        """Whether a writable folder's disk has less left than the reserve."""
        for path in self._disks:
            disk = os.statvfs(path)
            size = disk.f_blocks * disk.f_frsize
            reserve = min(self.launch.limits.reserve_bytes, size // 50)
            if disk.f_bavail * disk.f_frsize < reserve:
                return True
            if disk.f_files and disk.f_favail < min(1000, disk.f_files // 100):
                return True
        return False

    def _sampled(self, pid: int) -> Counts:
        """Without cgroups: memory in use by all processes inside, and how many they are."""
        limits = self.launch.limits
        pids = set(descendants(pid))
        used = sum(map(_resident_bytes, pids)) + _temporary_bytes(pid)
        if used > limits.memory_bytes:
            # What a fork shares with its parent was counted for both. Exact, but slow to ask.
            used = sum(map(_own_bytes, pids)) + _temporary_bytes(pid)
        too_much = used > limits.memory_bytes
        # One that ended while we looked was there, and counts until its parent has noticed.
        crowded = sum(max(1, _threads(one)) for one in pids) > limits.processes
        return Counts(int(too_much), self._refused + int(crowded), used)


def descendants(pid: int) -> list[int]:
    """A process and everything below it; orphans inside stay below the sandbox's first one."""
    found = [pid]
    for parent in found:
        try:
            tasks = os.listdir(f"/proc/{parent}/task")
            for task in tasks:
                children = Path(f"/proc/{parent}/task/{task}/children").read_text()
                found.extend(int(child) for child in children.split())
        except OSError:
            continue
    return found


def _threads(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def _resident_bytes(pid: int) -> int:
    """Memory of its own, without mapped files: the pages a limit would count."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon:"))


def _own_bytes(pid: int) -> int:
    """The same with its share of the pages that several processes use."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return _resident_bytes(pid)
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss_Anon:"))


def _temporary_bytes(pid: int) -> int:
    used = 0
    for folder in ("tmp", "dev/shm"):
        try:
            disk = os.statvfs(f"/proc/{pid}/root/{folder}")
        except OSError:
            continue
        used += (disk.f_blocks - disk.f_bfree) * disk.f_frsize
    return used
