"""The list of deployments with nothing around it, for walls.py: no session, no roles, no
row-level security, no limits, no headers, no envelope. The same query, framework and server."""

import asyncio
import sys

import msgspec
import uvloop
from litestar import Litestar, Response, get

from windlass.auth.models import Actor
from windlass.core import settings
from windlass.core.db import Database
from windlass.core.ids import UUID
from windlass.core.server import Server, config
from windlass.deployments import listing


def build(url: str, user: UUID) -> Litestar:
    """One route, for one person."""
    found = settings.load()
    database = Database(url, pool_size=found.database.pool_size)
    actor = Actor(id=user, email=None, name=None)

    @get("/api/deployments")
    async def list_deployments(limit: int = 20) -> Response[bytes]:
        page = await listing.page(database, found, listing.Query(limit=limit), by=actor)
        return Response(msgspec.json.encode(page.items), media_type="application/json")

    return Litestar([list_deployments], openapi_config=None, logging_config=None)


async def main(url: str, port: int, user: UUID) -> None:
    await Server(config(build(url, user), port=port)).serve()


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main(sys.argv[1], int(sys.argv[2]), UUID(sys.argv[3])))
