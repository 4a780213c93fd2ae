"""Pages follow what changes (C-127, E-19)."""

import asyncio
import contextlib
from uuid import uuid4

import msgspec
import pytest

from windlass.core import ids
from windlass.core.db import Database
from windlass.core.live import Live
from windlass.deployments.streams import change_stream

pytestmark = pytest.mark.anyio


async def test_what_changed_while_a_page_was_on_its_way_is_told_once_it_listens(
    database: Database,
) -> None:
    live, id = Live(database), uuid4()
    told: list[str] = []
    live.subscribe(f"deployment:{id}", told.append)
    listening = asyncio.create_task(live.run())
    connection = await database.connect()
    try:
        while str(id) not in told:
            await connection.execute("select pg_notify('windlass_live', $1)", f"deployment:{id}")
            await asyncio.sleep(0.05)
        stream = change_stream(live, ("deployment", "project"))
        assert (await anext(stream)).startswith(b"event: connected\n")
        name, data = (await anext(stream)).decode().split("\n", 1)
        await stream.aclose()
    finally:
        await connection.close()
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening

    assert name == "event: changed"
    assert msgspec.json.decode(data.removeprefix("data: ").strip()) == {
        "kind": "deployment",
        "id": ids.public("depl", id),
        "recent": True,
    }
