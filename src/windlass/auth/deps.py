"""Every route is closed unless it names the permission that opens it."""

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from windlass.auth import service
from windlass.auth.errors import CrossSite, NotAllowed
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.core.errors import NotFound, Unauthorized
from windlass.core.http import Request

COOKIE = "windlass_session"
CurrentActor = NamedDependency[Actor]
_SAFE = {"GET", "HEAD", "OPTIONS"}
Connection = ASGIConnection[Any, Any, Any, Any]


async def authorize(connection: Connection, handler: BaseRouteHandler) -> None:
    """The guard of every route: no actor 401, without the right 403."""
    if handler.opt.get("public"):
        _refuse_other_sites(connection)
        return
    if "permission" not in handler.opt:
        # Only what the framework itself adds; ours name one, or the process does not start.
        raise NotFound()
    actor = await _identify(connection)
    if actor is None:
        raise Unauthorized()
    require(actor, handler.opt["permission"])
    connection.state.actor = actor


def require(actor: Actor, permission: Permission) -> None:
    """The denial text of C-053."""
    if not actor.may(permission):
        raise NotAllowed(permission=permission.value, role=actor.role.value)


async def _identify(connection: Connection) -> Actor | None:
    """A Bearer token counts before a cookie; a cookie must come from our own pages (C-093)."""
    database = connection.app.state.database
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return await service.identify(database, token.strip(), is_session=False)
    if cookie := connection.cookies.get(COOKIE):
        _refuse_other_sites(connection, needs_origin=True)
        return await service.identify(database, cookie, is_session=True)
    return None


def _refuse_other_sites(connection: Connection, *, needs_origin: bool = False) -> None:
    if connection.scope.get("method", "GET") in _SAFE:
        return
    origin = connection.headers.get("origin") or connection.headers.get("referer")
    if origin is None and not needs_origin:
        return
    if urlsplit(origin or "").netloc != connection.headers.get("host"):
        raise CrossSite()


async def provide_actor(request: Request) -> Actor:
    return cast(Actor, request.state.actor)


def handlers_of(app: Litestar) -> Iterator[tuple[str, HTTPRouteHandler]]:
    """Every handler of ours with its path."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            if handler.fn.__module__.startswith("windlass."):
                yield route.path_format, handler


def refuse_open_routes(app: Litestar) -> None:
    """Stop the process rather than serve a route nobody thought about."""
    for path, handler in handlers_of(app):
        if not handler.opt.get("public") and "permission" not in handler.opt:
            raise RuntimeError(f"{path} names no permission")
