"""Work that must stay true: look at one row, compare with the world, take one step, look again.

claim  (one statement)      lease rows that are due and that nobody else holds
step   (no transaction)     talk to the world; must be safe to repeat; the lease is kept alive
apply  (short transaction)  write the result, only if the lease is still ours

A row whose lease was taken away (cancelled, deleted, or we were too slow) interrupts its step.
"""

import asyncio
import contextlib
import datetime as dt
import functools
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CursorResult,
    Uuid,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from windlass.core import log
from windlass.core.context import Ctx

M = TypeVar("M")
Admit = Callable[[Ctx, AsyncSession, int, UUID, float], Awaitable[list[Any]]]
"""Lets rows in that wait: how many at the most, with which lease token, for how many seconds."""
_IDLE_SECONDS = 15.0
_BACKOFF_SECONDS = (1, 5, 15, 60, 300)


class Leased:
    """Columns of a row that a loop owns."""

    check_at: Mapped[dt.datetime] = mapped_column(server_default=func.now(), index=True)
    lease_until: Mapped[dt.datetime | None]
    lease_token: Mapped[UUID | None]
    lease_holder: Mapped[str | None]
    loop_failures: Mapped[int] = mapped_column(server_default="0", default=0)
    loop_error: Mapped[str | None]


class Step(msgspec.Struct, frozen=True):
    """What to write, what else belongs in that transaction, and when to look again."""

    values: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    then: Callable[[AsyncSession], Awaitable[None]] | None = None
    again_in: float = 15


class Loop(msgspec.Struct, frozen=True):
    """One registered loop: a table, which of its rows, and the step."""

    model: Any
    when: Callable[[], ColumnElement[bool]]
    step: Callable[[Ctx, Any], Awaitable[Step]]
    lease: float
    limit: Callable[[Ctx], int]
    admit: "Admit | None" = None

    @property
    def topic(self) -> str:
        """The `live` topic that makes this loop look earlier."""
        return f"loop-{self.model.__tablename__}"

    async def claim(self, ctx: Ctx, limit: int) -> tuple[UUID, list[Any]]:
        """Lease up to `limit` due rows; returns the token that proves it."""
        token = uuid4()
        async with ctx.database.statements() as db:
            rows = list(await db.scalars(_claim(self), {"token": token, "most": limit}))
            if self.admit is not None and len(rows) < limit:
                rows += await self.admit(ctx, db, limit - len(rows), token, self.lease)
            return token, rows

    async def keep(self, ctx: Ctx, id: UUID, token: UUID) -> bool:
        """Extend the lease; False when it is no longer ours."""
        m = self.model
        query = (
            update(m)
            .where(m.id == id, m.lease_token == token)
            .values(lease_until=func.now() + _seconds(self.lease))
        )
        async with ctx.database.statements() as db:
            return _rows(await db.execute(query)) == 1

    async def apply(self, ctx: Ctx, id: UUID, token: UUID, step: Step) -> bool:
        """Write the step's result and give the lease back; False when it was lost meanwhile."""
        m = self.model
        release: dict[str, Any] = {
            "lease_token": None,
            "lease_until": None,
            "lease_holder": None,
            "check_at": func.now() + _seconds(step.again_in),
            "loop_failures": 0,
            "loop_error": None,
        }
        query = update(m).where(m.id == id, m.lease_token == token).values(release | step.values)
        async with ctx.transaction() as db:
            if _rows(await db.execute(query)) != 1:
                return False
            if step.then is not None:
                await step.then(db)
            return True

    async def advance(self, ctx: Ctx, row: Any, token: UUID) -> float | None:
        """One step of one row. Returns the seconds until the next look, None if the lease went."""
        try:
            step = await self._held(ctx, row.id, token, self.step(ctx, row))
        except LeaseLost:
            return None
        except Exception as error:  # the edge of the worker: recorded where people see it
            log.get().error("loop.failed", table=self.topic, id=str(row.id), exc_info=True)
            wait = _BACKOFF_SECONDS[min(row.loop_failures, len(_BACKOFF_SECONDS) - 1)]
            values = {"loop_failures": row.loop_failures + 1, "loop_error": str(error)[:500]}
            step = Step(values, again_in=wait)
        return step.again_in if await self.apply(ctx, row.id, token, step) else None

    async def _held(self, ctx: Ctx, id: UUID, token: UUID, step: Awaitable[Step]) -> Step:
        """Run the step while its lease is kept; a lost lease interrupts it."""
        task = asyncio.ensure_future(step)
        async with ctx.live.watch(f"{self.topic}:{id}") as changed:
            beat = asyncio.create_task(self._beat(ctx, id, token, changed))
            try:
                await asyncio.wait({task, beat}, return_when=asyncio.FIRST_COMPLETED)
                if not task.done():
                    raise LeaseLost()
                return task.result()
            finally:
                beat.cancel()
                task.cancel()
                await asyncio.gather(task, beat, return_exceptions=True)

    async def _beat(self, ctx: Ctx, id: UUID, token: UUID, changed: asyncio.Event) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.lease / 3):
                    await changed.wait()
            changed.clear()
            try:
                if not await self.keep(ctx, id, token):
                    return
            except (OSError, DBAPIError) as error:
                # The database is away: whoever takes the row over fences us off.
                log.get().warning("loop.heartbeat_failed", table=self.topic, error=str(error))


