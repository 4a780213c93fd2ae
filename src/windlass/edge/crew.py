"""The processes beside `web`: workers of a release, which run while it is live and answer nobody.

They start when a host points at the release and end when none does any more, so that a release that
is only being tried never takes work from the one in use. One that fails does no harm to the others.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

import msgspec

from windlass.core.crypto import SealBroken
from windlass.core.errors import AppError
from windlass.core.launch import Exit, sentence
from windlass.core.process import Process
from windlass.edge import log
from windlass.edge.applog import AppLog
from windlass.edge.backoff import FIRST_RETRY_SECONDS, Backoff
from windlass.edge.runner import Running, Slots, Start, not_started

State = Literal["stopped", "starting", "running", "waiting", "stopping", "finished", "failed"]
_OVER = ("finished", "failed")

Read = Callable[[], Process]
Output = Callable[[str], AppLog]
"""The log of a process, by its name."""


class Idle(Exception):
    """A worker is not at work; the text says which and why, `lines` are the end of its log."""

    def __init__(self, reason: str, lines: list[str]) -> None:
        super().__init__(reason)
        self.lines = lines


class WorkerStatus(msgspec.Struct, frozen=True):
    """One worker in the answer of `GET /status`. `since` is Unix time."""

    state: State
    pid: int | None
    restarts: int
    since: float
    memory_bytes: int
    reason: str | None


class Worker:
    """One process, kept running as its restart policy says."""

    def __init__(
        self,
        process: Process,
        *,
        start: Start,
        output: AppLog,
        slots: Slots,
        backoff: Backoff,
        deployment: str,
    ) -> None:
        self.process = process
        self.state: State = "stopped"
        self.since = time.time()
        self.restarts = 0
        self.reason: str | None = None
        self._start = start
        self._output = output
        self._slots = slots
        self._backoff = backoff
        self._deployment = deployment
        self._running: Running | None = None
        self._unwanted = asyncio.Event()
        self._change = asyncio.Event()
        self._task = asyncio.create_task(self._live())

    @property
    def is_gone(self) -> bool:
        """It has ended, and nothing will start it again."""
        return self._task.done()

    def let_go(self) -> None:
        """It is no longer wanted: SIGTERM, and SIGKILL when its grace is over."""
        self._unwanted.set()

    async def gone(self) -> None:
        """Returns when no process is left."""
        await asyncio.wait({self._task})

    async def doubt(self, seconds: float) -> str | None:
        """Why it is not at work; None once it has run for so long, or has finished well."""
        before = self.restarts
        while True:
            if self.state == "finished":
                return None
            if self.state in ("waiting", "failed") or self.restarts > before:
                return self.reason
            if self._task.done() or self.state == "stopping":
                return "It was ended."
            self._change.clear()
            is_running = self.state == "running"
            try:
                async with asyncio.timeout(seconds if is_running else None):
                    await self._change.wait()
            except TimeoutError:
                return None

    def lines(self) -> list[str]:
        """The end of what it wrote."""
        self._output.flush()
        return self._output.tail()

    def status(self) -> WorkerStatus:
        """How it is."""
        running = self._running
        return WorkerStatus(
            state=self.state,
            pid=running.pid if running else None,
            restarts=self.restarts,
            since=self.since,
            memory_bytes=running.memory_bytes() if running else 0,
            reason=None if self.state == "running" else self.reason,
        )

    async def _live(self) -> None:
        try:
            while not self._unwanted.is_set() and self.state not in _OVER:
                began = time.monotonic()
                self._enter("starting")
                try:
                    ended = await self._run()
                except Exception as error:  # the edge of a worker: it is tried again
                    await self._failed(not_started(error, self._deployment), began)
                else:
                    if not self._unwanted.is_set():
                        await self._judge(ended, began)
        finally:
            if self.state not in _OVER:
                self._enter("stopped")
            self._change.set()
            self._output.close()

    async def _run(self) -> Exit:
        """Start it once and follow it to its end, or end it when it is not wanted any more."""
        give_back = await self._slots.take()
        try:
            running = await self._start(self.process, self._output.feed)
        finally:
            give_back()
        self._running = running
        ended = asyncio.create_task(running.wait())
        unwanted = asyncio.create_task(_is_set(self._unwanted))
        try:
            self._enter("running")
            await asyncio.wait({ended, unwanted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            unwanted.cancel()
            if not ended.done():
                self._enter("stopping")
            # Also what it left behind: a worker may have gone and its children not.
            await running.terminate(grace_seconds=self.process.grace_seconds)
            self._running = None
            self._output.flush()
        return await ended

    async def _judge(self, ended: Exit, began: float) -> None:
        """It ended by itself: what its restart policy makes of that."""
        why, policy = sentence(ended, self.process.limits), self.process.restart
        is_well = ended.code == 0 and ended.reason is None
        if policy == "always" or (policy == "on-failure" and not is_well):
            await self._failed(why, began)
            return
        self.reason = why
        self._say(f"{why} It is not started again (restart: {policy}).")
        self._enter("finished" if is_well else "failed")

    async def _failed(self, why: str, began: float) -> None:
        """Wait and try again, or give it up."""
        pause = self._backoff.failed(ran_seconds=time.monotonic() - began)
        self.reason = why
        process, count = self.process, self._backoff.in_a_row
        if process.restart == "never" or (
            process.restart == "on-failure" and count >= process.tries
        ):
            self._say(f"{why} It is given up after {count} failures in a row.")
            self._enter("failed")
            return
        self.restarts += 1
        self._say(f"{why} The next try is in {pause:g} s.")
        self._enter("waiting")
        unwanted = asyncio.create_task(_is_set(self._unwanted))
        await asyncio.wait({unwanted}, timeout=pause)
        unwanted.cancel()

    def _say(self, text: str) -> None:
        self._output.say(text)
        log.event(
            "edge.worker_down", deployment=self._deployment, process=self.process.name, reason=text
        )

    def _enter(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.since = time.time()
            self._change.set()


class Crew:
    """All workers of one release."""

    def __init__(
        self,
        deployment: str,
        *,
        read: Read,
        start: Start,
        output: Output,
        slots: Slots,
        first_retry_seconds: float = FIRST_RETRY_SECONDS,
    ) -> None:
        self._deployment = deployment
        self._read = read
        self._start = start
        self._output = output
        self._slots = slots
        self._first_retry = first_retry_seconds
        self._is_wanted = False
        self._workers: dict[str, Worker] = {}
        self._leaving: set[Worker] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_gone(self) -> bool:
        """No process is left."""
        return self._task is None and not self._workers and all(w.is_gone for w in self._leaving)

    def want(self) -> None:
        """They are to run. Those of before end first: there are never two of one worker."""
        if self._is_wanted:
            return
        self._is_wanted = True
        if self._task is None:
            self._task = asyncio.create_task(self._begin())

    def let_go(self) -> None:
        """They are to end, each within its grace."""
        self._is_wanted = False
        for worker in self._workers.values():
            worker.let_go()
        self._leaving |= set(self._workers.values())
        self._workers.clear()

    async def stop(self) -> None:
        """End all of them; returns when they are gone."""
        self.let_go()
        while not self.is_gone:
            if self._task is not None:
                await asyncio.wait({self._task})
            self.let_go()
            await self._left()

    async def prove(self, seconds: float) -> None:
        """Returns when all of them have been at work for so long. Raises Idle for the first that
        is not."""
        while self._task is not None:
            await asyncio.wait({self._task})
        if not self._workers:
            raise Idle("Its workers were not started.", [])
        doubts = {
            name: asyncio.create_task(worker.doubt(seconds))
            for name, worker in self._workers.items()
        }
        workers = dict(self._workers)
        try:
            for done in asyncio.as_completed(doubts.values()):
                if await done is None:
                    continue
                name = next(n for n, task in doubts.items() if task.done() and task.result())
                raise Idle(f"{name}: {doubts[name].result()}", workers[name].lines())
        finally:
            for task in doubts.values():
                task.cancel()
            await asyncio.gather(*doubts.values(), return_exceptions=True)

    def status(self) -> dict[str, WorkerStatus]:
        """How each of them is."""
        return {name: worker.status() for name, worker in self._workers.items()}

    async def _begin(self) -> None:
        try:
            await self._left()
            if self._is_wanted:
                self._start_all()
        finally:
            self._task = None

    async def _left(self) -> None:
        for worker in list(self._leaving):
            await worker.gone()
            self._leaving.discard(worker)

    def _start_all(self) -> None:
        try:
            found = self._read().others
        except (OSError, AppError, SealBroken, msgspec.MsgspecError) as error:
            # `web` is started from the same file, and says so where people look.
            log.event("edge.workers_unreadable", deployment=self._deployment, error=str(error))
            return
        for process in found:
            output = self._output(process.name)
            output.mask(process.mask)
            self._workers[process.name] = Worker(
                process,
                start=self._start,
                output=output,
                slots=self._slots,
                backoff=Backoff(self._first_retry),
                deployment=self._deployment,
            )


async def _is_set(event: asyncio.Event) -> None:
    await event.wait()
