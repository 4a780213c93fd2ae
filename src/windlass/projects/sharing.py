"""Who else sees a project: the teams it is shared with, and the person it is given to.

Nothing is remembered of it anywhere: each request asks the database, so what ends, ends at once.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import service as accounts
from windlass.auth.models import Actor, User
from windlass.core.events import emit
from windlass.core.live import announce
from windlass.projects import events
from windlass.projects.errors import (
    AlreadyShared,
    NewOwnerHasSlug,
    NotShared,
    OnlyOwner,
    OwnAlready,
    PersonNotNear,
)
from windlass.projects.models import Project, TeamProject
from windlass.teams.errors import TeamNotFound
from windlass.teams.models import Team, TeamMember

_TEAMS_ON = text("select * from teams_on(:project)")


class Share(msgspec.Struct, frozen=True):
    """A team that a project is shared with, as those who see the project may know it."""

    team_id: UUID
    name: str
    slug: str
    members: int
    created_at: dt.datetime


PARTING: list[Callable[[AsyncSession, Project, Actor], Awaitable[None]]] = []
"""What areas above take back before a project gets another owner, in the same transaction."""


async def teams_of(db: AsyncSession, project: Project) -> list[Share]:
    """Every team that sees the project, those that the caller is not in too."""
    rows = (await db.execute(_TEAMS_ON, {"project": project.id})).mappings()
    return [Share(**row) for row in rows]


async def share(db: AsyncSession, project: Project, team_id: UUID, *, by: Actor) -> None:
    """With a team that the caller is in (C-186); once, by constraint."""
    mine = select(TeamMember.id).where(TeamMember.team_id == team_id, TeamMember.user_id == by.id)
    if await db.scalar(mine) is None:
        raise TeamNotFound()
    try:
        async with db.begin_nested():
            db.add(TeamProject(team_id=team_id, project_id=project.id, shared_by=by.id))
            await db.flush()
    except IntegrityError as error:
        raise AlreadyShared() from error
    await emit(db, events.Shared(project_id=project.id, team_id=team_id), by=by.id)
    await announce(db, f"project:{project.id}")


async def unshare(db: AsyncSession, project: Project, team_id: UUID, *, by: Actor) -> None:
    """From now on the members of the team see nothing of it, unless another team shows it."""
    query = delete(TeamProject).where(
        TeamProject.project_id == project.id, TeamProject.team_id == team_id
    )
    if await db.scalar(query.returning(TeamProject.id)) is None:
        raise NotShared()
    await emit(db, events.Unshared(project_id=project.id, team_id=team_id), by=by.id)
    await announce(db, f"project:{project.id}")


async def unshare_of_owner(db: AsyncSession, team_id: UUID, owner_id: UUID) -> list[UUID]:
    """What somebody who left a team had shared with it goes with them."""
    owned = select(Project.id).where(Project.owner_id == owner_id)
    query = delete(TeamProject).where(
        TeamProject.team_id == team_id, TeamProject.project_id.in_(owned)
    )
    found = list(await db.scalars(query.returning(TeamProject.project_id)))
    for id in found:
        await emit(db, events.Unshared(project_id=id, team_id=team_id), by=None)
        await announce(db, f"project:{id}")
    return found


async def shareable(db: AsyncSession, project: Project, *, by: Actor) -> list[Team]:
    """The caller's teams that do not see it yet."""
    there = select(TeamProject.team_id).where(TeamProject.project_id == project.id)
    query = (
        select(Team)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .where(TeamMember.user_id == by.id, Team.id.not_in(there))
        .order_by(Team.name, Team.id)
    )
    return list(await db.scalars(query))


async def offerable(db: AsyncSession, team_id: UUID, *, by: Actor) -> list[Project]:
    """The caller's own projects that the team does not see yet."""
    there = select(TeamProject.project_id).where(TeamProject.team_id == team_id)
    query = select(Project).where(
        Project.owner_id == by.id, Project.deleted_at.is_(None), Project.id.not_in(there)
    )
    return list(await db.scalars(query.order_by(Project.name, Project.id)))


async def heirs(db: AsyncSession, project: Project) -> list[User]:
    """Whom the project can be given to: members of the teams it is shared with."""
    near = (
        select(TeamMember.user_id)
        .join(TeamProject, TeamProject.team_id == TeamMember.team_id)
        .where(TeamProject.project_id == project.id, TeamMember.user_id != project.owner_id)
    )
    query = select(User).where(
        User.id.in_(near), User.deleted_at.is_(None), User.suspended_at.is_(None)
    )
    return list(await db.scalars(query.order_by(func.coalesce(User.name, User.email), User.id)))


async def transfer(db: AsyncSession, project: Project, to: UUID, *, by: Actor) -> None:
    """Give it to a member of a team it is shared with; only its owner can, whatever somebody is in
    a team (E-20).

    One fact is the record of both: its author gave it away, the person it is about received it.
    The database makes the deployments follow.
    """
    # `project` is expired when its change is taken back.
    slug = project.slug
    # Two at once come one after the other, and the second is no longer the owner.
    owner = select(Project.owner_id).where(Project.id == project.id, Project.deleted_at.is_(None))
    if await db.scalar(owner.with_for_update()) != by.id:
        raise OnlyOwner()
    if to == by.id:
        raise OwnAlready()
    if to not in {heir.id for heir in await heirs(db, project)}:
        raise PersonNotNear()
    name = await accounts.name_of(db, to)
    for take_back in PARTING:
        await take_back(db, project, by)
    event = events.Transferred(project_id=project.id, user_id=to, from_user_id=by.id)
    await emit(db, event, by=by.id)
    await announce(db, f"project:{project.id}")
    try:
        async with db.begin_nested():
            project.owner_id = to
            await db.flush()
    except IntegrityError as error:
        if not await _is_there(db, to):
            raise PersonNotNear() from error
        raise NewOwnerHasSlug(name=name, slug=slug) from error
    # The new row waited for whoever was deleting that account.
    if not await _is_there(db, to):
        raise PersonNotNear()


async def _is_there(db: AsyncSession, user_id: UUID) -> bool:
    here = User.deleted_at.is_(None), User.suspended_at.is_(None)
    return await db.scalar(select(User.id).where(User.id == user_id, *here)) is not None
