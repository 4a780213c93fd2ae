"""Each request has a language before anything answers it.

The address decides first (`/zh/sign-in`, public pages only), then the account, then what this
browser chose, then what it says it accepts. The API speaks English unless `Accept-Language` asks
for something else: programs read codes, not sentences.
"""

import re
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import quote

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from windlass.core import languages

COOKIE = "windlass_language"
_YEAR_SECONDS = 31_536_000
_PREFIX = re.compile(r"/([a-z]{2}(?:-[A-Za-z]{2,4})?)(/.*)?\Z")
_SAFE = {"GET", "HEAD"}


def speaking(app: ASGIApp, public: set[str], *, has_tls: bool) -> ASGIApp:
    """Around the application, inside of what knows the actor. `public` are the paths of pages that
    anybody may see: they have an address in each language (B-159)."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        path = scope["path"]
        prefixed = _PREFIX.match(path)
        rest = (prefixed[2] or "/") if prefixed else ""
        language = languages.known(prefixed[1]) if prefixed else None
        if prefixed and rest in public:
            if language != prefixed[1]:
                await _lead(scope, send, f"/{language}{rest}" if language else rest)
                return
            languages.enter(prefixed[1])
            scope["state"]["prefix"] = f"/{language}"
            inner = cast(Scope, {**scope, "path": rest, "raw_path": quote(rest).encode()})
            await app(inner, receive, _remembering(send, prefixed[1], has_tls=has_tls))
            return
        if prefixed and language and scope["method"] in _SAFE:
            # Pages behind the sign-in have one address; the account says the language.
            await _lead(scope, send, rest)
            return
        languages.enter(_chosen(scope, is_page=not path.startswith("/api/")))
        await app(scope, receive, send)

    return middleware


def cookie(language: str, *, has_tls: bool) -> Cookie:
    """Remembers a choice in this browser."""
    return Cookie(COOKIE, value=language, max_age=_YEAR_SECONDS, samesite="lax", secure=has_tls)


def public_pages(app: Litestar) -> set[str]:
    """The paths of pages that anybody may see."""
    handlers = ((route.path, handler) for route in app.routes for handler in _handlers(route))
    return {
        path
        for path, handler in handlers
        if handler.opt.get("public")
        and "GET" in handler.http_methods
        and not path.startswith(("/api/", "/-/"))
        and "{" not in path
    }


def _handlers(route: Any) -> Iterable[Any]:
    return getattr(route, "route_handlers", ())


def _chosen(scope: Scope, *, is_page: bool) -> str:
    asking: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
    if is_page:
        actor = scope["state"].get("actor")
        found = languages.known(getattr(actor, "language", None))
        found = found or languages.known(asking.cookies.get(COOKIE))
        if found:
            return found
    return languages.accepted(asking.headers.get("accept-language", "")) or languages.DEFAULT


def _remembering(send: Send, language: str, *, has_tls: bool) -> Send:
    """A page in a language of its own choosing: the forms on it and what follows keep it."""
    header = cookie(language, has_tls=has_tls).to_encoded_header()

    async def remember(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], header]
        await send(message)

    return remember


async def _lead(scope: Scope, send: Send, path: str) -> None:
    """To the same page under the address that it has."""
    query = scope["query_string"]
    # Two slashes at the beginning would be another host.
    where = ("/" + quote(path.lstrip("/"))).encode() + (b"?" + query if query else b"")
    headers = [(b"location", where), (b"content-length", b"0")]
    await send(cast(Message, {"type": "http.response.start", "status": 303, "headers": headers}))
    await send(cast(Message, {"type": "http.response.body", "body": b"", "more_body": False}))
