"""Connections that nobody uses are given back, while those in use are not disturbed."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from windlass.adapters.postgres import EmbeddedPostgres
from windlass.core.db import Database

pytestmark = pytest.mark.anyio

_OPEN = "select count(*) from pg_stat_activity where application_name = 'windlass'"


@pytest.fixture
async def real(postgres: EmbeddedPostgres) -> AsyncIterator[Database]:
    found = Database(postgres.url, pool_size=4)
    yield found
    await found.close()


async def test_idle_connections_are_closed_and_work_goes_on(
    real: Database, postgres: EmbeddedPostgres
) -> None:
    watcher = await Database(postgres.url, pool_size=1).connect()
    before = await watcher.fetchval(_OPEN)
    async with real.transaction() as one, real.reads() as two:
        await one.execute(text("select 1"))
        await two.execute(text("select 1"))
    await real.fetch("select 1")
    used = await watcher.fetchval(_OPEN)

    await real.rest()
    await watcher.execute("select pg_sleep(0.1)")

    assert used == before + 3
    assert await watcher.fetchval(_OPEN) == before
    async with real.transaction() as again:
        assert await again.scalar(text("select 2")) == 2
    await watcher.close()


async def test_a_transaction_that_is_open_keeps_its_connection(real: Database) -> None:
    async with real.transaction() as db:
        await db.execute(text("create temporary table kept (n int) on commit drop"))
        await real.rest()
        await db.execute(text("insert into kept values (7)"))

        assert await db.scalar(text("select n from kept")) == 7
