"""Starting, talking to, ending and cleaning up after sandboxes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from windlass.core import cgroups, launch_plan
from windlass.core.launch import LaunchFailed, Limits, start, sweep

pytestmark = pytest.mark.anyio

SERVER = """
import http.server, sys
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'hello')
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 3000), Hello)
print('up', flush=True)
server.serve_forever()
"""


def groups(name: str) -> list[Path]:
    return [p for f in cgroups.found().folders() for p in f.glob(f"windlass.{name}*")]


def sandboxes(name: str) -> list[int]:
    """Host processes that belong to a launch."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if launch_plan.INIT_PATH.encode() in line and name.encode() in line:
                found.append(int(folder.name))
    return found


async def test_every_byte_of_output_arrives_in_order(box):
    ended = await box.run("i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done; echo e >&2")

    assert ended.output.split() == [*map(str, range(20000)), "e"]


async def test_what_a_killed_process_wrote_still_arrives(box):
    ended = await box.run("head -c 3000000 /dev/zero | tr '\\0' x; kill -9 $$")

    assert ended.exit.signal == 9
    assert ended.output.count("x") == 3_000_000


async def test_a_large_environment_and_many_arguments_arrive(box):
    env = {f"NAME_{number}": "v" * 1000 for number in range(300)} | {"UNICODE": "ä\n=ö"}

    ended = await box.run("env | grep -c '^NAME_'; echo \"$UNICODE\"", env=env)

    assert ended.output == "300\nä\n=ö\n"


async def test_what_the_command_leaves_running_ends_with_it(box):
    ended = await box.run("sleep 1000 & setsid sleep 1000 & (sleep 1000 &) ; echo done")

    assert (ended.exit.code, ended.output) == (0, "done\n")


async def test_kill_takes_the_whole_group_within_a_second(box, until):
    output: list[bytes] = []
    running = await box.start(
        "for i in 1 2 3 4 5; do (trap '' TERM INT HUP; while :; do sleep 1000; done) & done;"
        "setsid sleep 1000 & echo up; wait",
        output,
    )
    await until(lambda: output)
    name = running.launch.name
    ended = await running.kill()

    assert ended.reason == "cancelled"
    assert sandboxes(name) == []
    assert groups(name) == []
    assert not Path(f"/proc/{running.pid}").exists()


async def test_terminate_lets_the_command_finish_its_work(box, until):
    output: list[bytes] = []
    running = await box.start(
        "trap 'sleep 0.2; echo drained; exit 3' TERM; echo up; while :; do sleep 0.1; done",
        output,
    )
    await until(lambda: output)

    ended = await running.terminate(grace_seconds=60)

    assert b"drained" in b"".join(output)
    assert ended.reason is None


async def test_terminate_kills_what_does_not_listen(box, until):
    output: list[bytes] = []
    running = await box.start("trap '' TERM; echo up; while :; do sleep 0.1; done", output)
    await until(lambda: output)

    ended = await running.terminate(grace_seconds=0.3)

    assert ended.signal == 9
    assert ended.reason == "cancelled"


async def test_waiting_and_killing_twice_give_the_same_answer(box):
    output: list[bytes] = []
    running = await box.start("exit 4", output)

    first, second = await asyncio.gather(running.wait(), running.wait())

    assert first == second == await running.kill() == await running.terminate(grace_seconds=1)
    assert first.code == 4


async def test_a_port_inside_can_be_dialed_and_no_other(box, until):
    output: list[bytes] = []
    (box.work / "server.py").write_text(SERVER)
    running = await box.start("python3 /app/server.py", output)
    await until(lambda: output)
    loop = asyncio.get_running_loop()

    sock = await running.dial(3000)
    await loop.sock_sendall(sock, b"GET / HTTP/1.0\r\n\r\n")
    answer = b""
    while chunk := await loop.sock_recv(sock, 4096):
        answer += chunk
    sock.close()

    assert answer.endswith(b"hello")
    with pytest.raises(ConnectionRefusedError):
        await running.dial(3001)
    await running.kill()
    with pytest.raises(OSError, match=r"ended|closed|Bad file"):
        await running.dial(3000)


async def test_two_hundred_dials_at_once_all_connect(box, until):
    output: list[bytes] = []
    (box.work / "server.py").write_text(
        "import socket\ns = socket.create_server(('127.0.0.1', 3000), backlog=4096)\n"
        "print('up', flush=True)\nheld = []\nwhile True: held.append(s.accept()[0])"
    )
    running = await box.start("python3 /app/server.py", output)
    await until(lambda: output)

    socks = await asyncio.gather(*(running.dial(3000) for _ in range(200)))
    await running.kill()

    assert len({sock.fileno() for sock in socks}) == 200
    for sock in socks:
        sock.close()


async def test_a_program_that_takes_over_the_first_process_can_only_hurt_itself(box, until):
    """Whoever writes into pid 1's socket is not believed: no foreign descriptors, no crash."""
    program = """
import os, socket
# Pid 1's socket cannot be opened through /proc, and its memory is another process's.
for path in ('/proc/1/fd/7', '/proc/1/fd/8', '/proc/1/fd/9'):
    try:
        os.open(path, os.O_RDWR)
        print('DONE')
    except OSError:
        pass
for number in (9, 15, 2):
    try:
        os.kill(1, number)
    except OSError as error:
        print(error)
print('alive')
"""
    ended = await box.python(program)

    assert "DONE" not in ended.output
    assert ended.output.endswith("alive\n")
    assert ended.exit.code == 0


