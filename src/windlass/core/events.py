"""Facts. A service states what happened; the row is the audit log and the trigger of jobs."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from windlass.core import log, queue
from windlass.core.db import Model

TYPES: dict[str, type["Event"]] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, in the past tense. Areas make subclasses in their events.py."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        TYPES[name_of(cls)] = cls


class EventRow(Model):
    __tablename__ = "events"
    __table_args__ = (Index("ix_events_name_created_at", "name", "created_at"),)

    name: Mapped[str]
    actor_id: Mapped[UUID | None]
    request_id: Mapped[str] = mapped_column(default="")
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)


def name_of(event: type[Event]) -> str:
    """`deployments.Queued` for `windlass.deployments.events.Queued`."""
    return f"{event.__module__.split('.')[1]}.{event.__qualname__}"


async def emit(db: AsyncSession, event: Event, *, by: UUID | None) -> None:
    """Record the fact and queue its jobs. Both happen only if the transaction commits."""
    row = EventRow(
        name=name_of(type(event)),
        actor_id=by,
        request_id=log.request_id.get(),
        payload=msgspec.to_builtins(event),
    )
    db.add(row)
    await db.flush()
    for subscriber in queue.subscribers_of(type(event)):
        await queue.put(db, subscriber.name, {"event": row.name, "payload": row.payload})
