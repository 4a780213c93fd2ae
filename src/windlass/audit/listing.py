"""Reading the log: what a caller may see of it, filtered, in order, continued by a cursor.

Somebody sees their own acts, what was done to their account, what happens in projects they can
see, and in teams that they administer. Each of these four is read by an index of its own, the
newest first and no further than the page; the union of them is the page. So the cost follows what
is shown, not what is stored. Row-level security on `events` says the same once more, a little
wider: it does not know roles.
"""

import datetime as dt
from enum import StrEnum
from functools import lru_cache
from typing import Literal, get_args
from uuid import UUID

import asyncpg
import msgspec

from windlass.audit import agents, sentences
from windlass.audit.errors import BadFilter
from windlass.audit.schemas import EntryOut, Named
from windlass.core import ids
from windlass.core.db import Database
from windlass.core.errors import NotFound
from windlass.core.paging import id_in, time_in
from windlass.core.schemas import BadCursor, BadLimit, BadSort, Cursor, Page, read_cursor

LIMIT, LIMIT_MAX = 50, 100
Sort = Literal["createdAt", "-createdAt"]
_LONGEST_SEARCH = 200
# What only those may read who may read the settings it is about.
_SETTINGS = ["projects.VariableSet", "projects.VariableRemoved"]
_FIRST, _LAST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, as it stands in the address."""

    limit: int = LIMIT
    cursor: str | None = None
    sort: str = "-createdAt"
    type: str | None = None
    action: str | None = None
    actor: str | None = None
    user: str | None = None
    project: str | None = None
    team: str | None = None
    since: str | None = None
    until: str | None = None
    search: str | None = None


_CONDITIONS = {
    "type": "starts_with(e.name, $%d || '.')",
    "action": "e.name = $%d",
    "actor": "e.actor_id = $%d",
    "user": "e.user_id = $%d",
    "project": "e.project_id = $%d",
    "team": "e.team_id = $%d",
    "since": "e.created_at >= $%d",
    "until": "e.created_at < $%d",
    # No pattern, so nothing in it means anything; and no secret can be guessed letter by letter.
    "search": "(strpos(lower(e.name), lower($%d)) > 0 or exists ("
    f"select from jsonb_each_text(e.payload) f where f.key !~* '{sentences.SECRET}'"
    " and strpos(lower(f.value), lower($%d)) > 0))",
}
_IDS = {"actor": "user", "user": "user", "project": "proj", "team": "team"}


class Seen(StrEnum):
    """Whose log is read."""

    own = "own"
    allowed = "allowed"
    everything = "everything"


async def page(database: Database, query: Query, *, of: UUID | None, seen: Seen) -> Page[EntryOut]:
    """A page of the log: one's own feed, what one may see, or, of the platform's database,
    everything (C-270, C-271)."""
    if query.limit < 1:
        raise BadLimit()
    if query.sort not in get_args(Sort):
        raise BadSort(allowed="createdAt")
    limit, filters = min(query.limit, LIMIT_MAX), values_of(query)
    cursor = read_cursor(query.cursor, sort=query.sort)
    rows = await _rows(
        database,
        filters,
        of=of,
        seen=seen,
        limit=limit + 1,
        down=query.sort.startswith("-"),
        after=_position(cursor) if cursor is not None else None,
    )
    last = rows[limit - 1] if len(rows) > limit else None
    end = (
        Cursor(query.sort, last["created_at"].isoformat(), str(last["id"])).encode()
        if last is not None
        else None
    )
    return Page([_entry(row) for row in rows[:limit]], end)


async def older(
    database: Database,
    filters: dict[str, object],
    *,
    of: UUID | None,
    seen: Seen,
    limit: int,
    after: tuple[dt.datetime, UUID] | None,
) -> tuple[list[EntryOut], tuple[dt.datetime, UUID] | None]:
    """The next `limit` entries of an export, and where the one after begins."""
    rows = await _rows(database, filters, of=of, seen=seen, limit=limit, down=True, after=after)
    last = (rows[-1]["created_at"], rows[-1]["id"]) if len(rows) == limit else None
    return [_entry(row) for row in rows], last


def values_of(query: Query) -> dict[str, object]:
    """The filters that are given, as the database takes them; raises BadFilter."""
    found: dict[str, object] = {}
    for name in _CONDITIONS:
        text: str | None = getattr(query, name)
        if text is None or text == "":
            continue
        if name in _IDS:
            found[name] = _id(name, text)
        elif name in {"since", "until"}:
            found[name] = _moment(name, text)
        else:
            if len(text) > _LONGEST_SEARCH or "\0" in text:
                raise BadFilter(field=name, value=text[:20], allowed="a text of 200 characters")
            found[name] = text
    return found


async def _rows(
    database: Database,
    filters: dict[str, object],
    *,
    of: UUID | None,
    seen: Seen,
    limit: int,
    down: bool,
    after: tuple[dt.datetime, UUID] | None,
) -> list[asyncpg.Record]:
    text = statement(tuple(filters), seen=seen, down=down, has_cursor=after is not None)
    values: list[object] = [limit, of, *filters.values(), *(after or ())]
    return await database.fetch(text, *values)


@lru_cache(maxsize=512)
def statement(filters: tuple[str, ...], *, seen: Seen, down: bool, has_cursor: bool) -> str:
    """The SQL of one combination: $1 how many, $2 who asks, then filters, then the cursor."""
    order, sign = ("desc", "<") if down else ("asc", ">")
    conditions = [
        _CONDITIONS[name].replace("%d", str(place)) for place, name in enumerate(filters, start=3)
    ]
    if has_cursor:
        place = len(filters) + 3
        conditions.append(f"(e.created_at, e.id) {sign} (${place}, ${place + 1})")
    ordered = f"order by e.created_at {order}, e.id {order} limit $1"

    def read(condition: str) -> str:
        which = " and ".join([condition, *conditions])
        return f"select e.id, e.created_at from events e where {which} {ordered}"

    own = [read("e.actor_id = $2"), read("e.user_id = $2")]
    settings = ", ".join(f"'{name}'" for name in _SETTINGS)
    shared = [
        "select e.id, e.created_at from projects_mine p cross join lateral ("
        + read(f"e.project_id = p.id and (p.is_full or e.name not in ({settings}))")
        + ") e",
        "select e.id, e.created_at from teams_mine t cross join lateral ("
        + read("e.team_id = t.id")
        + ") e",
    ]
    sources = {
        Seen.own: own,
        Seen.allowed: own + shared,
        Seen.everything: [read("$2::uuid is null")],
    }[seen]
    found = " union ".join(f"({source})" for source in sources)
    full = "true" if seen is Seen.everything else _FULL
    return _AROUND.format(found=found, ordered=ordered, full=full)


# Whether one sees from where it was done: by oneself, to one's own account by nobody known, or
# where one is an admin.
_FULL = """(e.actor_id = $2 or (e.actor_id is null and e.user_id = $2)
  or e.project_id in (select id from projects_mine where is_full)
  or e.team_id in (select id from teams_mine)) is true"""
_AROUND = """
with projects_mine as materialized (
  select id, role_on_project($2, id) in ('ADMIN', 'OWNER') as is_full
  from unnest(projects_of($2)) id
), teams_mine as materialized (
  select team_id as id from team_members where user_id = $2 and role in ('ADMIN', 'OWNER')
), found as materialized (
  select e.id, e.created_at from ({found}) e {ordered}
)
select e.id, e.name, e.actor_id, e.user_id, e.project_id, e.team_id, e.request_id, e.address,
  e.user_agent, e.payload::text as payload, e.created_at, {full} as is_full,
  coalesce(a.name, a.username, a.email) as actor, coalesce(u.name, u.username, u.email) as about,
  p.name as project, t.name as team
