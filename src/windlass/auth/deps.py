"""Every route is closed unless it names the permission that opens it.

The guard asks what does not depend on an object: is somebody signed in, are they suspended, does
their token allow it, are they an admin of the platform. What depends on a project or a team is
asked where the object is loaded (`Actor.require`), because only there the role is known.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from litestar import Litestar
from litestar.datastructures import Headers
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send
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


def guarded(app: ASGIApp) -> ASGIApp:
    """The guard of every route, before anything of it runs: no actor 401, not allowed 403.

    A middleware, because the framework's own guards get a copy of the connection each time.
    """

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            _authorize(scope, scope["route_handler"].opt)
        await app(scope, receive, send)

    return middleware


def _authorize(scope: HTTPScope, opt: Mapping[str, Any]) -> None:
    actor: Actor | None = scope["state"].get("actor")
    if opt.get("public"):
        _refuse_other_sites(scope)
        return
    if "permission" not in opt:
        # Only what the framework itself adds; ours name one, or the process does not start.
        raise NotFound()
    if actor is None:
        raise scope["state"].get("refusal") or Unauthorized()
    _refuse_other_sites(scope, is_signed_in=True)
    if actor.is_suspended and not opt.get("suspended_too"):
        raise Suspended()
    _require_platform(actor, opt)


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


def _refuse_other_sites(scope: HTTPScope, *, is_signed_in: bool = False) -> None:
    """What changes something and was begun in a browser must come from our own pages (C-093)."""
    if scope["method"] in SAFE:
        return
    headers = Headers.from_scope(scope)
    if is_signed_in and bearer(headers.get("authorization", ""), scope["path"]) is not None:
        # No browser adds it by itself; what else the request carries does not count.
        return
    origin = headers.get("origin") or headers.get("referer")
    if origin is None and not is_signed_in:
        return
    if urlsplit(origin or "").netloc != headers.get("host"):
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
