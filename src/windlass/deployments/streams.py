"""Live pages: server-sent events that replay what was missed and then follow (C-127, E-19)."""

import asyncio
import functools
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

import msgspec

from windlass.auth.models import Actor
from windlass.core import ids
from windlass.core.db import Database
from windlass.core.errors import NotFound
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.deployments import listing, service
from windlass.deployments.schemas import LogLineOut

HEARTBEAT_SECONDS = 15.0
_BATCH = 1000
_PREFIXES = {"cluster": "cls", "deployment": "depl", "project": "proj", "release": "rel"}
_ENDED = {"ready", "error", "cancelled"}


def event(name: str, data: object, id: int | None = None) -> bytes:
    """One server-sent event."""
    head = f"id: {id}\n" if id is not None else ""
    return f"{head}event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n".encode()


async def follow(
    database: Database, settings: Settings, live: Live, id: UUID, *, after: int, by: Actor
) -> AsyncGenerator[list[LogLineOut] | msgspec.Raw | None]:
    """Lines of the log, the deployment itself whenever it changed, None after a quiet while.

    Ends when the deployment has ended. Raises NotFound when it is deleted meanwhile.
    """
    changed = asyncio.Event()
    stops = [
        live.subscribe(f"{kind}:{id}", lambda _: changed.set()) for kind in ("log", "deployment")
    ]
    try:
        shown = b""
        while True:
            changed.clear()
            shape = await listing.one(database, settings, id, by=by)
            while rows := await service.log_lines(database, id, after=after, limit=_BATCH):
                after = rows[-1]["seq"]
                yield [LogLineOut(**dict(row)) for row in rows]
            if bytes(shape) != shown:
                shown = bytes(shape)
                yield shape
            if listing.read(shape).status in _ENDED:
                return
            if not await _wait(changed):
                yield None
    finally:
        for stop in stops:
            stop()


async def log_stream(
    database: Database, settings: Settings, live: Live, id: UUID, *, after: int, by: Actor
) -> AsyncGenerator[bytes]:
    """connected, log…, status…, complete."""
    yield event("connected", {"after": after})
    shape: msgspec.Raw | None = None
    try:
        async with aclosing(follow(database, settings, live, id, after=after, by=by)) as news:
            async for found in news:
                if found is None:
                    yield b": still here\n\n"
                elif isinstance(found, msgspec.Raw):
                    shape = found
                    yield event("status", shape)
                else:
                    for line in found:
                        yield event("log", line, line.seq)
        yield event("complete", shape)
    except NotFound:
        # Deleted while somebody was looking.
        yield event("complete", None)


class Sight:
    """What somebody may hear of; asked anew each time, because what is shared with them changes."""

    def __init__(self, database: Database, by: Actor) -> None:
        self._database, self._by = database, by

    async def reaches(self, kind: str, id: str) -> bool:
        """Whether this one is theirs to see. One that is gone was theirs or it was not: who had
        it on a page learns it from the project."""
        return bool(await self._database.fetch(_SEES[kind], self._by.id, UUID(id)))


_SEES = {
    "cluster": "select 1 where role_on_cluster($1, $2) is not null",
    "project": "select 1 where $2 = any(projects_of($1))",
    "deployment": "select 1 from deployments where id = $2 and project_id = any(projects_of($1))",
    "release": "select 1 from releases where id = $2"
    " and role_on_cluster($1, cluster_id) is not null",
}


async def change_stream(
    live: Live, topics: tuple[str, ...], sight: Sight | None = None
) -> AsyncGenerator[bytes]:
    """`changed` for everything that a page should look at again, and that `sight` reaches.

    What changed while the page was on its way comes first, as `recent`.
    """
    waiting: asyncio.Queue[tuple[str, str, bool]] = asyncio.Queue(maxsize=1000)

    def hear(kind: str, id: str, *, recent: bool = False) -> None:
        if not waiting.full():
            waiting.put_nowait((kind, id, recent))

    stops = [live.subscribe(topic, functools.partial(hear, topic)) for topic in topics]
    for topic in topics:
        for id in live.recent(topic):
            hear(topic, id, recent=True)
    try:
        yield event("connected", {})
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    kind, id, recent = await waiting.get()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if sight is None or not id or await sight.reaches(kind, id):
                yield event("changed", _changed(kind, id) | {"recent": recent})
    finally:
        for stop in stops:
            stop()


def _changed(topic: str, id: str) -> dict[str, object]:
    """What changed, by the id that the API knows it by; no id: look at everything again."""
    kind = topic.partition(":")[0]
    return {"kind": kind, "id": ids.public(_PREFIXES[kind], UUID(id)) if id else ""}


async def _wait(changed: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(HEARTBEAT_SECONDS):
            await changed.wait()
    except TimeoutError:
        return False
    return True
