"""Connections that nobody uses are given back, while those in use are not disturbed."""

from collections.abc import AsyncIterator

import anyio
import asyncpg
import pytest
from sqlalchemy import text

from windlass.adapters.postgres import EmbeddedPostgres
from windlass.core.db import Database

pytestmark = pytest.mark.anyio

_OPEN = "select count(*) from pg_stat_activity where pid = any($1::int[])"
_PID = "select pg_backend_pid()"


@pytest.fixture
async def real(postgres: EmbeddedPostgres) -> AsyncIterator[Database]:
    found = Database(postgres.url, pool_size=4)
    yield found
    await found.close()


@pytest.fixture
async def watcher(postgres: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    found = await asyncpg.connect(postgres.url)
    yield found
    await found.close()


async def test_idle_connections_are_closed_and_work_goes_on(
    real: Database, watcher: asyncpg.Connection
) -> None:
    async with real.transaction() as one, real.reads() as two:
        used = [await one.scalar(text(_PID)), await two.scalar(text(_PID))]
    used += [row[0] for row in await real.fetch(_PID)]
    assert await watcher.fetchval(_OPEN, used) == 3

    await real.rest()

    # The server ends a process a moment after its connection.
    for _ in range(6000):
        if not (still := await watcher.fetchval(_OPEN, used)):
            break
        await anyio.sleep(0.01)
    assert still == 0
    async with real.transaction() as again:
        assert await again.scalar(text("select 2")) == 2


async def test_a_transaction_that_is_open_keeps_its_connection(real: Database) -> None:
    async with real.transaction() as db:
        await db.execute(text("create temporary table kept (n int) on commit drop"))
        await real.rest()
        await db.execute(text("insert into kept values (7)"))

        assert await db.scalar(text("select n from kept")) == 7


async def test_a_connection_that_the_server_ended_is_not_used_again(
    real: Database, watcher: asyncpg.Connection
) -> None:
    """As after a restart of the database: noticed before a transaction begins in it."""
    async with real.transaction() as db:
        raw = await (await db.connection()).get_raw_connection()
        kept = raw.driver_connection
        assert isinstance(kept, asyncpg.Connection)
        before = await db.scalar(text(_PID))
    await watcher.fetch("select pg_terminate_backend($1)", before)
    with anyio.fail_after(60):
        while not kept.is_closed():  # noqa: ASYNC110
            await anyio.sleep(0.01)

    async with real.transaction() as db:
        assert await db.scalar(text(_PID)) != before
