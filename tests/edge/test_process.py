"""The edge as a process of its own, with apps in real sandboxes."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.edge.client import Client, fetch, head
from tests.edge.running import ECHO_APP, eventually, put_release
from tests.running import PATIENCE_SECONDS

from windlass.adapters import sandbox
from windlass.builds import uids
from windlass.core import launch, links, process
from windlass.core import site as sites
from windlass.core.launch import Limits
from windlass.core.process import Process
from windlass.core.settings import Settings
from windlass.core.site import Site

pytestmark = pytest.mark.anyio
# Another worker runs tests of this file at the same time.
OURS = f"depl-t{os.getpid()}"
FIRST, SECOND, THIRD = (f"{OURS}-{number}" for number in (1, 2, 3))
needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed")


class EdgeProcess:
    """`python -m windlass.edge` and what it said."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self.log = home / "edge.log"
        argv = [sys.executable, "-m", "windlass.edge", "--home", str(home), "--port", "0"]
        with open(self.log, "ab") as output:
            self.child = subprocess.Popen([*argv, *options], stdout=output, stderr=output)
        self.port = 0

    async def is_up(self) -> "EdgeProcess":
        await eventually(lambda: self.child.poll() is not None or self._reads_port())
        assert self.child.poll() is None, self.log.read_text()
        return self

    def _reads_port(self) -> bool:
        run = self.home / "run"
        if not (run / "edge.pid").exists() or (run / "edge.pid").read_text() != str(self.child.pid):
            return False
        self.port = int((run / "edge.port").read_text())
        return True

    async def ended(self) -> int:
        return await asyncio.to_thread(self.child.wait, PATIENCE_SECONDS)

    async def control(self, method: str, path: str, **fields: object) -> tuple[int, dict]:
        socket = str(self.home / "run" / "edge.sock")
        client = Client(*await asyncio.open_unix_connection(socket))
        body = json.dumps(fields).encode() if fields else None
        answer = await client.ask(path, method=method, body=body)
        await client.close()
        return answer.status, json.loads(answer.body)


@pytest.fixture
async def home() -> AsyncIterator[Path]:
    # Short, because the path of a Unix socket may have 107 bytes, and 0700 as an instance has it.
    with tempfile.TemporaryDirectory(prefix="wl-") as folder:
        yield Path(folder)


@pytest.fixture
async def edges(home: Path) -> AsyncIterator[list[EdgeProcess]]:
    started: list[EdgeProcess] = []
    yield started
    for edge in started:
        if edge.child.poll() is None:
            edge.child.terminate()
            assert await edge.ended() == 0, edge.log.read_text()
    await asyncio.to_thread(launch.sweep, f"app-{OURS}-")


def put_sandboxed_app(home: Path, deployment: str, **options: object) -> None:
    release = sites.folder(home, deployment)
    (release / "files").mkdir(parents=True)
    shutil.copy(ECHO_APP, release / "files" / "app.py")
    (release / "start.sh").write_text("exec python3 app.py\n")
    made = sandbox.app(
        name=f"app-{deployment}",
        release=release / "files",
        script=release / "start.sh",
        port=3000,
        uid=uids.of_project(Settings(), 5001),
        env={"NAME": deployment},
        limits=Limits(memory_bytes=256 << 20),
    )
    process.write(home, deployment, Process(launch=made))
    site = Site(deployment=deployment, kind="server", **options)  # pyright: ignore
    sites.write(release, site)


