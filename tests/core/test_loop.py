"""Loops end when they are told to, whatever happens in that moment."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import true
from tests.conftest import RolledBack
from tests.running import PATIENCE_SECONDS

from windlass.core import ids, loop
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.live import Live
from windlass.core.loop import Loop, Step
from windlass.core.settings import Settings
from windlass.deployments.models import Deployment

pytestmark = pytest.mark.anyio


class Kept(Loop, frozen=True):
    """One whose leases are always ours, without a database."""

    async def keep(self, ctx: Ctx, id: UUID, token: UUID) -> bool:
        return True

    async def apply(self, ctx: Ctx, id: UUID, token: UUID, step: Step) -> bool:
        return True


async def changes(ctx: Ctx, _row: Deployment) -> Step:
    """A step whose row is told of in the moment in which it ends."""
    ctx.live.wake_all()
    return Step(again_in=7)


LOOP = Kept(Deployment, true, changes, lease=30, limit=lambda _: 0)


@pytest.fixture
def ctx(settings: Settings, database: RolledBack, key_ring: KeyRing) -> Ctx:
    return Ctx(settings, database, Live(database), key_ring, None)


async def test_a_loop_that_is_told_to_look_while_it_is_ended_ends(ctx: Ctx) -> None:
    """Else the process stays until the kernel ends it."""
    running = asyncio.create_task(loop.run(ctx, LOOP))
    while not ctx.live._waiters:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await asyncio.sleep(0)

    ctx.live.wake_all()
    running.cancel()

    await asyncio.wait({running}, timeout=PATIENCE_SECONDS)
    assert running.cancelled()


async def test_a_step_that_ends_while_its_row_changes_gives_the_row_back(ctx: Ctx) -> None:
    """Else its lease would be kept for ever, and nobody would go on with the row."""
    row = Deployment(id=ids.uuid7())

    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await LOOP.advance(ctx, row, ids.uuid7()) == 7
