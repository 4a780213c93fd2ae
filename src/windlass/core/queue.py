"""Work that is done once, after a fact or by the clock; a thin name over pgqueuer.

For what must stay true, see core/loop.py.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import NAMESPACE_URL, UUID, uuid5

import asyncpg
import msgspec
from pgqueuer import PgQueuer, Queries
from pgqueuer.db import AsyncpgDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job, Schedule
from pgqueuer.types import QueueManagerId
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.core import log
from windlass.core.context import Ctx
from windlass.core.loop import HOLDER, is_dead

E = TypeVar("E")
_STALE = """
update pgqueuer set heartbeat = now() - interval '1 h'
where queue_manager_id = $1 and status = 'picked'
"""
_PAUSES = (0.1, 0.4, 1.5)
"""Seconds until a job that could not be done is tried again, before it goes back to the queue."""
_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Subscriber:
    """A function that reacts to events of some kinds."""

    events: tuple[type[Any], ...]
    handle: Callable[[Ctx, Any], Awaitable[None]]
    when: ColumnElement[bool] | None = None

    @property
    def name(self) -> str:
        return f"{self.handle.__module__.split('.')[1]}.{self.handle.__name__}"


@dataclass(frozen=True)
class Clock:
    """A function that runs by the clock."""

    cron: str
    handle: Callable[[Ctx], Awaitable[None]]

    @property
    def name(self) -> str:
        return f"{self.handle.__module__.split('.')[1]}.{self.handle.__name__}"


SUBSCRIBERS: list[Subscriber] = []
CLOCKS: list[Clock] = []


def on(
    *events: type[E], when: ColumnElement[bool] | None = None
) -> Callable[[Callable[[Ctx, E], Awaitable[None]]], Callable[[Ctx, E], Awaitable[None]]]:
    """Run this function, in a worker, after such an event is committed. It may run twice.

    `when`: asked in the transaction that states the event, with the event's fields as bind
    parameters; where it is false there is nothing to do for the function, and no job is made.
    """

    def register(handle: Callable[[Ctx, E], Awaitable[None]]) -> Any:
        SUBSCRIBERS.append(Subscriber(events, handle, when))
        return handle

    return register


def every(
    cron: str,
) -> Callable[[Callable[[Ctx], Awaitable[None]]], Callable[[Ctx], Awaitable[None]]]:
    """Run this function by the clock, e.g. `*/10 * * * *`. One worker of all runs it."""

    def register(handle: Callable[[Ctx], Awaitable[None]]) -> Any:
        CLOCKS.append(Clock(cron, handle))
        return handle

    return register


def subscribers_of(event: type[Any]) -> list[Subscriber]:
    return [subscriber for subscriber in SUBSCRIBERS if event in subscriber.events]


def conditions_of(event: type[Any]) -> list[ColumnElement[bool]]:
    """What is asked of the database before the jobs of such an event are made."""
    return [one.when for one in subscribers_of(event) if one.when is not None]


async def put_all(db: AsyncSession, event: Any, payload: object, answers: Sequence[bool]) -> None:
    """Queue what follows from an event in the caller's own transaction: no commit, no job.
    `answers`: to what was asked, in that order."""
    answer = iter(answers)
    names = [one.name for one in subscribers_of(type(event)) if one.when is None or next(answer)]
    if not names:
        return
    raw = await (await db.connection()).get_raw_connection()
    connection = cast(asyncpg.Connection, raw.driver_connection)
    await Queries(AsyncpgDriver(connection)).enqueue(
        names, [msgspec.json.encode(payload)] * len(names), [0] * len(names)
    )


async def work(ctx: Ctx, events: dict[str, type[Any]]) -> None:
    """Run the jobs and clocks of this process until it is cancelled; a lost connection is made
    again."""
    while True:
        try:
            await _work(ctx, events)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.get().warning("queue.connection_lost", error=str(error))
        await asyncio.sleep(_RETRY_SECONDS)


async def _work(ctx: Ctx, events: dict[str, type[Any]]) -> None:
    """Until the connection is lost."""
    await take_over(ctx)
    connection = await ctx.database.connect()
    jobs = PgQueuer(AsyncpgDriver(connection))
    jobs.qm.queue_manager_id = QueueManagerId(name_of(HOLDER))
    # The migrations have made the tables. Asked again by way of information_schema, this
    # connection would keep what that took, 5 MB, for as long as it lives.
    jobs.qm.verify_structure = _nothing_to_verify
    jobs.sm.queries.has_table = _is_there
    note = _notes(ctx) / HOLDER
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    note.touch()
    connection.add_termination_listener(lambda _: jobs.shutdown.set())
    for subscriber in SUBSCRIBERS:
        _bind_subscriber(jobs, ctx, subscriber, events)
    for clock in CLOCKS:
        _bind_clock(jobs, ctx, clock)
    try:
        await jobs.run(dequeue_timeout=timedelta(seconds=30), batch_size=5)
    finally:
        await connection.close()
        note.unlink(missing_ok=True)


async def _nothing_to_verify() -> None: ...


async def _is_there(table: str) -> bool:
    return bool(table)


async def take_over(ctx: Ctx) -> None:
    """What workers of this home had begun that died, or this one when it lost its connection, is
    begun again now, not when half a minute without a sign of them is over."""
    for note in list(_notes(ctx).glob("*")):
        if note.name == HOLDER or is_dead(note.name):
            await ctx.database.fetch(_STALE, name_of(note.name))
            note.unlink(missing_ok=True)


def name_of(holder: str) -> UUID:
    """The name of a worker on the jobs that it has picked."""
    return uuid5(NAMESPACE_URL, holder)


def _notes(ctx: Ctx) -> Path:
    """An empty file for each worker that runs jobs."""
    return ctx.settings.folder / "run" / "workers"


def _bind_subscriber(
    jobs: PgQueuer, ctx: Ctx, subscriber: Subscriber, events: dict[str, type[Any]]
) -> None:
    @jobs.entrypoint(subscriber.name)
    async def _run(job: Job) -> None:
        found = msgspec.json.decode(job.payload or b"{}")

        async def handle() -> None:
            event = msgspec.convert(found["payload"], events[found["event"]])
            await subscriber.handle(ctx, event)

        # What a job waits for is mostly there in a moment; the queue looks only now and then.
        for pause in _PAUSES:
            with contextlib.suppress(Exception):
                return await handle()
            await asyncio.sleep(pause)
        try:
            await handle()
        except Exception as error:  # the edge of the worker: the job waits and is tried again
            log.get().error("job.failed", job=subscriber.name, exc_info=True)
            wait = timedelta(seconds=min(2**job.attempts, 600))
            raise RetryRequested(delay=wait, reason=str(error)[:200]) from error


def _bind_clock(jobs: PgQueuer, ctx: Ctx, clock: Clock) -> None:
    @jobs.schedule(clock.name, clock.cron)
    async def _run(_: Schedule) -> None:
        await clock.handle(ctx)
