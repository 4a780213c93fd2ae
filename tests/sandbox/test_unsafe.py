"""Without bubblewrap: refused, or, where that is permitted, run with all but the closed view."""

import os
import shutil
import signal
import subprocess
import sys

import msgspec
import pytest

from tests.sandbox.test_lifecycle import SERVER, groups, sandboxes
from tests.sandbox.test_limits import BOMB, SMALL
from windlass.core import launch
from windlass.core.launch import LaunchFailed

pytestmark = pytest.mark.anyio


@pytest.fixture
def without(box, tmp_path, monkeypatch):
    """A machine with no bubblewrap on the way."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("bwrap") is None
    monkeypatch.setattr(launch, "_permitted", [])
    return box


@pytest.fixture
def unsafe(without):
    launch.permit_unsafe()
    return without


async def test_without_the_permission_it_is_refused_with_the_command(without):
    with pytest.raises(LaunchFailed, match="apt-get install bubblewrap"):
        await without.run("true")


async def test_where_bubblewrap_is_the_permission_changes_nothing(box, monkeypatch):
    monkeypatch.setattr(launch, "_permitted", [True])

    assert not launch.is_unsafe()
    assert (await box.run("test -e /home")).exit.code != 0


async def test_the_folders_of_the_plan_are_where_it_wants_them(unsafe):
    (unsafe.home / "kept").mkdir()
    unsafe.own(unsafe.home / "kept")
    kept = unsafe.bind(unsafe.home / "kept", "/app/kept", writable=True)
    fixed = unsafe.bind(unsafe.home / "kept", "/srv/x/fixed")

    ended = await unsafe.run(
        "pwd; id -un; echo $HOME; node --version >/dev/null; uv --version >/dev/null;"
        "echo one > /app/made; echo two > /app/kept/made; cat /srv/x/fixed/made;"
        "echo three > /srv/x/fixed/made || echo refused; touch /tmp/x",
        extra=(kept, fixed),
    )

    assert ended.output.split()[:4] == ["/app", "app", "/tmp/home", "two"]
    assert ended.output.split()[-1] == "refused"
    assert (unsafe.work / "made").read_text() == "one\n"


async def test_the_command_has_no_rights_and_no_network_of_the_host(unsafe):
    ended = await unsafe.python(
        "import os, socket\n"
        "print([line for line in open('/proc/self/status') if line.startswith('CapEff')])\n"
        "print(os.getuid(), len(os.listdir('/sys/class/net')))\n"
        "socket.create_connection(('192.0.2.1', 80), timeout=5)"
    )

    assert "CapEff:\\t0000000000000000" in ended.output
    assert "Network is unreachable" in ended.output


async def test_what_the_command_leaves_running_ends_with_it(unsafe):
    ended = await unsafe.run("sleep 1000 & setsid sleep 1000 & echo done; exit 3")

    assert (ended.exit.code, ended.output) == (3, "done\n")


async def test_kill_takes_everything(unsafe, until):
    output: list[bytes] = []
    running = await unsafe.start("trap '' TERM; setsid sleep 1000 & echo up; sleep 1000", output)
    await until(lambda: output)

    ended = await running.kill()

    assert ended.reason == "cancelled"
    assert sandboxes(running.launch.name) == []
    assert groups(running.launch.name) == []


async def test_the_limits_hold(unsafe):
    hog = await unsafe.python("x = []\nwhile True: x.append(bytearray(1 << 20))", limits=SMALL)
    bomb = await unsafe.python(BOMB, limits=SMALL)
    full = await unsafe.run("head -c 100000000 /dev/zero > /tmp/fill", limits=SMALL)
    long = await unsafe.run("while :; do :; done", timeout_seconds=0.3)

    reasons = [ended.exit.reason for ended in (hog, bomb, full, long)]
    assert reasons == ["out-of-memory", "process-limit", "disk-full", "timeout"]


async def test_a_server_inside_is_reached(unsafe, until):
    output: list[bytes] = []
    (unsafe.work / "server.py").write_text(SERVER)
    running = await unsafe.start("exec python3 /app/server.py", output)
    await until(lambda: output)

    with await running.dial(3000) as sock:
        sock.setblocking(True)
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: sock.recv(65536), b""))

    assert answer.endswith(b"hello")
    assert (await running.terminate(grace_seconds=10)).signal == signal.SIGTERM


async def test_nothing_outlives_a_supervisor_that_is_killed(unsafe, until):
    """The first process inside ends with the socket, and takes the rest along."""
    step = unsafe.home / "supervisor.py"
    step.write_text(
        "import asyncio, msgspec, sys\n"
        "from windlass.core import launch\n"
        "async def main():\n"
        "    launch.permit_unsafe()\n"
        "    spec = msgspec.json.decode(sys.stdin.buffer.read(), type=launch.Launch)\n"
        "    await launch.start(spec, on_output=lambda _: print('up', flush=True))\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    spec = unsafe.launch("echo up; setsid sleep 1000 & sleep 1000")
    supervisor = subprocess.Popen(  # noqa: ASYNC220 — to be killed, not awaited
        [sys.executable, step],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert supervisor.stdin is not None
    assert supervisor.stdout is not None
    supervisor.stdin.write(msgspec.json.encode(spec))
    supervisor.stdin.close()
    assert supervisor.stdout.readline() == b"up\n"
    assert sandboxes(spec.name)

    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()

    await until(lambda: not sandboxes(spec.name))
    launch.sweep(spec.name)
    assert groups(spec.name) == []
