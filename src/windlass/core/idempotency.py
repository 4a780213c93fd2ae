"""Answers that are given again: a POST with the same `Idempotency-Key` is done once.

What is done and what was answered are written in one transaction, under a lock on the key: after a
crash there are both or neither, so a request that is sent again is never done twice. Only answers
of success are kept; what failed has changed nothing and is tried again. Files that are sent as raw
bodies are known by their hash or their length, not read for this.
"""

import hashlib
import re
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response
from sqlalchemy import UniqueConstraint, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from windlass.core import caller
from windlass.core.crypto import KeyRing
from windlass.core.db import Model
from windlass.core.errors import BadRequest, Conflict, ValidationFailed

HEADER = "idempotency-key"
KEPT_HOURS = 24
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_LOCK = text("select pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


class BadKey(BadRequest):
    """Idempotency-Key must be 1 to 255 printable ASCII letters without spaces."""


class KeyUsed(ValidationFailed):
    """This Idempotency-Key was used for another request. Take a new key for each request."""


class StillAtWork(Conflict):
    """The first request with this Idempotency-Key is still being worked on. Ask again soon."""


class IdempotentAnswer(Model):
    """What was asked with a key, and what was answered. Kept for a day."""

    __tablename__ = "idempotent_answers"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    user_id: Mapped[UUID]
    key: Mapped[str]
    # Method, path and SHA-256 of the body: another request with the same key is a mistake.
    request_sha256: Mapped[bytes]
    status: Mapped[int | None]
    media_type: Mapped[str | None]
    # Sealed: some answers show a secret, once.
    body: Mapped[bytes | None]
    location: Mapped[str | None]


class Replayed(Exception):
    """The request was answered before; this is that answer."""

    def __init__(self, answer: IdempotentAnswer, body: bytes) -> None:
        super().__init__(answer.key)
        self.answer, self.body = answer, body

    def as_response(self) -> Response[bytes]:
        headers = {"idempotent-replayed": "true"}
        if self.answer.location:
            headers["location"] = self.answer.location
        return Response(
            self.body,
            status_code=self.answer.status or 200,
            media_type=self.answer.media_type,
            headers=headers,
        )


class _Begun(msgspec.Struct, frozen=True):
    user_id: UUID
    key: str
    request_sha256: bytes


async def begin(request: Request[Any, Any, Any], db: AsyncSession) -> None:
    """Before anything is done in this transaction. Raises Replayed, KeyUsed or StillAtWork."""
    user_id = caller.current().user_id
    key = request.headers.get(HEADER)
    if key is None or user_id is None or request.method != "POST" or "idempotent" in request.state:
        return
    if not _KEY.fullmatch(key):
        raise BadKey()
    if not await db.scalar(_LOCK, {"name": f"{user_id}:{key}"}):
        raise StillAtWork(retryAfterSeconds=1)
    begun = _Begun(user_id, key, await _hash_of(request))
    query = select(IdempotentAnswer).where(
        IdempotentAnswer.user_id == user_id, IdempotentAnswer.key == key
    )
    if (answer := await db.scalar(query)) is not None:
        if answer.request_sha256 != begun.request_sha256:
            raise KeyUsed()
        keys: KeyRing = request.app.state.key_ring
        context = context_of(user_id, key)
        raise Replayed(answer, keys.open_sealed(answer.body or b"", context=context))
    request.state.idempotent = begun


async def keep(request: Request[Any, Any, Any], db: AsyncSession) -> None:
    """After the work, in its transaction: remember what is going to be answered."""
    begun: _Begun | None = request.state.get("idempotent")
    answer = request.state.get("answer")
    if begun is None or answer is None or answer.status_code >= 400:
        return
    keys: KeyRing = request.app.state.key_ring
    headers = {name.lower(): value for name, value in answer.headers.items()}
    row = {
        "user_id": begun.user_id,
        "key": begun.key,
        "request_sha256": begun.request_sha256,
        "status": answer.status_code,
        "media_type": headers.get("content-type"),
        "body": keys.seal(answer.body, context=context_of(begun.user_id, begun.key)),
        "location": headers.get("location"),
    }
    await db.execute(insert(IdempotentAnswer).values(**row))
    del request.state.idempotent


async def _hash_of(request: Request[Any, Any, Any]) -> bytes:
    url = request.url
    parts = [request.method, url.path, url.query, request.headers.get("content-length", "")]
    is_raw = request.route_handler.opt.get("raw_body")
    body = b"" if is_raw else await request.body()
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + body).digest()


def context_of(user_id: UUID, key: str) -> str:
    """What the seal of an answer is tied to."""
    return f"answer:{user_id}:{key}"
