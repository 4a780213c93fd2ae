"""Answers that are given again: a POST with the same Idempotency-Key is done once."""

from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from windlass.core.db import Model


class IdempotentAnswer(Model):
    """What was asked with a key, and what was answered. Kept for a day."""

    __tablename__ = "idempotent_answers"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    user_id: Mapped[UUID]
    key: Mapped[str]
    # Method, path and SHA-256 of the body: another request with the same key is a mistake.
    request_sha256: Mapped[bytes]
    # Null while the first request is at work.
    status: Mapped[int | None]
    media_type: Mapped[str | None]
    body: Mapped[bytes | None]
    location: Mapped[str | None]
