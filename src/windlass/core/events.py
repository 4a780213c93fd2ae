"""Facts. A service states what happened; the row is the audit log and the trigger of jobs."""

from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Index, Select, bindparam, insert, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from windlass.core import caller, log, queue
from windlass.core.db import Model
from windlass.core.ids import uuid7

TYPES: dict[str, type["Event"]] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, in the past tense. Areas make subclasses in their events.py."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        TYPES[name_of(cls)] = cls


class EventRow(Model):
    """What happened, of what and whom, and where it was asked from. Rows are only ever added."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_name_created_at", "name", "created_at"),
        Index("ix_events_actor_id_created_at", "actor_id", "created_at", "id"),
        Index("ix_events_user_id_created_at", "user_id", "created_at", "id"),
        Index("ix_events_project_id_created_at", "project_id", "created_at", "id"),
        Index("ix_events_team_id_created_at", "team_id", "created_at", "id"),
        Index("ix_events_created_at", "created_at", "id"),
    )

    name: Mapped[str]
    actor_id: Mapped[UUID | None]
    # Whom, what and which team it is about, where the fact names one: who may read it hangs on
    # these. No foreign keys: the record outlives what it is about (B-024).
    user_id: Mapped[UUID | None]
    project_id: Mapped[UUID | None]
    team_id: Mapped[UUID | None]
    request_id: Mapped[str] = mapped_column(default="", server_default="")
    address: Mapped[str] = mapped_column(default="", server_default="")
    user_agent: Mapped[str] = mapped_column(default="", server_default="")
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)


def name_of(event: type[Event]) -> str:
    """`deployments.Queued` for `windlass.deployments.events.Queued`."""
    return f"{event.__module__.split('.')[1]}.{event.__qualname__}"


async def emit(db: AsyncSession, event: Event, *, by: UUID | None) -> None:
    """Record the fact and queue its jobs. Both happen only if the transaction commits."""
    asking = caller.current()
    name, payload = name_of(type(event)), msgspec.to_builtins(event)
    row = {
        "id": uuid7(),
        "name": name,
        "actor_id": by,
        "user_id": getattr(event, "user_id", None),
        "project_id": getattr(event, "project_id", None),
        "team_id": getattr(event, "team_id", None),
        "request_id": log.request_id.get(),
        "address": asking.address[:64],
        "user_agent": asking.user_agent[:300],
        "payload": payload,
    }
    values = {f"row_{column}": value for column, value in row.items()}
    if queue.conditions_of(type(event)):
        asked = await db.execute(_question_of(type(event)), values | msgspec.structs.asdict(event))
        answers = tuple(asked.one())
    else:
        await db.execute(_INSERT, values)
        answers = ()
    await queue.put_all(db, event, {"event": name, "payload": payload}, answers)


_WRITTEN = [
    column for column in EventRow.__table__.c if column.name not in ("created_at", "updated_at")
]
# Without RETURNING: a fact may be about what its author cannot read any more.
_INSERT = (
    insert(EventRow)
    .inline()
    .values({column: bindparam(f"row_{column.name}", type_=column.type) for column in _WRITTEN})
)


@cache
def _question_of(event: type[Event]) -> Select[*tuple[Any, ...]]:
    """Writes the fact, and asks in the same breath what its jobs depend on."""
    return select(*queue.conditions_of(event)).add_cte(_INSERT.cte("fact"))
