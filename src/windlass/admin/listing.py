"""Reading what there is on the platform: counts, accounts, teams, projects.

Administrators see that something exists, whose it is and how large; what is in a project or in a
log stays with those who share it.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.admin.errors import PersonNotFound
from windlass.admin.schemas import Overview, PersonOut, ProjectRow, TeamRow
from windlass.core import ids
from windlass.core.errors import NotFound
from windlass.core.paging import LIMIT, LIMIT_MAX, id_in, time_in
from windlass.core.schemas import BadLimit, BadSort, Cursor, Page, read_cursor


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is asked for, as it stands in the address."""

    limit: int = LIMIT
    cursor: str | None = None
    sort: str = "-createdAt"
    search: str | None = None
    state: str | None = None


class _List(msgspec.Struct, frozen=True):
    """A statement without its order, what of a row is searched, and its filters by name."""

    select: str
    id: str
    searched: tuple[str, ...]
    prefix: str
    states: dict[str, str] = {}


_OVERVIEW = text("""
select
  (select count(*) from users where deleted_at is null) as total_users,
  (select count(*) from users where deleted_at is null and suspended_at is not null)
    as suspended_users,
  (select count(*) from teams) as teams,
  (select count(*) from projects where deleted_at is null) as projects,
  (select count(*) from sites s join projects p on p.id = s.project_id
    where s.active_id is not null and not s.is_preview and p.deleted_at is null) as live_sites,
  (select count(*) from deployments where created_at > now() - interval '24 hours')
    as deployments_last_24_hours,
  0 as active_clusters,
  (select count(*) from users where deleted_at is null and plan <> 'FREE') as paid_subscriptions,
  (select count(*) from events where created_at > now() - interval '24 hours'
    and actor_id is not null) as actions_last_24_hours
""")
_PEOPLE = _List(
    """
select u.id, u.username, u.email, u.name, lower(u.plan) as plan, u.is_admin,
  u.email_verified_at is not null as is_verified, u.suspended_at, u.created_at,
  (select max(last_used_at) from (
    select last_used_at from sessions where user_id = u.id
    union all select last_used_at from tokens where user_id = u.id) used) as last_seen_at,
  (select count(*) from sessions s where s.user_id = u.id and s.expires_at > now())
    as session_count,
  (select count(*) from team_members m where m.user_id = u.id) as team_count,
  (select count(*) from projects p where p.owner_id = u.id and p.deleted_at is null)
    as project_count
from users u where u.deleted_at is null""",
    "u",
    ("u.email", "u.username", "u.name"),
    "user",
    {
        "active": "u.suspended_at is null",
        "suspended": "u.suspended_at is not null",
        "admin": "u.is_admin",
    },
)
_TEAMS = _List(
    """
select t.id, t.name, t.slug, t.created_at,
  (select coalesce(array_agg(coalesce(u.email, '') order by m.created_at, m.id), '{}')
    from team_members m join users u on u.id = m.user_id
    where m.team_id = t.id and m.role = 'OWNER') as owners,
  (select count(*) from team_members m where m.team_id = t.id) as member_count,
  (select count(*) from team_projects s join projects p on p.id = s.project_id
    where s.team_id = t.id and p.deleted_at is null) as project_count
from teams t where true""",
    "t",
    ("t.name", "t.slug"),
    "team",
)
_PROJECTS = _List(
    """
select p.id, p.name, split_part(p.slug, '~', 1) as slug, s.host, p.owner_id,
  coalesce(o.email, o.username, '') as owner, lower(o.plan) as owner_plan,
  s.active_id is not null as is_live, p.created_at,
  (select count(*) from deployments d where d.project_id = p.id) as deployment_count
from projects p join users o on o.id = p.owner_id
join sites s on s.project_id = p.id and not s.is_preview
where p.deleted_at is null""",
    "p",
    ("p.name", "p.slug", "s.host", "o.email"),
    "proj",
)
_ONE_PERSON = text(_PEOPLE.select + " and u.id = :id")


async def overview(db: AsyncSession) -> Overview:
    """The counts of B-052 and a few more."""
    return Overview(**(await db.execute(_OVERVIEW)).mappings().one())


async def people(db: AsyncSession, query: Query) -> Page[PersonOut]:
    """Accounts that were not deleted, the newest first."""
    rows, after = await _page(db, "people", query)
    return Page([_person(row) for row in rows], after)


async def person(db: AsyncSession, id: UUID) -> PersonOut:
    row = (await db.execute(_ONE_PERSON, {"id": id})).mappings().one_or_none()
    if row is None:
        raise PersonNotFound()
    return _person(row)


async def teams(db: AsyncSession, query: Query) -> Page[TeamRow]:
    """Every team, the newest first."""
    rows, after = await _page(db, "teams", query)
    return Page([TeamRow(**_shown(row, id="team")) for row in rows], after)


async def projects(db: AsyncSession, query: Query) -> Page[ProjectRow]:
    """Every project that was not deleted, the newest first."""
    rows, after = await _page(db, "projects", query)
    items = [ProjectRow(**_shown(row, id="proj", owner_id="user")) for row in rows]
    return Page(items, after)


_LISTS = {"people": _PEOPLE, "teams": _TEAMS, "projects": _PROJECTS}


@lru_cache
def _statement(
    name: str, *, down: bool, has_search: bool, has_cursor: bool, state: str | None
) -> TextClause:
    found = _LISTS[name]
    order, sign = ("desc", "<") if down else ("asc", ">")
    parts = [found.select]
    if has_search:
        # No pattern, so nothing in it means anything.
        where = [f"strpos(lower({column}), :search) > 0" for column in found.searched]
        parts.append(f"and ({' or '.join(where)} or {found.id}.id = :searched_id)")
    if state is not None:
        parts.append(f"and {found.states[state]}")
    if has_cursor:
        parts.append(f"and ({found.id}.created_at, {found.id}.id) {sign} (:at, :after)")
    parts.append(f"order by {found.id}.created_at {order}, {found.id}.id {order} limit :limit")
    return text("\n".join(parts))


async def _page(
    db: AsyncSession, name: str, query: Query
) -> tuple[Sequence[RowMapping], str | None]:
    if query.limit < 1:
        raise BadLimit()
    if query.sort.removeprefix("-") != "createdAt":
        raise BadSort(allowed="createdAt")
    limit, cursor = min(query.limit, LIMIT_MAX), read_cursor(query.cursor, sort=query.sort)
    values: dict[str, object] = {"limit": limit + 1}
    if query.search:
        values["search"] = query.search.strip().lower()
        values["searched_id"] = _id_in(query.search, _LISTS[name].prefix)
    if cursor is not None:
        values |= {"at": time_in(cursor), "after": id_in(cursor)}
    statement = _statement(
        name,
        down=query.sort.startswith("-"),
        has_search=bool(query.search),
        has_cursor=cursor is not None,
        state=query.state,
    )
    rows = (await db.execute(statement, values)).mappings().all()
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], Cursor(
        query.sort, last["created_at"].isoformat(), str(last["id"])
    ).encode()


def _id_in(search: str, prefix: str) -> UUID | None:
    try:
        return ids.private(prefix, search.strip())
    except NotFound:
        return None


def _person(row: RowMapping) -> PersonOut:
    return PersonOut(**_shown(row, id="user"))


def _shown(row: RowMapping, **prefixes: str) -> dict[str, Any]:
    """A row with its ids as they are known outside."""
    return {**row, **{name: ids.public(prefix, row[name]) for name, prefix in prefixes.items()}}
