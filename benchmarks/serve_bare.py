"""The list of deployments without its walls, for walls.py. The same query and server.

`open`: all of the application but session, roles, row-level security and envelope; it still
counts for limits, checks what comes in, says headers and language. `nothing`: only the framework.
"""

import asyncio
import gc
import sys

import msgspec
import uvloop
from litestar import Litestar, Response, Router, get
from litestar.di import Provide

from windlass.auth import limiting
from windlass.auth.models import Actor
from windlass.core import environment, headers, http, intake, log
from windlass.core.db import Database
from windlass.core.ids import UUID
from windlass.core.limit import Memory
from windlass.core.server import Server, config
from windlass.core.settings import Settings
from windlass.deployments import listing, routes
from windlass.web.speaking import speaking


def build(url: str, user: UUID, kind: str) -> Litestar:
    """One route, for one person."""
    found = environment.load()
    log.configure(found.log_level)
    database = Database(url, pool_size=found.database.pool_size)
    actor = Actor(id=user, email=None, name=None)
    return {"open": _open, "nothing": _nothing}[kind](found, database, actor)


def _open(found: Settings, database: Database, actor: Actor) -> Litestar:
    """As windlass.app, without what is measured."""

    async def provide_actor() -> Actor:
        return actor

    app = Litestar(
        [Router("/api/deployments", route_handlers=[routes.list_deployments])],
        before_request=intake.check,
        middleware=[limiting.limited, http.close_session],
        dependencies={"actor": Provide(provide_actor)},
        exception_handlers={Exception: http.render_error},
        openapi_config=None,
        logging_config=None,
    )
    app.state.update({"settings": found, "database": database, "limiter": Memory()})
    answering = speaking(limiting.announced(app.asgi_handler), set(), has_tls=False)
    app.asgi_handler = http.track(headers.shared(answering, found), found)
    intake.note_parameters(app)
    return app


def _nothing(found: Settings, database: Database, actor: Actor) -> Litestar:
    @get("/api/deployments")
    async def list_deployments(limit: int = 20) -> Response[bytes]:
        page = await listing.page(database, found, listing.Query(limit=limit), by=actor)
        return Response(msgspec.json.encode(page.items), media_type="application/json")

    return Litestar([list_deployments], openapi_config=None, logging_config=None)


async def main(url: str, port: int, user: UUID, kind: str) -> None:
    found = build(url, user, kind)
    # As the web process does.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    await Server(config(found, port=port)).serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], int(sys.argv[2]), UUID(sys.argv[3]), sys.argv[4]))
