"""What every handler gets from the web framework: one transaction, one envelope, one error."""

import time
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from litestar import MediaType, Response
from litestar import Request as LitestarRequest
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.core import cursors, headers, idempotency, languages, limit, log
from windlass.core.errors import (
    AppError,
    BadRequest,
    Conflict,
    InternalError,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from windlass.core.idempotency import Replayed, StillAtWork
from windlass.core.ids import uuid7
from windlass.core.schemas import Page
from windlass.core.settings import Settings

Request = LitestarRequest[Any, Any, Any]
DB = NamedDependency[AsyncSession]

BODY_LIMIT_BYTES = 1 << 20
_SAFE = {"GET", "HEAD", "OPTIONS"}
_started: ContextVar[float] = ContextVar("started", default=0.0)

_STATUS: dict[int, type[AppError]] = {
    400: BadRequest,
    401: Unauthorized,
    404: NotFound,
    405: MethodNotAllowed,
    413: TooLarge,
    415: UnsupportedMediaType,
}


class DatabaseAway(Unavailable):
    """The database is away for a moment. Try again in a few seconds; sites are not affected."""


AWAY = (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, ConnectionError)


class BadParameter(BadRequest):
    """This cannot be read. {said}"""

    @classmethod
    def of(cls, fields: list[dict[str, str]]) -> "BadParameter":
        said = "; ".join(f"{field['field']}: {field['message']}" for field in fields)
        return cls(said=said, fields=fields)

    @property
    def details(self) -> dict[str, object]:
        return {"fields": self.facts["fields"]}


class Envelope(Response[Any]):
    """`{ok, data, meta}` around what a handler returns (C-070, C-094)."""

    def to_asgi_response(self, app: Any, request: Request, **kwargs: Any) -> Any:
        self._is_empty = (self.status_code or kwargs.get("status_code")) == 204
        self._request = request
        answer = request.state.answer = super().to_asgi_response(app, request, **kwargs)
        return answer

    def render(self, content: Any, media_type: str, enc_hook: Any = None) -> bytes:
        if self._is_empty:
            return b""
        meta: dict[str, Any] = {"timing": {"durationMs": _duration_ms()}}
        if (verdict := limit.current()) is not None:
            meta["rateLimit"] = verdict.as_meta()
        if isinstance(content, Page):
            meta["pagination"] = self._pagination(content)
            content = content.items
        return msgspec.json.encode({"ok": True, "data": content, "meta": meta}, enc_hook=enc_hook)

    def _pagination(self, page: Page[Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"hasMore": page.has_more}
        if page.cursor is not None:
            found["cursor"] = cursors.sealed(self._request, page.cursor)
        if page.total is not None:
            found["total"] = page.total
        return found


def track(app: ASGIApp, settings: Settings) -> ASGIApp:
    """One id for each request: in the header, in the error body and in the log (C-073, D-28)."""
    of_every_answer = headers.of_every_answer(settings)

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        id = _incoming_id(scope) or "req_" + uuid7().hex
        log.request_id.set(id)
        _started.set(time.perf_counter())

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = message["headers"] = list(message["headers"])
                there = {name for name, _ in found}
                found.append((b"x-request-id", id.encode()))
                found.extend(pair for pair in of_every_answer if pair[0] not in there)
                _log_request(scope, message["status"])
            await send(message)

        await app(scope, receive, send_with_headers)

    return middleware


def _incoming_id(scope: Scope) -> str | None:
    """An id given by the caller is kept when it is a UUID (B-076)."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            try:
                return str(UUID(value.decode("ascii", "replace")))
            except ValueError:
                return None
    return None


def _log_request(scope: Scope, status: int) -> None:
    if scope["path"].startswith(("/api/health", "/-/assets/")):
        return
    log.get().info(
        "http.request",
        method=scope.get("method"),
        path=scope["path"],
        status=status,
        durationMs=_duration_ms(),
    )


async def provide_db(request: Request) -> AsyncGenerator[AsyncSession]:
    """One request, one transaction: commit when the handler returns, before the answer is sent.

    Reads run each statement by itself. Any error rolls back.
    """
    database = request.app.state.database
    db = _remember(request, (database.reads if request.method in _SAFE else database.sessions)())
    request.state.db = db
    await idempotency.begin(request, db)
    yield db
    await idempotency.keep(request, db)
    await db.commit()


async def provide_system_db(request: Request) -> AsyncGenerator[AsyncSession]:
    """The same, but seeing everything: for what happens before anybody is known."""
    db = _remember(request, request.app.state.system.sessions())
    await idempotency.begin(request, db)
    yield db
    await idempotency.keep(request, db)
    await db.commit()


def _remember(request: Request, db: AsyncSession) -> AsyncSession:
    """Close this session when the request ends."""
    request.scope["state"].setdefault("sessions", []).append(db)
    return db


def close_session(app: ASGIApp) -> ASGIApp:
    """The sessions of a request end with it, whatever happened; most requests have none."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        finally:
            for db in scope["state"].get("sessions", ()):
                await db.close()

    return middleware


def render_error(request: Request, error: Exception) -> Response[Any]:
    """Any exception as the error envelope; what is not an AppError says nothing of itself."""
    if isinstance(error, Replayed):
        return error.as_response()
    known = as_app_error(error)
    if isinstance(known, InternalError):
        log.get().error("http.bug", path=request.url.path, exc_info=error)
    body: dict[str, Any] = {
        "code": known.code,
        "message": known.message,
        "requestId": log.request_id.get(),
    }
    if known.details:
        body["details"] = _retold(known.details)
    answer = {"ok": False, "error": body, "meta": {"timing": {"durationMs": _duration_ms()}}}
    return Response(
        msgspec.json.encode(answer, enc_hook=str),
        status_code=known.status,
        media_type=MediaType.JSON,
        headers=_error_headers(known),
    )


def _retold(details: dict[str, object]) -> dict[str, object]:
    """What is wrong with the fields, in the language of the answer."""
    fields = details.get("fields")
    if not isinstance(fields, list) or languages.current() == languages.DEFAULT:
        return details
    found: list[dict[str, str]] = fields  # pyright: ignore[reportUnknownVariableType]
    told = [{**field, "message": languages.retold(field.get("message", ""))} for field in found]
    return {**details, "fields": told}


def as_app_error(error: Exception) -> AppError:
    """The one place where foreign exceptions become ours (B-063)."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, IntegrityError):
        return Conflict()
    if isinstance(error, AWAY) or (isinstance(error, DBAPIError) and _broke(error)):
        return DatabaseAway()
    if isinstance(error, ValidationException):
        found: Any = error.extra or []
        fields = [{"field": e.get("key", ""), "message": e.get("message", "")} for e in found]
        return BadParameter.of(fields) if fields else BadRequest()
    if isinstance(error, HTTPException) and error.status_code in _STATUS:
        return _STATUS[error.status_code]()
    return InternalError()


def _broke(error: DBAPIError) -> bool:
    """Whether the connection is the reason. The driver loses count when it ends under a message."""
    driver = error.orig.__cause__ if error.orig else None
    return error.connection_invalidated or isinstance(driver, (*AWAY, asyncpg.InternalClientError))


def _error_headers(error: AppError) -> dict[str, str]:
    spoken = {"content-language": languages.current(), "vary": "Accept-Language"}
    return spoken | _headers_of(error)


def _headers_of(error: AppError) -> dict[str, str]:
    if error.status == 401:
        return {"www-authenticate": "Bearer"}
    if isinstance(error, StillAtWork):
        return {"retry-after": str(error.facts["retryAfterSeconds"])}
    return {"retry-after": "2"} if error.status == 503 else {}


def _duration_ms() -> float:
    return round((time.perf_counter() - _started.get()) * 1000, 2)
