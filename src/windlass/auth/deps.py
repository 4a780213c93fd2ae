"""Every route is closed unless it names the permission that opens it.

The guard asks what does not depend on an object: is somebody signed in, are they suspended, does
their token allow it, are they an admin of the platform. What depends on a project or a team is
asked where the object is loaded (`Actor.require`), because only there the role is known.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.errors import NotAllowed, Suspended, TokenTooNarrow
from windlass.auth.front import SAFE, bearer
from windlass.auth.models import Actor
from windlass.auth.permissions import ADMIN_ONLY, Permission
from windlass.core.errors import CrossSite, NotFound, Unauthorized
from windlass.core.http import Request

CurrentActor = NamedDependency[Actor]
# A transaction that sees everything: for what happens before anybody is known. Only `auth` and
# the platform's admins may ask for it (tests/arch).
SystemDB = NamedDependency[AsyncSession]
Connection = ASGIConnection[Any, Any, Any, Any]


async def authorize(connection: Connection, handler: BaseRouteHandler) -> None:
    """The guard of every route: no actor 401, not allowed 403."""
    actor: Actor | None = connection.scope["state"].get("actor")
    if handler.opt.get("public"):
        _refuse_other_sites(connection)
        return
    if "permission" not in handler.opt:
        # Only what the framework itself adds; ours name one, or the process does not start.
        raise NotFound()
    if actor is None:
        raise connection.scope["state"].get("refusal") or Unauthorized()
    if bearer(connection.headers.get("authorization", "")) is None:
        # A cookie must come from our own pages (C-093), whatever else the request carries.
        _refuse_other_sites(connection, needs_origin=True)
    if actor.is_suspended and not handler.opt.get("suspended_too"):
        raise Suspended()
    _require_platform(actor, handler.opt)


def _require_platform(actor: Actor, opt: Mapping[str, Any]) -> None:
    permission: Permission = opt["permission"]
    # Who they are and how to stop being it, every token may know.
    is_narrow = actor.scopes is not None and not opt.get("any_scope")
    if is_narrow and permission not in (actor.scopes or ()):
        raise TokenTooNarrow(permission=permission.value)
    if permission in ADMIN_ONLY and not actor.is_admin:
        raise NotAllowed(permission=permission.value, role="user")


def permission_of(request: Request) -> Permission:
    """What the route that is being answered asks for."""
    return cast(Permission, request.route_handler.opt["permission"])


def _refuse_other_sites(connection: Connection, *, needs_origin: bool = False) -> None:
    if connection.scope.get("method", "GET") in SAFE:
        return
    origin = connection.headers.get("origin") or connection.headers.get("referer")
    if origin is None and not needs_origin:
        return
    if urlsplit(origin or "").netloc != connection.headers.get("host"):
        raise CrossSite()


async def provide_actor(request: Request) -> Actor:
    return cast(Actor, request.scope["state"]["actor"])


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
