"""Who is asking: found out once for each request, before anything else happens with it.

An identity is remembered for a few seconds, so that a page of twenty requests asks the database
once. It is forgotten at once when anything is written through this process, and when the database
says that somebody's account, session or token changed (a trigger notifies every process).
"""

import base64
import time
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from windlass.auth import sessions
from windlass.auth.errors import TokenExpired
from windlass.auth.models import Actor
from windlass.auth.signing import SigningKeys
from windlass.core import caller, clock
from windlass.core.addresses import client_address
from windlass.core.caller import Caller
from windlass.core.db import Database
from windlass.core.http import AWAY, DatabaseAway
from windlass.core.live import Live

COOKIE = "windlass_session"
SAFE = {"GET", "HEAD", "OPTIONS"}
GIT = "/git/"
TOPIC = "identity"
_SECONDS = 5.0
_ENTRIES = 10_000
_WITHOUT = ("/-/assets/", "/api/health")


class Identities:
    """Who carries which credential. Only those that are good are remembered."""

    def __init__(self, system: Database, signing: SigningKeys, live: Live) -> None:
        self.signing = signing
        self._system = system
        self._known: dict[str, tuple[Actor, float]] = {}
        live.subscribe(TOPIC, lambda _: self.forget())

    async def of(self, credential: str) -> Actor | None:
        """The person, or None when the credential opens nothing. Raises TokenExpired."""
        known = self._known.get(credential)
        if known is not None and known[1] > time.monotonic() and _is_good(known[0]):
            return known[0]
        actor = await sessions.identify(self._system, self.signing, credential)
        if actor is not None:
            if len(self._known) >= _ENTRIES:
                self.forget()
            self._known[credential] = (actor, time.monotonic() + _SECONDS)
        return actor

    def forget(self) -> None:
        """Everybody is looked up again."""
        self._known.clear()


def front(app: ASGIApp, parts: State) -> ASGIApp:
    """Around the whole application: each request knows its actor and its caller.

    A cookie only counts where a page of ours may have sent it; whether that is so is the guard's
    to say (`auth.deps`), who knows the route.
    """

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith(_WITHOUT):
            await app(scope, receive, send)
            return
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        address = client_address(scope, parts.settings.edge.trusted_proxies)
        asking = Caller(None, address, connection.headers.get("user-agent", ""))
        caller.enter(asking)
        identities: Identities = parts.identities
        found = _credential(connection)
        try:
            actor = await identities.of(found) if found else None
        except TokenExpired as expired:
            # What is public stays so; the guard tells why the rest is closed.
            actor, scope["state"]["refusal"] = None, expired
        except AWAY:
            actor, scope["state"]["refusal"] = None, DatabaseAway()
        scope["state"]["actor"] = actor
        if actor is not None:
            caller.enter(Caller(actor.id, asking.address, asking.user_agent))
        if scope["method"] in SAFE:
            await app(scope, receive, send)
            return

        async def send_after_writing(message: Message) -> None:
            # The transaction is over when the answer begins: what it changed counts at once.
            identities.forget()
            await send(message)

        await app(scope, receive, send_after_writing)

    return middleware


def _is_good(actor: Actor) -> bool:
    return actor.expires_at is None or actor.expires_at > clock.now()


def _credential(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """What a request carries: a Bearer token counts before the cookie."""
    token = bearer(connection.headers.get("authorization", ""), connection.scope["path"])
    return connection.cookies.get(COOKIE, "") if token is None else token


def bearer(authorization: str, path: str) -> str | None:
    """The token of the header; None when it brings something else, and the cookie counts.

    Git knows only names and passwords: below `/git/` a password is a token, and no cookie counts.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if path.startswith(GIT):
        return _password(token) if scheme.lower() == "basic" else ""
    return None


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
