"""The release command: one at a time for a project, and once for a release."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from windlass.adapters.postgres import EmbeddedPostgres
from windlass.builds.plan import Plan
from windlass.builds.release import Release
from windlass.core.db import Database
from windlass.core.settings import Settings
from windlass.core.threads import blocking
from windlass.deployments import releasing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def real(postgres: EmbeddedPostgres) -> AsyncIterator[Database]:
    """Connections of its own: a lock of the database belongs to one."""
    found = Database(postgres.url, pool_size=2)
    yield found
    await found.close()


async def test_two_of_one_project_never_run_at_once_and_others_do_not_wait(real: Database):
    order: list[str] = []
    second_waits, may_end = asyncio.Event(), asyncio.Event()

    async def second() -> None:
        async with releasing.alone(real, "release:a", on_wait=second_waits.set):
            order.append("second")

    async with releasing.alone(real, "release:a", on_wait=lambda: order.append("never")):
        waiting = asyncio.create_task(second())
        await asyncio.wait_for(second_waits.wait(), 60)
        async with releasing.alone(real, "release:b", on_wait=lambda: order.append("never")):
            order.append("another project")
        order.append("first")
        may_end.set()
    await asyncio.wait_for(waiting, 60)

    assert order == ["another project", "first", "second"]


async def test_who_waits_can_be_cancelled(real: Database):
    waits = asyncio.Event()

    async def second() -> None:
        async with releasing.alone(real, "release:c", on_wait=waits.set):
            raise AssertionError("it was not its turn")

    async with releasing.alone(real, "release:c", on_wait=lambda: None):
        waiting = asyncio.create_task(second())
        await asyncio.wait_for(waits.wait(), 60)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    # Nobody holds it any more, so nobody waits.
    async with releasing.alone(real, "release:c", on_wait=waits.clear):
        assert waits.is_set()


class Said:
    step = ""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str, level: str = "info") -> None:
        self.lines.append(message)

    def write(self, output: bytes) -> None:
        raise AssertionError("it ran")

    def hide(self, secrets: tuple[str, ...]) -> None: ...


async def test_a_release_whose_command_has_run_does_not_run_it_again(
    real: Database, settings: Settings
):
    plan = Plan(framework="custom", label="x", kind="server", release_command="migrate")
    wanted = Release(deployment="depl_1", uid=None, env={}, secrets=(), is_preview=False)
    ctx = cast(Any, SimpleNamespace(settings=settings, database=real))
    done = releasing.mark(settings.folder, "depl_1")
    await blocking(lambda: done.parent.mkdir(parents=True))
    done.touch()
    log = Said()

    await releasing.run(ctx, cast(Any, 7), plan, wanted, log, done=done)

    assert log.lines == ["The release command has run for this release; it runs once"]
