"""Jobs that somebody had begun who is no more."""

from pathlib import Path

import pytest
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from tests.conftest import RolledBack

from windlass.core import loop, queue
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.live import Live
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio
PICKED = """
insert into pgqueuer (priority, status, entrypoint, heartbeat, queue_manager_id, execute_after)
values (0, 'picked', 'x', now(), $1, now())
"""
FRESH = "select from pgqueuer where queue_manager_id = $1 and heartbeat > now() - interval '1 min'"


def started_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]


async def test_what_a_dead_worker_had_begun_is_begun_again_at_once(
    settings: Settings, database: RolledBack, key_ring: KeyRing
) -> None:
    """Not half a minute later, when its heartbeat is old; what a living one does is left alone."""
    ctx = Ctx(settings, database, Live(database), key_ring, None)
    host, pid, started = loop.HOLDER.rsplit(":", 2)
    dead, living = f"{host}:{pid}:{int(started) - 1}", f"{host}:1:{started_of(1)}"
    elsewhere = f"another-machine:{pid}:1"
    notes = settings.folder / "run" / "workers"
    notes.mkdir(parents=True, exist_ok=True)
    for holder in (dead, loop.HOLDER, living, elsewhere):
        (notes / holder).touch()
        await database.fetch(PICKED, queue.name_of(holder))

    await queue.take_over(ctx)

    assert await database.fetch(FRESH, queue.name_of(dead)) == []
    # This one begins: what it had before it lost its connection is nobody's.
    assert await database.fetch(FRESH, queue.name_of(loop.HOLDER)) == []
    assert len(await database.fetch(FRESH, queue.name_of(living))) == 1
    assert len(await database.fetch(FRESH, queue.name_of(elsewhere))) == 1
    assert {note.name for note in notes.iterdir()} == {living, elsewhere}


async def test_the_tables_are_those_that_the_library_of_the_queue_asks_for(
    database: RolledBack,
) -> None:
    """Workers do not ask at each start: the migrations answer for it, here."""
    connection = await database.connect()
    try:
        jobs = PgQueuer(AsyncpgDriver(connection))
        await jobs.qm.verify_structure()
        assert await jobs.sm.queries.has_table("pgqueuer_schedules")
    finally:
        await connection.close()
