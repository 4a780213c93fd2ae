"""Reading projects: the caller's own, with the host each is live on."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor, User
from windlass.core.paging import LIMIT, LIMIT_MAX, id_in, time_in
from windlass.core.schemas import BadLimit, BadSort, Cursor, Page, read_cursor
from windlass.core.settings import Settings
from windlass.projects import service
from windlass.projects.deps import LatestOf
from windlass.projects.models import Project, Site, TeamProject
from windlass.projects.schemas import ProjectOut, Seen

_SORTS = {"name": Project.name, "createdAt": Project.created_at}


class Query(msgspec.Struct, frozen=True, kw_only=True):
    limit: int = LIMIT
    cursor: str | None = None
    sort: str = "-createdAt"
    framework: str | None = None
    team_id: UUID | None = None
    total: bool = False


async def page(db: AsyncSession, query: Query, *, by: Actor) -> tuple[list[Seen], str | None]:
    """A page of projects and the cursor that continues it (C-100, C-076)."""
    if query.limit < 1:
        raise BadLimit()
    name = query.sort.removeprefix("-")
    if name not in _SORTS:
        raise BadSort(allowed=", ".join(_SORTS))
    limit, column, down = min(query.limit, LIMIT_MAX), _SORTS[name], query.sort.startswith("-")
    found = (
        _seen(by)
        .where(*_asked(query, by))
        .order_by(column.desc() if down else column, Project.id.desc() if down else Project.id)
        .limit(limit + 1)
    )
    if (cursor := read_cursor(query.cursor, sort=query.sort)) is not None:
        found = found.where(_after(cursor, name, down=down))
    rows = [_read(row) for row in await db.execute(found)]
    more = len(rows) > limit
    return rows[:limit], _cursor(rows[limit - 1].project, query.sort, name) if more else None


async def shown(
    db: AsyncSession, settings: Settings, project: Project, latest: LatestOf, *, by: Actor
) -> ProjectOut:
    """A project in its outward shape."""
    seen = _read((await db.execute(_seen(by).where(Project.id == project.id))).one())
    newest = (await latest([project.id])).get(project.id)
    return ProjectOut.of(seen, newest, settings, ref=service.ref_of(project, by=by))


async def shown_page(
    db: AsyncSession, settings: Settings, query: Query, latest: LatestOf, *, by: Actor
) -> Page[ProjectOut]:
    """A page of projects in their outward shape."""
    rows, after = await page(db, query, by=by)
    newest = await latest([seen.project.id for seen in rows])
    items = [
        ProjectOut.of(
            seen,
            newest.get(seen.project.id),
            settings,
            ref=service.ref_of(seen.project, by=by),
        )
        for seen in rows
    ]
    total = await _count(db, query, by=by) if query.total else None
    return Page(items, after, total)


async def _count(db: AsyncSession, query: Query, *, by: Actor) -> int:
    return await db.scalar(select(func.count()).where(*_asked(query, by))) or 0


def _asked(query: Query, by: Actor) -> list[ColumnElement[bool]]:
    found = [service.visible_to(by), Project.deleted_at.is_(None)]
    if query.framework is not None:
        found.append(Project.framework == query.framework)
    if query.team_id is not None:
        shared = select(TeamProject.project_id).where(TeamProject.team_id == query.team_id)
        found.append(Project.id.in_(shared))
    return found


def _seen(by: Actor) -> Select[Project, Site, User, Any]:
    """Projects with their production host, their owner, and what the caller is on them."""
    return (
        select(Project, Site, User, func.role_on_project(by.id, Project.id))
        .join(Site, (Site.project_id == Project.id) & Site.is_preview.is_(False))
        .join(User, User.id == Project.owner_id)
    )


def _read(row: Row[Project, Site, User, Any]) -> Seen:
    project, site, owner, role = row
    return Seen(project, site, owner, role.lower())


def _after(cursor: Cursor, name: str, *, down: bool) -> ColumnElement[bool]:
    value = time_in(cursor) if name == "createdAt" else str(cursor.value)
    place, end = tuple_(_SORTS[name], Project.id), tuple_(value, id_in(cursor))
    return place < end if down else place > end


def _cursor(last: Project, sort: str, name: str) -> str:
    value = last.name if name == "name" else last.created_at.isoformat()
    return Cursor(sort, value, str(last.id)).encode()
