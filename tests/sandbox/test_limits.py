"""Every limit ends a launch with the reason that says exactly which one it was (C-125, C-126)."""

import os
import subprocess

import pytest

from windlass.core import cgroups
from windlass.core.launch import Limits, sentence

pytestmark = pytest.mark.anyio

CGROUPS = cgroups.found().rung != "rlimits"
# One of a shell ends by itself when it is refused a process, at times before anybody looked.
BOMB = """
import os, time
while True:
    try: os.fork()
    except OSError: time.sleep(0.01)
"""
SMALL = Limits(memory_bytes=96 << 20, processes=40, tmp_bytes=16 << 20, cpus=0.5)


async def test_a_memory_hog_is_killed_as_out_of_memory(box):
    ended = await box.python("x = []\nwhile True: x.append(bytearray(1 << 20))", limits=SMALL)

    assert ended.exit.reason == "out-of-memory"
    assert ended.exit.peak_memory_bytes > 64 << 20
    assert "96 MiB" in sentence(ended.exit, SMALL)


async def test_out_of_memory_is_told_even_when_the_command_goes_on(box):
    (box.work / "hog.py").write_text("x = []\nwhile True: x.append(bytearray(1 << 20))")

    ended = await box.run("python3 /app/hog.py || true; exec tail -f /dev/null", limits=SMALL)

    assert ended.exit.reason == "out-of-memory"


async def test_files_in_tmp_count_as_memory(box):
    limits = Limits(memory_bytes=64 << 20, tmp_bytes=512 << 20)

    ended = await box.run("cat /dev/zero > /tmp/fill", limits=limits)

    assert ended.exit.reason == "out-of-memory"


async def test_a_full_tmp_is_told_as_a_full_disk(box):
    ended = await box.run("head -c 100000000 /dev/zero > /tmp/fill", limits=SMALL)

    assert ended.exit.reason == "disk-full"
    assert "No space left" in ended.output


async def test_a_full_shm_is_told_as_a_full_disk(box):
    ended = await box.run("head -c 100000000 /dev/zero > /dev/shm/fill", limits=SMALL)

    assert ended.exit.reason == "disk-full"


async def test_a_fork_bomb_ends_as_process_limit(box):
    ended = await box.python(BOMB, limits=SMALL)

    assert ended.exit.reason == "process-limit"


async def test_a_command_that_fails_for_want_of_processes_says_so(box):
    program = (
        "import os\nfor _ in range(100):\n    if os.fork() == 0: os.execlp('sleep', 'sleep', '60')"
    )

    ended = await box.python(program, limits=SMALL)

    assert ended.exit.code == 1
    assert ended.exit.reason == "process-limit" or not CGROUPS


async def test_an_endless_loop_ends_as_timeout_and_the_whole_group_is_gone(box):
    ended = await box.run("(while :; do :; done) & while :; do :; done", timeout_seconds=0.7)

    assert ended.exit.reason == "timeout"


@pytest.mark.skipif(not CGROUPS, reason="without control groups there is no share of a processor")
async def test_processor_time_is_limited(box):
    program = """
import os, time
if os.fork(): pass
end = time.monotonic() + 1
while time.monotonic() < end: pass
times = os.times()
print(times.user + times.system)
"""
    ended = await box.python(program, limits=SMALL)

    used = sum(map(float, ended.output.split()))
    assert used < 0.9


@pytest.fixture
def small_disk(box, home):
    """A real disk of 48 MB as the work folder; only root can mount one."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    image = home / "disk.img"
    with image.open("wb") as file:
        file.truncate(48 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True, capture_output=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, box.work], capture_output=True)
    if mounted.returncode != 0:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", box.work], check=True)
    box.own(box.work)
    yield box.work
    subprocess.run(["umount", "-l", box.work], check=True)


async def test_a_full_work_disk_is_told_as_a_full_disk(box, small_disk):
    ended = await box.run("cat /dev/zero > /app/fill")

    assert ended.exit.reason == "disk-full"
    assert "space" in sentence(ended.exit, Limits())


async def test_a_disk_that_fills_up_is_told_before_the_last_byte(box, small_disk):
    program = """
import os, time
for number in range(1000):
    with open(f'/app/{number}', 'wb') as file: file.write(bytes(1 << 20)); os.fsync(file.fileno())
    time.sleep(0.02)
"""
    ended = await box.python(program, limits=Limits(reserve_bytes=8 << 20), watch_seconds=0.01)

    assert ended.exit.reason == "disk-full"


async def test_a_single_file_cannot_grow_without_end(box):
    ended = await box.run(
        "head -c 5000000 /dev/zero > /app/x || echo refused", limits=Limits(file_bytes=1 << 20)
    )

    assert "refused" in ended.output
    assert (box.work / "x").stat().st_size == 1 << 20


async def test_too_many_open_files_fail_inside(box):
    program = "x = []\nwhile True: x.append(open('/dev/null'))"

    ended = await box.python(program, limits=Limits(open_files=64))

    assert "Too many open files" in ended.output


async def test_an_ordinary_failure_has_no_reason(box):
    assert (await box.run("exit 7")).exit.reason is None
    ended = await box.run("kill -SEGV $$")

    assert (ended.exit.code, ended.exit.signal, ended.exit.reason) == (None, 11, None)


async def test_a_command_that_is_not_there_says_so(box):
    ended = await box.run("", argv=("no-such-command",))

    assert ended.exit.code == 127
    assert "command not found" in ended.output