@functools.cache
def _claim(loop: Loop) -> Any:
    """Leases up to `most` rows that are due and free, by `token`; made once for each loop."""
    m = loop.model
    free = or_(m.lease_until.is_(None), m.lease_until < func.now())
    due = (
        select(m.id)
        .where(loop.when(), m.check_at <= func.now(), free)
        .order_by(m.check_at)
        .limit(bindparam("most", type_=BigInteger()))
        .with_for_update(skip_locked=True, key_share=True)
    )
    lease = {
        "lease_token": bindparam("token", type_=Uuid()),
        "lease_until": func.now() + _seconds(loop.lease),
        "lease_holder": HOLDER,
    }
    query = update(m).where(m.id.in_(due.scalar_subquery())).values(lease).returning(m)
    return query.execution_options(synchronize_session=False)


class LeaseLost(Exception):
    """Somebody else owns the row now; what the step found is not written."""


LOOPS: list[Loop] = []


def reconciles(
    model: type[M],
    *,
    when: Callable[[], ColumnElement[bool]],
    lease: float = 30,
    limit: Callable[[Ctx], int] = lambda _: 10,
    admit: Admit | None = None,
) -> Callable[[Callable[[Ctx, M], Awaitable[Step]]], Callable[[Ctx, M], Awaitable[Step]]]:
    """Register the step of a table's loop. `limit` is how many rows one worker holds at once;
    `admit` lets rows in that were not due until there was a place for them."""

    def register(step: Callable[[Ctx, M], Awaitable[Step]]) -> Any:
        LOOPS.append(Loop(model, when, step, lease, limit, admit))
        return step

    return register


async def tick(ctx: Ctx, loop: Loop) -> int:
    """Claim what is due, advance it once, and say how many rows that were (for tests)."""
    token, rows = await loop.claim(ctx, loop.limit(ctx))
    for row in rows:
        await loop.advance(ctx, row, token)
    return len(rows)


async def run(ctx: Ctx, loop: Loop) -> None:
    """Turn one loop for ever: look when told to, and every 15 seconds anyway."""
    running: set[asyncio.Task[float | None]] = set()
    async with ctx.live.watch(loop.topic) as changed:
        try:
            while True:
                changed.clear()
                wait = await _fill(ctx, loop, running, changed)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await changed.wait()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _fill(
    ctx: Ctx, loop: Loop, running: set[asyncio.Task[float | None]], changed: asyncio.Event
) -> float:
    """Claim as many rows as fit; returns the seconds to wait before looking again."""
    free = loop.limit(ctx) - len(running)
    if free <= 0:
        return _IDLE_SECONDS
    try:
        async with ctx.looking:
            token, rows = await loop.claim(ctx, free)
    except (OSError, DBAPIError) as error:
        log.get().warning("loop.database_away", table=loop.topic, error=str(error))
        return 1.0

    def done(task: asyncio.Task[float | None]) -> None:
        running.discard(task)
        again = None if task.cancelled() or task.exception() else task.result()
        if again is None or again <= 0:
            changed.set()
        elif again < _IDLE_SECONDS:
            asyncio.get_running_loop().call_later(again, changed.set)

    for row in rows:
        task = asyncio.create_task(loop.advance(ctx, row, token))
        running.add(task)
        task.add_done_callback(done)
    return _IDLE_SECONDS


async def take_over(ctx: Ctx, loop: Loop) -> None:
    """Free the leases of workers of this machine that are no longer alive."""
    m = loop.model
    held = select(m.lease_holder).where(m.lease_holder.is_not(None)).distinct()
    async with ctx.transaction() as db:
        dead = [holder for holder in await db.scalars(held) if is_dead(holder)]
        if dead:
            free = {"lease_until": None, "lease_token": None, "lease_holder": None}
            values = {**free, "check_at": func.now()}
            await db.execute(update(m).where(m.lease_holder.in_(dead)).values(values))


def _started(pid: int) -> str | None:
    """The start time of a process, so that a reused pid is not taken for the old one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return None


def is_dead(holder: str) -> bool:
    """Whether this is a worker of this machine that is no more."""
    host, pid, started = holder.rsplit(":", 2)
    return host == socket.gethostname() and _started(int(pid)) != started


HOLDER = f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def _seconds(seconds: float) -> ColumnElement[dt.timedelta]:
    return cast(
        ColumnElement[dt.timedelta], func.make_interval(0, 0, 0, 0, 0, 0, seconds, type_=INTERVAL)
    )


def _rows(result: Any) -> int:
    return cast(CursorResult[Any], result).rowcount
