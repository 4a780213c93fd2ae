"""The log as a file: read in batches while it is sent, so that its size costs no memory (C-272)."""

import csv
import datetime as dt
import io
from collections.abc import AsyncGenerator
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.audit import events, listing
from windlass.audit.listing import Query, Seen
from windlass.audit.schemas import EntryOut, Named
from windlass.auth.models import Actor
from windlass.core import clock
from windlass.core.db import Database
from windlass.core.events import emit

Format = Literal["json", "csv"]
MOST = 100_000
MEDIA_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
_BATCH = 1000
_FILTERS = ("type", "action", "actor", "user", "project", "team", "since", "until", "search")
_COLUMNS = (
    "id",
    "createdAt",
    "type",
    "action",
    "sentence",
    "actorId",
    "actor",
    "userId",
    "user",
    "projectId",
    "project",
    "teamId",
    "team",
    "address",
    "userAgent",
    "requestId",
    "metadata",
)
# A team or a project learns of an export only from those who may read it there.
_MINE = text("""
select (select team_id from team_members where user_id = :me and team_id = cast(:team as uuid)
    and role in ('ADMIN', 'OWNER')),
  (select id from unnest(projects_of(:me)) id where id = cast(:project as uuid))
""")
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


async def begin(
    db: AsyncSession, asked: Query, format: Format, *, seen: Seen, by: Actor
) -> dict[str, object]:
    """State that the log is taken away, and return the filters; raises BadFilter."""
    values = listing.values_of(asked)
    wanted = {"me": by.id, "team": values.get("team"), "project": values.get("project")}
    team_id, project_id = (await db.execute(_MINE, wanted)).one()
    given = {name: getattr(asked, name) for name in _FILTERS if getattr(asked, name)}
    event = events.Exported(
        format=format,
        filters=given,
        everything=seen is Seen.everything,
        team_id=team_id,
        project_id=project_id,
    )
    await emit(db, event, by=by.id)
    return values


def file_name(format: Format) -> str:
    return f"windlass-audit-{clock.now():%Y-%m-%d}.{format}"


async def content(
    database: Database, values: dict[str, object], format: Format, *, of: UUID | None, seen: Seen
) -> AsyncGenerator[bytes]:
    """The newest entries first, at most `MOST`; JSON says at its end whether these are all."""
    yield _row(_COLUMNS) if format == "csv" else b'{"entries":['
    after: tuple[dt.datetime, UUID] | None = None
    count = 0
    while True:
        entries, after = await listing.older(
            database, values, of=of, seen=seen, limit=min(_BATCH, MOST - count), after=after
        )
        if format == "csv":
            yield b"".join(_row(_cells(entry)) for entry in entries)
        elif entries:
            yield (b"," if count else b"") + b",".join(map(msgspec.json.encode, entries))
        count += len(entries)
        if after is None or count >= MOST:
            break
    if format == "json":
        yield b'],"isComplete":%s}' % (b"true" if after is None else b"false")


def _cells(entry: EntryOut) -> tuple[str, ...]:
    return (
        entry.id,
        entry.created_at.astimezone(dt.UTC).isoformat(),
        entry.type,
        entry.action,
        entry.sentence,
        *_pair(entry.actor),
        *_pair(entry.user),
        *_pair(entry.project),
        *_pair(entry.team),
        entry.address or "",
        entry.user_agent or "",
        entry.request_id or "",
        msgspec.json.encode(entry.metadata).decode(),
    )


def _pair(named: Named | None) -> tuple[str, str]:
    return (named.id, named.name or "") if named is not None else ("", "")


def _row(cells: tuple[str, ...]) -> bytes:
    """A line of CSV (RFC 4180) in which no cell is a formula."""
    line = io.StringIO()
    csv.writer(line).writerow([f"'{c}" if c.startswith(_FORMULA) else c for c in cells])
    return line.getvalue().encode()
