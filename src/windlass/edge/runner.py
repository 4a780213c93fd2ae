"""What the supervisor needs of a process, and what provides it: a sandbox, or a container engine.

`Start` and `Running` are all that the edge knows of a process: whoever runs apps in another way
gives it another `Start`, for the same `Process`.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from windlass.core import launch, runtime_log
from windlass.core.container import instance_id
from windlass.core.crypto import SealBroken
from windlass.core.egress import Egress
from windlass.core.errors import AppError
from windlass.core.launch import Exit
from windlass.core.process import Process
from windlass.edge import log

if TYPE_CHECKING:
    from windlass.core import containers
    from windlass.core.engine import Engine


class Running(Protocol):
    """A started process. `pid` is for people: the host's number of its first process."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> Exit:
        """How it ended, once everything that it started is gone, too."""
        ...

    async def terminate(self, *, grace_seconds: float) -> Exit:
        """Ask it to end, with all it started; what is left after the grace is killed."""
        ...

    async def dial(self, port: int) -> socket.socket:
        """A connected, non-blocking socket to this port of it. Raises OSError."""
        ...

    def memory_bytes(self) -> int:
        """What it and everything that it started have in memory now."""
        ...


Start = Callable[[Process, Callable[[bytes], None]], Awaitable[Running]]


class Sandboxed:
    """A process in a sandbox of its own."""

    def __init__(self, running: launch.Running) -> None:
        self.pid = running.pid
        self.wait = running.wait
        self.terminate = running.terminate
        self.dial = running.dial

    def memory_bytes(self) -> int:
        """Resident memory of everything inside."""
        return memory_bytes(self.pid)


class Contained:
    """A process in a container; its number changes when it had to be started anew."""

    def __init__(self, running: "containers.Running") -> None:
        self._running = running
        self.wait = running.wait
        self.terminate = running.terminate
        self.dial = running.dial

    @property
    def pid(self) -> int:
        return self._running.pid

    def memory_bytes(self) -> int:
        """Resident memory of everything inside; nothing where it is another machine's."""
        return memory_bytes(self.pid) if self.pid else 0


class Starter:
    """Starts each process where it belongs. The engine is talked to with the first container."""

    def __init__(self, home: Path, engine_address: str) -> None:
        self._home = home
        self._address = engine_address
        self._engine: Engine | None = None

    async def __call__(self, process: Process, on_output: Callable[[bytes], None]) -> Running:
        """Start it. Raises LaunchFailed, EngineAway or EngineRefused."""
        if process.container is None:
            return await start_sandboxed(process, on_output)
        # Imported late, here and below: most instances have no container.
        from windlass.core import containers

        where = runtime_log.folder(self._home, process.container.release)
        log = runtime_log.segments(where).get(process.name, [])
        running = await containers.start(
            self._known(),
            instance_id(self._home),
            process.container,
            process.launch,
            on_output=on_output,
            egress=Egress(process.egress),
            # One that is found running has said what is in its log already.
            since=log[-1].path.stat().st_mtime if log else 0.0,
        )
        return Contained(running)

    async def sweep(self, keep: frozenset[str]) -> list[str]:
        """End containers that an edge left when it was killed, but those of `keep`."""
        if not (self._home / "keys" / "instance").exists():
            # There never was one.
            return []
        from windlass.core import container_calls
        from windlass.core.engine import EngineAway, EngineRefused

        with suppress(EngineAway, EngineRefused):
            return await container_calls.sweep(self._known(), instance_id(self._home), keep=keep)
        return []

    async def close(self) -> None:
        """Close the connections to the engine."""
        if self._engine is not None:
            await self._engine.close()

    def _known(self) -> "Engine":
        from windlass.core import engine

        if "typing_extensions" in sys.modules and not sys.modules["typing_extensions"]:
            # Left out for its memory at the start of the edge; the client of engines needs it.
            del sys.modules["typing_extensions"]
        if self._engine is None or self._engine.address is None:
            self._engine = engine.Engine(engine.find(self._address))
        return self._engine


async def start_sandboxed(process: Process, on_output: Callable[[bytes], None]) -> Running:
    """Start an app in its sandbox. Raises LaunchFailed."""
    guarded = process.launch.network == "egress"
    egress = Egress(process.egress) if guarded else None
    return Sandboxed(await launch.start(process.launch, on_output=on_output, egress=egress))


def memory_bytes(pid: int) -> int:
    """Resident memory of a process and everything below it; shared pages count once each."""
    total, waiting = 0, [pid]
    page = os.sysconf("SC_PAGE_SIZE")
    while waiting:
        folder = Path("/proc", str(waiting.pop()))
        try:
            total += int((folder / "statm").read_text().split()[1]) * page
            for children in folder.glob("task/*/children"):
                waiting += [int(child) for child in children.read_text().split()]
        except (OSError, ValueError, IndexError):
            continue
    return total


def not_started(error: Exception, deployment: str) -> str:
    """Why a process could not be started, for those who wait for it."""
    if isinstance(error, (OSError, AppError, SealBroken, msgspec.MsgspecError)):
        return f"It could not be started. {error}"
    log.fault("edge.start_failed", error, deployment=deployment)
    return f"It could not be started, which is a fault of Windlass: {error!r}."


class Slots:
    """How many apps may be starting at once; a slow one does not keep the others waiting."""

    def __init__(self, count: int, *, longest_seconds: float = 10.0) -> None:
        self._free = asyncio.Semaphore(count)
        self._longest_seconds = longest_seconds

    async def take(self) -> Callable[[], None]:
        """Wait for a place; the result gives it back, and so does the time."""
        await self._free.acquire()
        given_back = False

        def give_back() -> None:
            nonlocal given_back
            if not given_back:
                given_back = True
                timer.cancel()
                self._free.release()

        timer = asyncio.get_running_loop().call_later(self._longest_seconds, give_back)
        return give_back
