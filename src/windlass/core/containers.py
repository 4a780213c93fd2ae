"""Containers that run: started or found again, followed, asked, ended.

A container outlives whoever started it: a new edge finds the one of a release by its labels and
goes on with it. In a guarded one the way out is the same proxy as in a sandbox, on a listener that
is made inside its network from here.
"""

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import Callable
from typing import Any

from windlass.core import container as containers
from windlass.core import container_calls as calls
from windlass.core import launch_plan, netns
from windlass.core.container import Container
from windlass.core.container_calls import Wanted
from windlass.core.egress import Attachment, Egress
from windlass.core.engine import Engine, EngineAway, EngineRefused
from windlass.core.launch_spec import Exit, Launch, LaunchFailed, NotYet

OnOutput = Callable[[bytes], None]
_READ_ONLY = re.compile(rb"[Rr]ead-only file ?system|EROFS|OSError: \[Errno 30\]")
_HEALTH_SECONDS = 1.0
_ENTER_SECONDS = 5.0
_LATE_LOOKS = 20
_AWAY_SECONDS = 1.0
_TAIL_BYTES = 32 << 10


class Running:
    """One container, from its start until it is gone. Made by `start`."""

    def __init__(self, wanted: Wanted, on_output: OnOutput, egress: Egress | None) -> None:
        self.pid = 0
        self.id = ""
        self.container = wanted.container
        self.launch = wanted.launch
        self._wanted = wanted
        self._engine = wanted.engine
        self._on_output = on_output
        self._egress = egress
        self._network: netns.Network | None = None
        self._published = 0
        self._is_writable = False
        self._is_ending = False
        self._attached: list[Attachment] = []
        self._tail = b""
        self._is_healthy = containers.health_command(wanted.container.health) is None
        self._tasks: list[asyncio.Task[None]] = []
        self._end: asyncio.Task[Exit] | None = None
        self._began = time.monotonic()

    async def wait(self) -> Exit:
        """How it ended, once it has and its output was handed on."""
        if self._end is None:
            return await self._ended()
        return await asyncio.shield(self._end)

    async def terminate(self, *, grace_seconds: float) -> Exit:
        """The image's stop signal, then the end, then no container any more."""
        self._is_ending = True
        if self._end is not None and not self._end.done():
            with contextlib.suppress(EngineAway, EngineRefused):
                await self._engine.call(
                    "POST", f"/containers/{self.id}/stop", {"t": max(1, round(grace_seconds))},
                    seconds=grace_seconds + 30,
                )  # fmt: skip
        ended = await self._ended()
        await self._let_go()
        await calls.remove(self._engine, self.id)
        return ended

    async def dial(self, port: int) -> socket.socket:
        """A connected non-blocking socket to its port; OSError when refused."""
        if not self._is_healthy:
            raise NotYet("its HEALTHCHECK did not pass")
        if self._network is not None:
            return await self._network.dial(port)
        if not self._published:
            raise ConnectionRefusedError("its port is not published")
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._published))
        except BaseException:
            sock.close()
            raise
        return sock

    async def open(self, *, since: float) -> None:
        """Begin, or go on with the one that runs. For `start` alone."""
        state = await calls.find(self._wanted)
        if state is not None:
            # It was ready once, or its edge would have ended it.
            self._is_healthy = True
        else:
            is_tried = self.container.read_only is None
            read_only = is_tried or bool(self.container.read_only)
            state, since = await calls.create(self._wanted, read_only=read_only), 0.0
        await self._enter(state)
        self._end = asyncio.create_task(self._follow(since))

    async def _enter(self, state: dict[str, Any]) -> None:
        """The way to its port, and its way out."""
        self.id = state["Id"]
        self.pid = int(state["State"].get("Pid") or 0)
        if self.container.network == "open":
            ports = (state.get("NetworkSettings") or {}).get("Ports") or {}
            found = ports.get(f"{self.container.port}/tcp") or [{}]
            self._published = int(found[0].get("HostPort") or 0)
            return
        try:
            self._network = await self._entered()
            if self._network is not None:
                await self._lead_out(self._network)
        except OSError as error:
            await self._let_go()
            await calls.remove(self._engine, self.id)
            raise LaunchFailed(detail=f"its network cannot be entered: {error}. {GUARD}") from None

    async def _entered(self) -> netns.Network | None:
        """Its network; None when it has ended already: its output says why. Raises OSError."""
        end = time.monotonic() + _ENTER_SECONDS
        while True:
            try:
                return netns.Network(self.pid, container=self.id)
            except netns.CannotEnter:
                # The engine may hear of an end a moment later than we do.
                if not (await calls.inspect(self._engine, self.id))["State"].get("Running"):
                    return None
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.05)

    async def _lead_out(self, network: netns.Network) -> None:
        if self._egress is None:
            return
        targets = (None, *self.launch.connect)
        for address, target in zip(launch_plan.listeners(self.launch), targets, strict=False):
            host, _, port = address.rpartition(":")
            listener = network.listen(host, int(port))
            if target is None:
                extra = self.launch.connect
                made = await self._egress.attach(listener, extra=extra, on_refusal=self._refused)
            else:
                made = await self._egress.tunnel(listener, target, on_refusal=self._refused)
            self._attached.append(made)

    async def _follow(self, since: float) -> Exit:
        """Until it has ended, once more with a writable root if that was all it lacked."""
        while True:
            output = asyncio.create_task(self._copy_output(since))
            health = asyncio.create_task(self._ask_health())
            self._tasks = [output, health]
            try:
                ended = await self._until_end()
                await asyncio.wait({output}, timeout=5)
            finally:
                output.cancel()
                health.cancel()
            if not await self._wants_to_write(ended):
                return ended
            since = 0.0

    async def _wants_to_write(self, ended: Exit) -> bool:
        """Whether it was started again because it cannot live with a read-only root."""
        is_tried = self.container.read_only is None and not self._is_writable
        if ended.code == 0 or not is_tried or not _READ_ONLY.search(self._tail):
            return False
        self._on_output(
            b"[windlass] It wants to write into its image: started again with a root that is"
            b" writable. `read_only = false` in [container] of windlass.toml says so beforehand.\n"
        )
        await self._let_go()
        await calls.remove(self._engine, self.id)
        self._is_writable = True
        try:
            await self._enter(await calls.create(self._wanted, read_only=False))
        except (LaunchFailed, EngineAway, EngineRefused) as error:
            self._on_output(f"[windlass] {error}\n".encode())
            return False
        return True

    async def _until_end(self) -> Exit:
        while True:
            try:
                await self._engine.call("POST", f"/containers/{self.id}/wait", seconds=None)
                state = await self._last_state()
                seconds = round(time.monotonic() - self._began, 3)
                return containers.exit_of(state["State"], seconds=seconds)
            except EngineRefused as error:
                if error.answered == 404:
                    # Somebody removed it.
                    return Exit(code=None, signal=9, seconds=time.monotonic() - self._began)
                await asyncio.sleep(_AWAY_SECONDS)
            except EngineAway:
                # With `live-restore` it goes on without its engine; otherwise it is gone with it.
                if not _lives(self.pid, self.id):
                    return Exit(code=None, signal=9, seconds=time.monotonic() - self._began)
                await asyncio.sleep(_AWAY_SECONDS)

    async def _last_state(self) -> dict[str, Any]:
        """That a limit of memory was hit is heard of a moment after the end."""
        state = await calls.inspect(self._engine, self.id)
        for _ in range(_LATE_LOOKS):
            ended = state["State"]
            if ended.get("OOMKilled") or ended.get("ExitCode") != 137 or self._is_ending:
                break
            await asyncio.sleep(0.1)
            state = await calls.inspect(self._engine, self.id)
        return state

    async def _copy_output(self, since: float) -> None:
        query = {"follow": 1, "stdout": 1, "stderr": 1, "since": f"{since:.9f}" if since else 0}
        with contextlib.suppress(EngineAway, EngineRefused):
            async with self._engine.stream("GET", f"/containers/{self.id}/logs", query) as response:
                frames = calls.Frames()
                async for chunk in response.aiter_bytes():
                    for text in frames.feed(chunk):
                        self._tail = (self._tail + text)[-_TAIL_BYTES:]
                        self._on_output(text)

    async def _ask_health(self) -> None:
        """Run the image's HEALTHCHECK until it passes once."""
        argv = containers.health_command(self.container.health)
        while argv and not self._is_healthy:
            with contextlib.suppress(EngineAway, EngineRefused):
                self._is_healthy = await calls.run_inside(self._engine, self.id, argv) == 0
            if not self._is_healthy:
                await asyncio.sleep(_HEALTH_SECONDS)

    async def _ended(self) -> Exit:
        if self._end is None:
            return Exit(code=None, signal=9)
        done, _ = await asyncio.wait({self._end}, timeout=30)
        if not done:
            self._end.cancel()
            return Exit(code=None, signal=9)
        return self._end.result()

    async def _let_go(self) -> None:
        attached, self._attached = self._attached, []
        for attachment in attached:
            await attachment.close()
        if self._network is not None:
            self._network.close()
            self._network = None

    def _refused(self, line: str) -> None:
        self._on_output(f"windlass: {line}\n".encode())


GUARD = (
    "The network of containers is guarded from outside of them, which takes root and an engine on"
    " this machine; WINDLASS_CONTAINERS__OPEN_NETWORK=true gives up the guard."
)


async def start(
    engine: Engine,
    instance: str,
    container: Container,
    launch: Launch,
    *,
    on_output: OnOutput,
    egress: Egress | None,
    since: float = 0.0,
) -> Running:
    """Start it, or go on with the one of this release that runs: its output from `since` on (Unix
    time) is new. Raises LaunchFailed, EngineAway or EngineRefused."""
    if container.network == "guarded" and not (engine.is_local and netns.can_enter()):
        raise LaunchFailed(detail=GUARD)
    guard = egress if container.network == "guarded" else None
    running = Running(Wanted(engine, instance, container, launch), on_output, guard)
    await running.open(since=since)
    return running


def _lives(pid: int, container: str) -> bool:
    try:
        netns.Network(pid, container=container).close()
    except OSError:
        return False
    return True
