"""Reading deployments: one column list, filters, sorts and the cursor that carries them.

Each combination of filters becomes one SQL text, made once and kept: building statements per
request cost more than running them.
"""

import datetime as dt
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core import ids
from windlass.core.db import Database
from windlass.core.errors import NotFound
from windlass.core.paging import LIMIT, LIMIT_MAX, id_in, time_in
from windlass.core.schemas import BadCursor, BadLimit, BadSort, Cursor, Page, read_cursor
from windlass.core.settings import Settings
from windlass.deployments.errors import BadFilter, DeploymentNotFound
from windlass.deployments.phases import Status
from windlass.deployments.schemas import DeploymentOut


def _id(prefix: str, column: str) -> str:
    return f"'{prefix}_' || replace({column}::text, '-', '')"


# The outward shape, made by the database: the list is answered without touching its rows here.
# $1 and $2 are what stands before and behind a host name in an address. `DeploymentOut` reads it.
_FIELDS = {
    "id": _id("depl", "d.id"),
    "projectId": _id("proj", "d.project_id"),
    "project": "json_build_object('name', p.name, 'slug', split_part(p.slug, '~', 1), 'ref',"
    f" case when p.owner_id = windlass_user() then p.slug else {_id('proj', 'p.id')} end)",
    "status": "lower(d.status)",
    "queue": "case when d.status = 'QUEUED' then"
    " (select q.place from places q where q.deployment_id = d.id) end",
    "branch": "d.branch",
    "prNumber": "d.pull_number",
    "commitSha": "d.commit_sha",
    "commitMessage": "d.commit_message",
    "url": "case when d.plan->>'kind' is distinct from 'worker' then $1 || d.host || $2 end",
    "siteSlug": "d.site_slug",
    "buildTimeSeconds": "d.build_time_seconds",
    "isActive": "d.is_active",
    "isPreview": "d.is_preview",
    "errorCode": "d.error_code",
    "errorMessage": "d.error_message",
    "attempt": "d.attempt",
    "note": "d.note",
    "promotedAt": "d.promoted_at",
    "promotedBy": _id("user", "d.promoted_by"),
    "plan": "d.plan",
    "fileCount": "d.file_count",
    "sizeBytes": "d.size_bytes",
    "createdAt": "d.created_at",
    "startedAt": "d.started_at",
    "finishedAt": "d.finished_at",
}
# `row_to_json` over named columns: a fifth faster than `json_build_object` here.
_SHAPE = ", ".join(f'{value} as "{name}"' for name, value in _FIELDS.items())
# Where those of these projects stand that wait: counted once for a page, and not at all when none
# on it waits (the database makes such a part when it is first asked for).
_PLACES = "with places as materialized (select * from queue_places({})) "
_SELECT = (
    f"select (select row_to_json(r)::text from (select {_SHAPE}) r) as shape,"
    " d.project_id, d.id, d.created_at, d.finished_at, d.build_time_seconds"
)
_SELECT_NEWEST = _SELECT.replace("select ", "select distinct on (d.project_id) ", 1)
_FROM = " from deployments d join projects p on p.id = d.project_id"
_DECODER = msgspec.json.Decoder(DeploymentOut)
_SORTS = {
    "createdAt": "d.created_at",
    "finishedAt": "d.finished_at",
    "buildTimeSeconds": "d.build_time_seconds",
}


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is asked for, as it stands in the address."""

    limit: int = LIMIT
    cursor: str | None = None
    sort: str = "-createdAt"
    status: str | None = None
    project_id: str | None = None
    branch: str | None = None
    is_preview: bool | None = None
    total: bool = False


async def page(
    database: Database, settings: Settings, query: Query, *, by: Actor
) -> Page[msgspec.Raw]:
    """A page of the deployments that the caller may see (C-076 to C-079, C-123), as JSON."""
    if query.limit < 1:
        raise BadLimit()
    limit = min(query.limit, LIMIT_MAX)
    filters, values = _filters(query)
    total = await _count(database, filters, values, by=by) if query.total else None
    cursor = read_cursor(query.cursor, sort=query.sort)
    text = _statement(filters, query.sort, cursor is not None, _is_null(cursor))
    if cursor is not None:
        values += _position(cursor)
    rows = await database.fetch(text, *settings.around_host, by.id, limit + 1, *values)
    items = [msgspec.Raw(row["shape"].encode()) for row in rows[:limit]]
    after = _cursor(rows[limit - 1], query.sort) if len(rows) > limit else None
    return Page(items, after, total)


async def _count(
    database: Database, filters: tuple[str, ...], values: list[object], *, by: Actor
) -> int:
    conditions = ["d.project_id = any(projects_of($1))", *_conditions(filters, start=2)]
    text = f"select count(*) as n from deployments d where {' and '.join(conditions)}"
    return (await database.fetch(text, by.id, *values))[0]["n"]


async def page_of_structs(
    database: Database, settings: Settings, query: Query, *, by: Actor
) -> Page[DeploymentOut]:
    """The same for templates, which read fields."""
    found = await page(database, settings, query, by=by)
    return Page([read(item) for item in found.items], found.cursor)


async def one(database: Database, settings: Settings, id: UUID, *, by: Actor) -> msgspec.Raw:
    """A single deployment in its outward shape, as JSON."""
    rows = await database.fetch(_ONE, *settings.around_host, id, by.id)
    if not rows:
        raise DeploymentNotFound()
    return msgspec.Raw(rows[0]["shape"].encode())


async def one_in(db: AsyncSession, settings: Settings, id: UUID, *, by: Actor) -> msgspec.Raw:
    """The same, seen from inside a transaction that has not ended."""
    connection = await db.connection()
    raw = await connection.get_raw_connection()
    found = cast(asyncpg.Connection, raw.driver_connection)
    row = await found.fetchrow(_ONE, *settings.around_host, id, by.id)
    if row is None:
        raise DeploymentNotFound()
    return msgspec.Raw(row["shape"].encode())


def read(shape: msgspec.Raw) -> DeploymentOut:
    """The fields of a shape, for templates and decisions."""
    return _DECODER.decode(bytes(shape))


async def latest(
    database: Database, settings: Settings, project_ids: list[UUID]
) -> dict[UUID, DeploymentOut]:
    """The newest deployment of each of these projects."""
    rows = await database.fetch(_LATEST, *settings.around_host, project_ids)
    return {row["project_id"]: _DECODER.decode(row["shape"]) for row in rows}


_ONE = (
    f"{_PLACES.format('projects_of($4)')}{_SELECT}{_FROM}"
    " where d.id = $3 and d.project_id = any(projects_of($4))"
)
_LATEST = f"""
{_PLACES.format("$3")}{_SELECT_NEWEST}{_FROM}
where d.project_id = any($3) order by d.project_id, d.created_at desc, d.id desc
"""


def _filters(query: Query) -> tuple[tuple[str, ...], list[object]]:
    filters: list[str] = []
    values: list[object] = []
    if query.status is not None:
        filters.append("d.status")
        values.append([_status(text) for text in query.status.split(",")])
    if query.project_id is not None:
        filters.append("d.project_id")
        values.append(_project(query.project_id))
    if query.branch is not None:
        filters.append("d.branch")
        values.append(query.branch)
    if query.is_preview is not None:
        filters.append("d.is_preview")
        values.append(query.is_preview)
    return tuple(filters), values


def _status(text: str) -> str:
    """Statuses compare without regard to case (D-24)."""
    if text.strip().upper() not in set(Status):
        allowed = ", ".join(status.value.lower() for status in Status)
        raise BadFilter(field="status", value=text, allowed=allowed)
    return text.strip().upper()


def _project(text: str) -> UUID:
    try:
        return ids.private("proj", text)
    except NotFound:
        raise BadFilter(field="projectId", value=text, allowed="your projects’ ids") from None


@lru_cache(maxsize=256)
def _statement(filters: tuple[str, ...], sort: str, has_cursor: bool, at_null: bool) -> str:
    """The SQL of one combination. Nulls (never finished, never built) come last."""
    name = sort.removeprefix("-")
    if name not in _SORTS:
        raise BadSort(allowed=", ".join(_SORTS))
    column, down = _SORTS[name], sort.startswith("-")
    order = "desc" if down else "asc"
    conditions = ["d.project_id = mine.id", *_conditions(filters, start=5)]
    if has_cursor:
        conditions.append(_after(column, len(filters) + 5, down=down, at_null=at_null))
    nulls = " nulls last" if name != "createdAt" else ""
    ordered = f"order by {column} {order}{nulls}, d.id {order} limit $4"
    # The newest of each project the caller may see, by an index of that project, then of those:
    # the cost follows what is shown, not what is stored.
    return (
        f"{_PLACES.format('projects_of($3)')}{_SELECT}"
        " from unnest(projects_of($3)) mine (id) cross join lateral"
        f" (select d.* from deployments d where {' and '.join(conditions)} {ordered}) d"
        f" join projects p on p.id = d.project_id {ordered}"
    )


def _conditions(filters: tuple[str, ...], *, start: int) -> list[str]:
    return [
        f"{filter} = any(${place})" if filter == "d.status" else f"{filter} = ${place}"
        for place, filter in enumerate(filters, start=start)
    ]


def _after(column: str, place: int, *, down: bool, at_null: bool) -> str:
    sign = "<" if down else ">"
    if at_null:
        return f"({column} is null and d.id {sign} ${place})"
    after = f"({column}, d.id) {sign} (${place}, ${place + 1})"
    return after if column == "d.created_at" else f"({after} or {column} is null)"


def _is_null(cursor: Cursor | None) -> bool:
    return cursor is not None and cursor.value is None


def _position(cursor: Cursor) -> list[object]:
    """The values behind `_after`; a forged cursor is only ever a bad request."""
    id = id_in(cursor)
    if cursor.value is None:
        return [id]
    if cursor.sort.endswith("At"):
        return [time_in(cursor), id]
    try:
        return [float(cursor.value), id]
    except ValueError as error:
        raise BadCursor() from error


def _cursor(row: asyncpg.Record, sort: str) -> str:
    column = _SORTS[sort.removeprefix("-")].removeprefix("d.")
    value: Any = row[column]
    text = value.isoformat() if isinstance(value, dt.datetime) else value
    return Cursor(sort, text, str(row["id"])).encode()