def alive(deployment: str) -> list[int]:
    """The processes of a launch, found by its name in their arguments."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                argv = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if f"app-{deployment}".encode() in argv:
                found.append(int(folder.name))
    return found


async def test_it_serves_until_it_is_told_to_stop(home: Path, edges: list[EdgeProcess]):
    put_release(home, FIRST, {"index.html": b"home"})
    links.switch(home, "a.localhost", FIRST, 1)
    edge = await EdgeProcess(home).is_up()
    edges.append(edge)

    assert (await fetch(edge.port, "/")).body == b"home"
    assert oct((home / "run/edge.sock").stat().st_mode)[-3:] == "600"
    edge.child.terminate()
    assert await edge.ended() == 0
    assert not (home / "run/edge.pid").exists()
    assert not (home / "run/edge.sock").exists()


async def test_a_running_download_is_finished_before_the_end(home: Path, edges: list[EdgeProcess]):
    large = os.urandom(20_000_000)
    put_release(home, FIRST, {"large.bin": large})
    links.switch(home, "a.localhost", FIRST, 1)
    edge = await EdgeProcess(home).is_up()
    edges.append(edge)
    async with await Client.connect(edge.port) as client:
        await client.send(head("/large.bin"))
        answer = await client.answer_head()
        edge.child.terminate()
        body = await client.reader.readexactly(int(answer.headers["content-length"]))

    assert body == large
    assert await edge.ended() == 0


async def test_there_is_one_edge_for_a_home(home: Path, edges: list[EdgeProcess]):
    edges.append(await EdgeProcess(home).is_up())
    second = EdgeProcess(home)

    assert await second.ended() == 1
    assert "Another edge serves" in second.log.read_text()


async def test_a_taken_port_is_a_clear_error(home: Path, edges: list[EdgeProcess]):
    edge = await EdgeProcess(home).is_up()
    edges.append(edge)
    other = home / "other"
    other.mkdir()
    second = EdgeProcess(other, "--port", str(edge.port))

    assert await second.ended() == 1
    assert f"Port {edge.port} is taken" in second.log.read_text()


@needs_bwrap
async def test_an_app_in_its_sandbox_is_warmed_switched_to_and_ended(
    home: Path, edges: list[EdgeProcess]
):
    put_sandboxed_app(home, FIRST)
    edge = await EdgeProcess(home).is_up()
    edges.append(edge)

    status, answer = await edge.control("POST", "/warm", deployment=FIRST)
    assert (status, answer["ok"]) == (200, True), (answer, edge.log.read_text())
    links.switch(home, "a.localhost", FIRST, 1)
    assert json.loads((await fetch(edge.port, "/")).body)["name"] == FIRST
    body = os.urandom(1_000_000)
    async with await Client.connect(edge.port) as client:
        assert json.loads((await client.ask("/", method="POST", body=body)).body)["size"] == len(
            body
        )
    assert (await edge.control("POST", "/stop", deployment=FIRST))[0] == 200
    assert alive(FIRST) == []
    assert "told to stop" in (home / f"logs/apps/{FIRST}/web.000001.log").read_text()


@needs_bwrap
async def test_an_app_that_goes_into_the_background_is_ended_with_what_it_left(
    home: Path, edges: list[EdgeProcess]
):
    put_sandboxed_app(home, "depl-t4")
    start = sites.folder(home, "depl-t4") / "start.sh"
    start.write_text("setsid python3 app.py &\nexit 0\n")
    edge = await EdgeProcess(home).is_up()
    edges.append(edge)

    status, answer = await edge.control("POST", "/warm", deployment="depl-t4")

    assert status == 422
    assert "exit code 0" in answer["reason"]
    assert "foreground" in answer["reason"]
    assert alive("depl-t4") == []


@needs_bwrap
async def test_killed_without_warning_it_leaves_nothing_and_the_next_one_resumes(
    home: Path, edges: list[EdgeProcess]
):
    put_sandboxed_app(home, SECOND)
    links.switch(home, "a.localhost", SECOND, 1)
    first = await EdgeProcess(home).is_up()
    edges.append(first)
    assert (await fetch(first.port, "/")).status == 200
    before = set(alive(SECOND))

    first.child.send_signal(signal.SIGKILL)
    await first.ended()
    second = await EdgeProcess(home).is_up()
    edges.append(second)

    assert (await fetch(second.port, "/")).status == 200
    await eventually(lambda: not before & set(alive(SECOND)))


@needs_bwrap
async def test_stopping_the_edge_stops_its_apps(home: Path, edges: list[EdgeProcess]):
    put_sandboxed_app(home, THIRD)
    links.switch(home, "a.localhost", THIRD, 1)
    edge = await EdgeProcess(home).is_up()
    edges.append(edge)
    assert (await fetch(edge.port, "/")).status == 200

    edge.child.terminate()

    assert await edge.ended() == 0
    assert alive(THIRD) == []
