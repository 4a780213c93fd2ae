"""Every request is counted before it is worked on, and every answer says how much is left.

`limited` is a middleware of the routes: it knows which limits a route names. `announced` is around
everything: it writes the headers, and counts what never came to a route. Both expect the actor, if
there is one, in the request's state, and `limiter`, `settings` and `key_ring` in the app's.
"""

from typing import Any

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from windlass.auth import known_devices, rates
from windlass.auth.known_devices import Device
from windlass.auth.models import Actor
from windlass.core import addresses, limit
from windlass.core.http import Request
from windlass.core.limit import Limiter, Verdict


def limited(app: ASGIApp) -> ASGIApp:
    """Refuse what is too much, with 429 (C-082, B-070)."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            verdict = await _check(scope, scope["route_handler"].opt.get("rate"))
            if not verdict.success:
                raise verdict.as_error()
        await app(scope, receive, send)

    return middleware


def announced(app: ASGIApp) -> ASGIApp:
    """X-RateLimit-* on every answer, Retry-After on 429 (D-17, D-18)."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        limit.enter(None)
        is_replaced = False

        async def send_announced(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start":
                if "route_handler" not in scope:
                    verdict = await _check(scope, None)
                    if not verdict.success:
                        is_replaced = True
                        await _refuse(scope, receive, send, verdict)
                        return
                _announce(message)
            if not is_replaced:
                await send(message)

        await app(scope, receive, send_announced)

    return middleware


async def count(request: Request, name: rates.Counted, *, of: str) -> None:
    """Count one try for an account, a source or a project; raises TooManyRequests."""
    parts = request.app.state
    rule = rates.rule_for(parts.settings.limits, name, of)
    verdict = await parts.limiter.check_all((rule,))
    limit.enter(limit.stricter(limit.current(), verdict))
    if not verdict.success:
        raise verdict.as_error()


async def count_sign_in(request: Request, login: str) -> None:
    """Count one try to sign in; raises TooManyRequests. The tries of others do not count where
    the account was signed in before."""
    device = _device(request.scope)
    is_known = device is not None and login in device.names
    await count(request, "sign_in", of=device.key if device and is_known else login)


async def count_password(request: Request, actor: Actor, password: str | None) -> None:
    """Count one try of somebody who is signed in to prove their password; raises TooManyRequests.
    Apart from those of a sign-in: no stranger's tries keep anybody from proving it."""
    if password is not None:
        await count(request, "sign_in", of=f"signed-in:{actor.id}")


def refuse_unknown_rates(app: Litestar) -> None:
    """Stop the process rather than find a mistyped `rate` with the first request."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if handler.opt.get("rate") not in {None, *rates.NAMES}:
                raise RuntimeError(f"{route.path_format} names a rate that does not exist")


async def _check(scope: HTTPScope, rate: str | None) -> Verdict:
    parts = scope["litestar_app"].state
    actor: Any = scope["state"].get("actor")
    device = _device(scope) if rate in rates.TRIED else None
    asking = rates.Asking(
        addresses.client_address(scope, parts.settings.edge.trusted_proxies),
        user_id=getattr(actor, "id", None),
        plan=getattr(actor, "plan", None),
        device=device.key if device else None,
    )
    rules = rates.rules(
        parts.settings.limits, rate, method=scope["method"], path=scope["path"], asking=asking
    )
    limiter: Limiter = parts.limiter
    verdict = await limiter.check_all(rules, rates.cost(rate))
    limit.enter(verdict)
    return verdict


def _device(scope: HTTPScope) -> Device | None:
    """The browser's own word that it is known, where it carries one."""
    connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
    cookie = connection.cookies.get(known_devices.COOKIE, "")
    return known_devices.of(cookie, scope["litestar_app"].state.key_ring)


async def _refuse(scope: HTTPScope, receive: Receive, send: Send, verdict: Verdict) -> None:
    """In place of the answer that there is no such address."""
    app = scope["litestar_app"]
    request: Request = app.request_class(scope, receive)
    response = app.exception_handlers[Exception](request, verdict.as_error())

    async def send_announced(message: Message) -> None:
        if message["type"] == "http.response.start":
            _announce(message)
        await send(message)

    await response.to_asgi_response(None, request)(scope, receive, send_announced)


def _announce(message: Any) -> None:
    verdict = limit.current()
    if verdict is None:
        return
    headers = [
        (b"x-ratelimit-limit", str(verdict.limit)),
        (b"x-ratelimit-remaining", str(verdict.remaining)),
        (b"x-ratelimit-reset", verdict.reset),
    ]
    if message["status"] == 429:
        headers.append((b"retry-after", str(verdict.retry_after_seconds)))
    message["headers"] = [*message["headers"], *((n, v.encode()) for n, v in headers)]
