"""A real sandbox per test: `run` runs a command in one and says how it ended."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from windlass.adapters import sandbox
from windlass.builds import uids
from windlass.core.egress import Egress
from windlass.core.launch import Bind, Exit, Launch, Limits, Running, start
from windlass.core.settings import Settings

# Said here once more: an ordinary user has only this folder of the tests.
PATIENCE_SECONDS = 120


class Ended(msgspec.Struct):
    """What a command did."""

    exit: Exit
    output: str


class Box:
    """Makes launches of one project with a work folder of its own."""

    def __init__(self, work: Path, home: Path) -> None:
        self.work = work
        self.home = home
        self.uid = uids.of_project(Settings(), 5000)
        self.count = 0

    def launch(
        self,
        command: str,
        *,
        network: bool = False,
        extra: tuple[Bind, ...] = (),
        **changes: object,
    ) -> Launch:
        """A build step that runs a shell command; `extra` is bound, `changes` are its fields."""
        self.count += 1
        script = self.home / f"step-{self.count}.sh"
        script.write_text(command)
        step = sandbox.build_step(
            name=f"test-{os.getpid()}-{id(self)}-{self.count}",
            script=script,
            work=self.work,
            uid=self.uid,
            env={},
            network=network,
            limits=Limits(),
        )
        return msgspec.structs.replace(step, binds=(*step.binds, *extra), **changes)

    async def start(
        self, command: str, output: list[bytes], *, egress: Egress | None = None, **changes: object
    ) -> Running:
        launch = self.launch(command, network=egress is not None, **changes)
        return await start(launch, on_output=output.append, egress=egress)

    async def run(
        self,
        command: str,
        *,
        timeout_seconds: float = PATIENCE_SECONDS,
        egress: Egress | None = None,
        **changes: object,
    ) -> Ended:
        output: list[bytes] = []
        running = await self.start(command, output, egress=egress, **changes)
        ended = await running.wait(timeout_seconds=timeout_seconds)
        return Ended(ended, b"".join(output).decode(errors="replace"))

    async def python(self, program: str, **options: object) -> Ended:
        """Run a Python program inside, without a shell's quoting in the way."""
        (self.work / "program.py").write_text(program)
        return await self.run("python3 -I -S /app/program.py", **options)

    def own(self, path: Path) -> Path:
        """Give a file or folder to the project's user, as a build's inputs are."""
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)
        return path

    def bind(self, path: Path, target: str, *, writable: bool = False) -> Bind:
        return Bind(str(path), target, writable)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder below a parent that only its owner may pass, as <home> is."""
    folder = Path(tempfile.mkdtemp(prefix="windlass-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def box(home: Path) -> Box:
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    work = home / "work"
    work.mkdir(mode=0o755)
    made = Box(work, home)
    made.own(work)
    return made


Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """Wait for a condition of the real world, within reason."""

    async def poll(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110 — the world sends no event
                await asyncio.sleep(0.01)

    return poll
