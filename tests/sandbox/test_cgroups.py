"""The ladder of limits, rung by rung; version 2 on a tree of plain files where it is not ours."""

import os
from pathlib import Path

import pytest

from windlass.core import cgroups
from windlass.core.cgroups import Group, Ladder, find
from windlass.core.launch import Limits

LIMITS = Limits(memory_bytes=1 << 30, processes=99, cpus=1.5)


def folder(path: Path, controllers: str, enabled: str = "", procs: str = "") -> Path:
    """A cgroup folder as the kernel shows it."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "cgroup.controllers").write_text(controllers)
    (path / "cgroup.subtree_control").write_text(enabled)
    (path / "cgroup.procs").write_text(procs)
    return path


def test_a_delegated_version_2_group_is_used(tmp_path):
    folder(tmp_path, "cpu memory pids io", "memory pids")
    own = folder(tmp_path / "user.slice" / "app", "cpu memory pids", "cpu memory pids")

    assert find(tmp_path, {"": "/user.slice/app"}) == Ladder("cgroup-v2", own)


def test_own_processes_move_to_a_leaf_when_nothing_is_enabled_yet(tmp_path):
    folder(tmp_path, "")
    own = folder(tmp_path / "service", "cpu memory pids", procs=f"{os.getpid()}\n")
    real_write = Path.write_text

    def like_the_kernel(path, text, *args, **options):
        if path.name == "cgroup.subtree_control" and not (own / "windlass-main").exists():
            raise OSError(16, "Device or resource busy")
        return real_write(path, text, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_text", like_the_kernel)
        found = find(tmp_path, {"": "/service"})

    assert found == Ladder("cgroup-v2", own)
    assert (own / "windlass-main" / "cgroup.procs").read_text() == str(os.getpid())


def test_a_process_that_already_moved_finds_the_group_above(tmp_path):
    folder(tmp_path, "")
    own = folder(tmp_path / "service", "cpu memory pids", "cpu memory pids")
    folder(own / "windlass-main", "cpu memory pids")

    assert find(tmp_path, {"": "/service/windlass-main"}) == Ladder("cgroup-v2", own)


def test_version_1_is_used_below_the_own_group(tmp_path):
    folder(tmp_path / "unified", "hugetlb")
    for name, own in (("memory", "a/b"), ("pids", ""), ("cpu", "")):
        folder(tmp_path / name / own, "")

    found = find(tmp_path, {"memory": "/a/b", "pids": "/", "cpu": "/", "": "/"})

    assert found.rung == "cgroup-v1"
    assert found.controllers["memory"] == tmp_path / "memory" / "a" / "b"


def test_without_any_group_there_are_rlimits(tmp_path):
    assert find(tmp_path, {}).rung == "rlimits"
    folder(tmp_path, "cpu io")
    assert find(tmp_path, {}).rung == "rlimits"


def test_version_2_limits_are_written_and_counts_are_read(tmp_path):
    group = Group(Ladder("cgroup-v2", tmp_path), "windlass.build-x.1.2")
    path = tmp_path / "windlass.build-x.1.2"
    with pytest.MonkeyPatch.context() as patch:
        # The kernel makes these files with the folder.
        real = Path.mkdir

        def mkdir(self, *args, **options):
            real(self, *args, **options)
            for name in ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max"):
                (self / name).write_text("")

        patch.setattr(Path, "mkdir", mkdir)
        group.create(LIMITS)
    (path / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    (path / "memory.peak").write_text("4096\n")
    (path / "pids.events").write_text("max 7\n")

    assert (path / "memory.max").read_text() == str(1 << 30)
    assert (path / "memory.swap.max").read_text() == "0"
    assert (path / "memory.oom.group").read_text() == "1"
    assert (path / "pids.max").read_text() == "99"
    assert not (path / "cpu.max").exists()
    assert group.counts() == cgroups.Counts(2, 7, 4096)
    assert group.procs() == [str(path / "cgroup.procs")]


def test_the_owner_of_a_group_is_known_by_pid_and_start(tmp_path):
    pid, start = cgroups.owner().split(".")

    assert cgroups.is_alive(f"{pid}.{start}")
    assert not cgroups.is_alive(f"{pid}.{int(start) + 1}")
    assert not cgroups.is_alive("999999999.1")


@pytest.mark.skipif(cgroups.found().rung == "rlimits", reason="control groups are not writable")
def test_a_real_group_is_made_and_removed():
    group = cgroups.create(f"test-{os.getpid()}-group", LIMITS)
    assert group
    assert all(path.is_dir() for path in group.folders)

    assert cgroups.clear(group)
    assert not any(path.exists() for path in group.folders)
    assert group.remove()
