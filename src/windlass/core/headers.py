"""The headers that every answer has, and the few origins that may read answers from elsewhere.

The one place of them, so that each is there once (F-23): pages, API, errors and files alike.
"""

from collections.abc import Sequence

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from windlass.core.settings import Settings, words

API_VERSION = "2026-02-12"
# No inline script or style, no other host (D-38).
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self';"
    " frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    "x-dns-prefetch-control": "on",
}
_TWO_YEARS = 63_072_000
_PREFLIGHT_SECONDS = b"600"
_METHODS = b"GET, POST, PUT, PATCH, DELETE"
_SENT = b"authorization, content-type, idempotency-key, last-event-id, x-request-id"
_SHOWN = (
    b"api-version, deprecation, idempotent-replayed, link, location, retry-after,"
    b" x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, x-request-id"
)
Pairs = list[tuple[bytes, bytes]]


def of_every_answer(settings: Settings) -> Pairs:
    """What is added where a handler did not set it itself (B-077, C-086)."""
    found = {"api-version": API_VERSION, **SECURITY_HEADERS}
    if settings.url.startswith("https:"):
        found["strict-transport-security"] = f"max-age={_TWO_YEARS}; includeSubDomains; preload"
        if settings.environment == "production":
            found["content-security-policy"] += "; upgrade-insecure-requests"
    return [(name.encode(), value.encode()) for name, value in found.items()]


def shared(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Cross-origin requests to the API, for exactly the origins of the settings; else nothing.

    Never with credentials: a page of another origin has to bring a token, the cookie is ours.
    """
    origins = {origin.encode() for origin in words(settings.cors_origins)}

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not scope["path"].startswith("/api/"):
            await app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        origin = asked.get(b"origin")
        if origin not in origins:
            await app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
            await _answer_preflight(send, origin)
            return

        async def send_shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [*_origin(origin), (b"access-control-expose-headers", _SHOWN)]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await app(scope, receive, send_shared)

    return middleware if origins else app


async def _answer_preflight(send: Send, origin: bytes) -> None:
    headers = [
        *_origin(origin),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", _SENT),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _origin(origin: bytes) -> Sequence[tuple[bytes, bytes]]:
    return ((b"access-control-allow-origin", origin), (b"vary", b"Origin"))