from found join events e on e.id = found.id
left join users a on a.id = e.actor_id left join users u on u.id = e.user_id
left join projects p on p.id = e.project_id left join teams t on t.id = e.team_id
{ordered}
"""


def _entry(row: asyncpg.Record) -> EntryOut:
    payload: dict[str, object] = msgspec.json.decode(row["payload"])
    name, is_full = row["name"], row["is_full"]
    return EntryOut(
        id=ids.public("evt", row["id"]),
        type=name.partition(".")[0],
        action=name,
        sentence=sentences.of(name, payload, user=row["about"]),
        actor=_named("user", row["actor_id"], row["actor"]),
        user=_named("user", row["user_id"], row["about"]),
        project=_named("proj", row["project_id"], row["project"]),
        team=_named("team", row["team_id"], row["team"]),
        address=(row["address"] or None) if is_full else None,
        user_agent=agents.in_words(row["user_agent"]) if is_full else None,
        request_id=row["request_id"] or None,
        metadata=sentences.metadata(payload),
        created_at=row["created_at"],
    )


def _named(prefix: str, id: UUID | None, name: str | None) -> Named | None:
    return Named(id=ids.public(prefix, id), name=name) if id is not None else None


def _id(field: str, text: str) -> UUID:
    try:
        return ids.private(_IDS[field], text)
    except NotFound:
        allowed = f"an id that begins with {_IDS[field]}_"
        raise BadFilter(field=field, value=text[:80], allowed=allowed) from None


def _moment(field: str, text: str) -> dt.datetime:
    """A time, or a day of UTC; until a day means to its end."""
    name = "from" if field == "since" else "to"
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    if moment is None or not _FIRST <= moment <= _LAST:
        raise BadFilter(field=name, value=text[:40], allowed="a day or a time like 2026-02-12")
    is_day = len(text) == len("2026-02-12")
    return moment + dt.timedelta(days=1) if field == "until" and is_day else moment


def _position(cursor: Cursor) -> tuple[dt.datetime, UUID]:
    moment = time_in(cursor)
    if moment.tzinfo is None or not _FIRST <= moment <= _LAST:
        raise BadCursor()
    return moment, id_in(cursor)