def mounts(box) -> list[str]:
    """What a sandbox of this box would leave mounted; others mount things at the same time."""
    names = (box.home.name, "newroot", "oldroot", "bwrap")
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if any(name in line for name in names)]


async def test_nothing_is_left_behind_after_many_launches(box):
    await box.run("true")
    before = (sorted(os.listdir("/proc/self/fd")), mounts(box))
    for command in ("true", "exit 3", "kill -9 $$"):
        await box.run(command)
    await box.run("sleep 100", timeout_seconds=0.1)
    with pytest.raises(LaunchFailed):
        await box.run("true", extra=(box.bind(Path("/no/such"), "/x"),))

    after = (sorted(os.listdir("/proc/self/fd")), mounts(box))
    assert after == before
    assert groups(f"test-{os.getpid()}-{id(box)}") == []
    assert sandboxes(f"test-{os.getpid()}-{id(box)}") == []


async def test_a_start_that_fails_says_why_and_leaves_nothing(box):
    with pytest.raises(LaunchFailed, match="No such file"):
        await box.run("true", extra=(box.bind(Path("/no/such"), "/x"),))
    with pytest.raises(LaunchFailed, match="safe name"):
        await box.run("true", name="../up")
    with pytest.raises(LaunchFailed, match="NUL"):
        await box.run("true", env={"A": "x\0y"})

    assert groups(f"test-{os.getpid()}-{id(box)}") == []


async def test_a_cancelled_start_leaves_nothing(box):
    name = f"test-{os.getpid()}-cancelled"
    task = asyncio.create_task(start(box.launch("sleep 100", name=name), on_output=print))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert groups(name) == []
    assert sandboxes(name) == []


SUPERVISOR = """
import asyncio, sys, msgspec
from windlass.core.launch import Launch, start
async def main():
    launch = msgspec.json.decode(sys.argv[1], type=Launch)
    running = await start(launch, on_output=lambda chunk: print(chunk.decode(), flush=True))
    print('pid', running.pid, flush=True)
    await running.wait()
asyncio.run(main())
"""


@pytest.fixture
def supervised(box):
    """Another process that supervises a launch, and the first pid inside."""
    processes = []

    def begin(name: str, command: str) -> tuple[subprocess.Popen[str], int]:
        launch = box.launch(command, name=name)
        source = str(Path(launch_plan.__file__).parents[2])
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, msgspec.json.encode(launch).decode()],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([source, *sys.path])},
        )
        processes.append(process)
        for line in process.stdout:
            if line.startswith("pid"):
                return process, int(line.split()[1])
        raise AssertionError("the supervisor ended")

    yield begin
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()
    sweep(f"test-{os.getpid()}")


async def test_everything_inside_dies_with_its_supervisor(box, supervised, until):
    name = f"test-{os.getpid()}-orphan"
    process, pid = supervised(name, "trap '' TERM HUP; setsid sleep 1000 & sleep 1000")
    assert len(sandboxes(name)) >= 1

    process.send_signal(signal.SIGKILL)
    process.wait()

    await until(lambda: not Path(f"/proc/{pid}").exists())
    await until(lambda: not sandboxes(name))
    sweep(name)


async def test_sweep_removes_what_a_dead_supervisor_left_and_nothing_else(box, supervised, until):
    prefix = f"test-{os.getpid()}-sweep"
    dead, alive = f"{prefix}-dead", f"{prefix}-alive"
    process, pid = supervised(dead, "sleep 1000")
    _, living_pid = supervised(alive, "sleep 1000")
    output: list[bytes] = []
    own = await box.start("echo up; exec tail -f /dev/null", output, name=f"{prefix}-own")
    process.send_signal(signal.SIGKILL)
    process.wait()
    await until(lambda: not Path(f"/proc/{pid}").exists())

    swept = sweep(prefix)

    assert swept == ([dead] if cgroups.found().rung != "rlimits" else [])
    assert groups(dead) == []
    assert Path(f"/proc/{living_pid}").exists()
    assert Path(f"/proc/{own.pid}").exists()
    assert sweep(prefix) == []
    assert (await own.kill()).reason == "cancelled"


def test_sweep_ends_processes_that_survived_in_a_dead_supervisors_group():
    if cgroups.found().rung == "rlimits":
        pytest.skip("without control groups, processes are found by their arguments")
    name = f"test-{os.getpid()}-left"
    group = cgroups.Group(cgroups.found(), f"windlass.{name}.999999999.1")
    group.create(Limits(memory_bytes=64 << 20))
    process = subprocess.Popen(["sleep", "1000"])
    for path in group.procs():
        Path(path).write_text(str(process.pid))

    assert sweep(name) == [name]
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert groups(name) == []


async def test_two_sandboxes_cannot_reach_each_other(box, until):
    output: list[bytes] = []
    (box.work / "server.py").write_text(SERVER)
    running = await box.start("python3 /app/server.py", output)
    await until(lambda: output)

    other = await box.python(
        "import socket\nprint(socket.socket().connect_ex(('127.0.0.1', 3000)))"
    )
    await running.kill()

    assert int(other.output) == socket.errno.ECONNREFUSED


async def test_a_failure_is_never_taken_for_a_success_when_many_children_end_at_once(box):
    """The ends of orphans must not hide how the command ended."""
    script = "for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.01 &) ; done; sleep 0.01; exit 9"
    for _ in range(12):
        ended = await box.run(script)
        assert ended.exit.code == 9
