"""The web process of one server release: started, watched, restarted, drained, ended.

One task (`_live`) exists as long as the process is wanted; everybody else changes what is wanted
and waits for the state to change. So there is never more than one web process for a release. Its
workers (`crew`) come and go with the links that make it live.
"""

import asyncio
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Literal

from windlass.core.launch import Exit, sentence
from windlass.core.process import Process
from windlass.core.site import Site
from windlass.edge import log
from windlass.edge.applog import AppLog
from windlass.edge.backoff import FIRST_RETRY_SECONDS, Backoff
from windlass.edge.crew import Crew
from windlass.edge.health import Probe
from windlass.edge.runner import Running, Slots, Start, not_started
from windlass.edge.tunnel import Ending
from windlass.edge.upstream import Pool

State = Literal["stopped", "starting", "running", "waiting", "draining", "stopping", "asleep"]
# A visitor would rather wait this long for a restart than see an error.
PATIENCE_SECONDS = 2.0


class Down(Exception):
    """The app cannot answer now; the text says why."""

    def __init__(self, reason: str, *, since: float, retry_seconds: float) -> None:
        super().__init__(reason)
        self.since = since
        self.retry_seconds = retry_seconds


class App:
    """One release's process and who uses it. `since` is when `state` was entered (Unix time)."""

    def __init__(
        self,
        site: Site,
        *,
        read: Callable[[], Process],
        start: Start,
        output: AppLog,
        slots: Slots,
        crew: Crew,
        first_retry_seconds: float = FIRST_RETRY_SECONDS,
    ) -> None:
        self.site = site
        self.crew = crew
        self.ending = Ending()
        """Of the process that runs now."""
        self.is_live = False
        """A host points at it."""
        self.output = output
        self.state: State = "stopped"
        self.since = time.time()
        self.down_since = self.since
        self.restarts = 0
        self.failures = 0
        self.in_flight = 0
        self.reason = "It has not been started yet."
        self.warm_until = 0.0
        self.is_parked = False
        self.used_at = time.monotonic()
        self.host = "localhost"
        self.running: Running | None = None
        self._read = read
        self._start = start
        self._slots = slots
        self._backoff = Backoff(first_retry_seconds)
        self._retry_at = 0.0
        self._grace_seconds = 0.0
        self._pool: Pool | None = None
        self._probe: Probe | None = None
        self._task: asyncio.Task[None] | None = None
        self._drain_task: asyncio.Task[None] | None = None
        self._unwanted = asyncio.Event()
        self._hurry = asyncio.Event()
        self._change: asyncio.Future[None] | None = None

    # What others ask for

    def want(self) -> None:
        """It is to run: start it when it does not, and stop draining it."""
        self.is_parked = False
        if self.is_live:
            self.crew.want()
        self._unwanted.clear()
        if self.has_no_web:
            self._enter("running" if self.is_live else "stopped")
            return
        if self._drain_task is not None:
            self._drain_task.cancel()
            self._drain_task = None
            if self.state == "draining":
                self._enter("running")
        if self._task is None:
            self._task = asyncio.create_task(self._live())

    def set_live(self, is_live: bool) -> None:
        """Whether a host points at it. Workers end with the last one; they start with `want`."""
        self.is_live = is_live
        if not is_live:
            self._let_crew_go()

    def let_go(self) -> None:
        """It is no longer wanted: workers end now, `web` with its last request."""
        self.set_live(False)
        if self._task is None or self._drain_task is not None or self._unwanted.is_set():
            return
        self._drain_task = asyncio.create_task(self._drain())

    def is_idle(self, now: float) -> bool:
        """Whether nobody asked for it for as long as it may run for nobody."""
        seconds = self.site.idle_seconds
        is_free = self.state == "running" and not self.in_flight and not self.warm_until
        return is_free and 0 < seconds <= now - self.used_at

    def sleep(self) -> None:
        """End it until somebody asks for it. At once: who comes from now on waits for the next
        process, and nobody is sent to the one that ends."""
        self.is_parked = True
        self._let_crew_go()
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        self._unwanted.set()

    async def stop(self) -> None:
        """End it now, until somebody wants it; returns when its processes are gone."""
        self.is_parked = True
        self._let_crew_go()
        self._unwanted.set()
        if self._drain_task is not None:
            self._drain_task.cancel()
            self._drain_task = None
        # A visitor may want it again meanwhile; then the old process is gone all the same.
        while self._task is not None and self._unwanted.is_set():
            await self.changed()
        if self._unwanted.is_set():
            await self.crew.stop()

    @property
    def has_no_web(self) -> bool:
        """It is workers alone: nobody is answered, and its state is theirs."""
        return self.site.kind == "worker"

    @property
    def is_gone(self) -> bool:
        """Nothing of it runs, and nobody waits for it."""
        return self.state == "stopped" and self._task is None and self.crew.is_gone

    @contextmanager
    def visit(self) -> Generator[None]:
        """Count a request for as long as it lasts, so that nothing ends under it."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            if self.in_flight == 0:
                self.used_at = time.monotonic()
                self._notify()

    async def pool(self) -> Pool:
        """Connections to the running process, waiting for a start. Raises Down."""
        self.want()
        loop = asyncio.get_running_loop()
        end = loop.time() + self.site.start_timeout_seconds
        while self._pool is None:
            now = loop.time()
            hopeless = self.state == "waiting" and self._retry_at - now > PATIENCE_SECONDS
            if hopeless or now >= end:
                retry = max(1.0, self._retry_at - now)
                raise Down(self.reason, since=self.down_since, retry_seconds=retry)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(end):
                    await self.changed()
        return self._pool

    async def prove(self) -> None:
        """Returns when the process answers well. Raises Down at the first failed start."""
        failures, was_running = self.failures, self._pool is not None
        self.want()
        self._hurry.set()
        while self._pool is None:
            if self.failures > failures:
                raise Down(self.reason, since=self.down_since, retry_seconds=1)
            await self.changed()
        if was_running and self._probe is not None:
            await self._probe.until_ready()

    @property
    def last_answer(self) -> str:
        """What the last look at its health found, in words."""
        return self._probe.last if self._probe else "it did not listen"

    async def changed(self) -> None:
        """Returns at the next change of the state, or when the last request has ended."""
        if self._change is None:
            self._change = asyncio.get_running_loop().create_future()
        # Several wait for the same future: one that gives up must not cancel it for the others.
        await asyncio.shield(self._change)

    # The life of the process

    async def _live(self) -> None:
        try:
            while not self._unwanted.is_set():
                began = time.monotonic()
                try:
                    reason = await self._run()
                except Exception as error:  # the edge of a worker: visitors wait for this task
                    reason = not_started(error, self.site.deployment)
                if reason is not None:
                    await self._pause(self._fail(reason, seconds=time.monotonic() - began))
        finally:
            self._task = None
            self._enter("stopped")
            self.output.close()

    async def _run(self) -> str | None:
        """Start it once and follow it to its end; the reason, or None when we ended it."""
        self._enter("starting")
        give_back = await self._slots.take()
        waiting: set[asyncio.Task[None]] = set()
        try:
            process = self._read()
            self._grace_seconds = process.grace_seconds
            self.ending = Ending()
            self.output.mask(process.mask)
            self.running = running = await self._start(process, self.output.feed)
            port = self.site.port
            probe = Probe(lambda: running.dial(port), path=self.site.health_path, host=self.host)
            self._probe = probe
            ended = asyncio.create_task(running.wait())
            stop = asyncio.create_task(_is_set(self._unwanted))
            ready = asyncio.create_task(probe.until_ready())
            waiting = {stop, ready}
            seconds = self.site.start_timeout_seconds
            await _first(ended, stop, ready, seconds=seconds)
            if ready.done() and not ended.done() and not stop.done():
                give_back()
                self._pool = Pool(lambda: running.dial(port))
                self._enter("running")
                await _first(ended, stop)
            if ended.done():
                early = "" if ready.done() else _early(ended.result())
                return sentence(ended.result(), process.limits) + early
            if stop.done():
                return None
            return f"It gave no good answer within {seconds:g} s; {probe.last}."
        finally:
            give_back()
            for task in waiting:
                task.cancel()
            await self._end()

    async def _end(self) -> None:
        """Close what is idle, then make sure that the process is gone."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        await self.ending.announce()
        running, self.running = self.running, None
        if running is not None:
            self._enter("stopping")
            await running.terminate(grace_seconds=self._grace_seconds)
            self.output.flush()

    def _fail(self, reason: str, *, seconds: float) -> float:
        """Note it; the seconds until the next try."""
        pause = self._backoff.failed(ran_seconds=seconds)
        self.reason = reason
        self.failures += 1
        self.restarts += 1
        self._retry_at = asyncio.get_running_loop().time() + pause
        self.output.say(f"{reason} The next try is in {pause:g} s.")
        log.event("edge.app_down", deployment=self.site.deployment, reason=reason)
        self._enter("waiting")
        return pause

    async def _pause(self, seconds: float) -> None:
        self._hurry.clear()
        hurry = asyncio.create_task(_is_set(self._hurry))
        stop = asyncio.create_task(_is_set(self._unwanted))
        await _first(hurry, stop, seconds=seconds)
        hurry.cancel()
        stop.cancel()

    async def _drain(self) -> None:
        if self.state == "running":
            self._enter("draining")
            with suppress(TimeoutError):
                async with asyncio.timeout(self.site.drain_seconds):
                    while self.in_flight:
                        await self.changed()
        self._drain_task = None
        self._unwanted.set()

    def _let_crew_go(self) -> None:
        self.crew.let_go()
        if self.has_no_web:
            self._enter("stopped")

    def _enter(self, state: State) -> None:
        if state != self.state:
            if self.state in ("running", "draining"):
                self.down_since = time.time()
            self.state = state
            self.since = time.time()
            self.used_at = time.monotonic()
            self._notify()

    def _notify(self) -> None:
        if self._change is not None:
            self._change.set_result(None)
            self._change = None


def _early(ended: Exit) -> str:
    if ended.code == 0 and ended.reason is None:
        # What a command leaves running behind itself ends with it, as in a container.
        return " It had not answered yet. Keep it in the foreground if it went into the background."
    return " It had not answered yet."


async def _is_set(event: asyncio.Event) -> None:
    await event.wait()


async def _first(
    *tasks: asyncio.Future[None] | asyncio.Future[Exit], seconds: float | None = None
) -> None:
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
