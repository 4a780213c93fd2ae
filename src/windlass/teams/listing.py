"""Reading teams, members and invitations in their outward shapes."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core import ids
from windlass.core.crypto import digest
from windlass.core.paging import LIMIT, LIMIT_MAX, id_in, time_in
from windlass.core.schemas import BadLimit, BadSort, Cursor, Page, read_cursor
from windlass.teams.errors import InvitationNotFound, TeamNotFound
from windlass.teams.schemas import Face, InvitationOut, MemberOut, TeamOut


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is asked for, as it stands in the address."""

    limit: int = LIMIT
    cursor: str | None = None
    sort: str = "-createdAt"


_TEAMS = """
select t.id, t.name, t.slug, m.role, t.audit_retention_days, t.created_at,
  (select count(*) from team_members c where c.team_id = t.id) as member_count,
  (select count(*) from team_projects s join projects p on p.id = s.project_id
   where s.team_id = t.id and p.deleted_at is null) as project_count,
  (select coalesce(json_agg(f), '[]') from (
     select coalesce(u.name, u.username, split_part(u.email, '@', 1), '') as name, u.image
     from team_members c join users u on u.id = c.user_id
     where c.team_id = t.id order by c.created_at, c.id limit 4) f) as faces
from teams t join team_members m on m.team_id = t.id and m.user_id = :me
"""
_MEMBERS = """
select u.id as user_id, u.name, u.email, u.image, m.role, m.created_at, m.id
from team_members m join users u on u.id = m.user_id where m.team_id = :team
"""
_INVITATIONS = """
select f.* from team_invitations i cross join lateral invitation_of(i.digest) f
"""
_COLUMNS = {"name": "t.name", "createdAt": "t.created_at"}


def _ordered(query: str, column: str, id: str, sort: str, *, first: str) -> dict[bool, TextClause]:
    """The statement of the first page, and of every other. `first` is `where` or `and`."""
    order, sign = ("desc", "<") if sort.startswith("-") else ("asc", ">")
    end = f" order by {column} {order}, {id} {order} limit :limit"
    after = f" {first} ({column}, {id}) {sign} (:value, :id)"
    return {False: text(query + end), True: text(query + after + end)}


_TEAM_PAGES = {
    sort: _ordered(_TEAMS, column, "t.id", sort, first="where")
    for name, column in _COLUMNS.items()
    for sort in (name, f"-{name}")
}
_MEMBER_PAGES = _ordered(_MEMBERS, "m.created_at", "m.id", "createdAt", first="and")
_OF_TEAM = _ordered(
    _INVITATIONS + " where i.team_id = :team", "i.created_at", "i.id", "-createdAt", first="and"
)
_TO_ME = _ordered(
    _INVITATIONS + " where i.email = :email and i.status = 'PENDING' and i.expires_at > now()",
    "i.created_at",
    "i.id",
    "-createdAt",
    first="and",
)
_ONE_TEAM = text(_TEAMS + " where t.id = :team")
_ONE_MEMBER = text(_MEMBERS + " and m.user_id = :user")
_ONE_INVITATION = text(_INVITATIONS + " where i.id = :id")
_OF_LINK = text("select * from invitation_of(:link)")


async def teams(db: AsyncSession, query: Query, *, by: Actor) -> Page[TeamOut]:
    """The teams that the caller is in (C-182)."""
    if query.sort not in _TEAM_PAGES:
        raise BadSort(allowed=", ".join(_COLUMNS))
    rows, after = await _page(db, _TEAM_PAGES[query.sort], query, {"me": by.id})
    return Page([_team(row) for row in rows], after)


async def team(db: AsyncSession, id: UUID, *, by: Actor) -> TeamOut:
    row = (await db.execute(_ONE_TEAM, {"team": id, "me": by.id})).mappings().one_or_none()
    if row is None:
        raise TeamNotFound()
    return _team(row)


async def members(db: AsyncSession, team_id: UUID, query: Query) -> Page[MemberOut]:
    """Who is in a team, in the order they came."""
    asked = msgspec.structs.replace(query, sort="createdAt")
    rows, after = await _page(db, _MEMBER_PAGES, asked, {"team": team_id})
    return Page([_member(row) for row in rows], after)


async def member(db: AsyncSession, team_id: UUID, user_id: UUID) -> MemberOut:
    found = await db.execute(_ONE_MEMBER, {"team": team_id, "user": user_id})
    return _member(found.mappings().one())


async def invitations(db: AsyncSession, team_id: UUID, query: Query) -> Page[InvitationOut]:
    """Who was asked to come, newest first, answered or not."""
    rows, after = await _page(db, _OF_TEAM, query, {"team": team_id})
    return Page([_invitation(row) for row in rows], after)


async def invitation(db: AsyncSession, id: UUID) -> InvitationOut:
    return _invitation((await db.execute(_ONE_INVITATION, {"id": id})).mappings().one())


async def invitations_to(db: AsyncSession, query: Query, *, by: Actor) -> Page[InvitationOut]:
    """What waits for the caller's answer; none while their address is not confirmed."""
    if not by.is_verified:
        return Page([])
    rows, after = await _page(db, _TO_ME, query, {"email": by.email})
    return Page([_invitation(row) for row in rows], after)


async def by_link(db: AsyncSession, token: str) -> InvitationOut:
    """What whoever holds the link may read, signed in or not."""
    row = (await db.execute(_OF_LINK, {"link": digest(token)})).mappings().one_or_none()
    if row is None:
        raise InvitationNotFound()
    return _invitation(row)


async def _page(
    db: AsyncSession, statements: dict[bool, TextClause], query: Query, values: dict[str, Any]
) -> tuple[Sequence[RowMapping], str | None]:
    if query.limit < 1:
        raise BadLimit()
    limit, by_name = min(query.limit, LIMIT_MAX), query.sort.endswith("name")
    cursor = read_cursor(query.cursor, sort=query.sort)
    values["limit"] = limit + 1
    if cursor is not None:
        values["value"] = str(cursor.value) if by_name else time_in(cursor)
        values["id"] = id_in(cursor)
    rows = (await db.execute(statements[cursor is not None], values)).mappings().all()
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    value = last["name"] if by_name else last["created_at"].isoformat()
    return rows[:limit], Cursor(query.sort, value, str(last["id"])).encode()


def _team(row: RowMapping) -> TeamOut:
    return TeamOut(
        id=ids.public("team", row["id"]),
        name=row["name"],
        slug=row["slug"],
        role=row["role"].lower(),
        member_count=row["member_count"],
        project_count=row["project_count"],
        faces=[Face(name=face["name"], image=face["image"]) for face in row["faces"]],
        audit_retention_days=row["audit_retention_days"],
        created_at=row["created_at"],
    )


def _member(row: RowMapping) -> MemberOut:
    return MemberOut(
        id=ids.public("user", row["user_id"]),
        name=row["name"],
        email=row["email"],
        image=row["image"],
        role=row["role"].lower(),
        joined_at=row["created_at"],
    )


def _invitation(row: RowMapping) -> InvitationOut:
    """One that nobody answered in time is expired, whether the clock's job was there or not."""
    is_late = row["status"] == "PENDING" and row["expires_at"] <= dt.datetime.now(dt.UTC)
    return InvitationOut(
        id=ids.public("inv", row["id"]),
        team_id=ids.public("team", row["team_id"]),
        team_name=row["team_name"],
        team_slug=row["team_slug"],
        email=row["email"],
        role=row["role"].lower(),
        status="expired" if is_late else row["status"].lower(),
        invited_by=row["inviter"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
