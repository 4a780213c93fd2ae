"""Projects belong to somebody: whoever leaves gives them away first, or deletes them along."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import departing
from windlass.auth.departing import Loss
from windlass.auth.models import Actor
from windlass.core.languages import N_
from windlass.projects import service
from windlass.projects.models import Project


@departing.register(departing.LOSSES)
async def find(db: AsyncSession, user_id: UUID) -> Loss:
    """One's own, also those shared with a team: the team loses them."""
    query = select(Project.name).where(Project.owner_id == user_id, Project.deleted_at.is_(None))
    names = tuple(await db.scalars(query.order_by(Project.name)))
    return Loss(N_("projects"), names, needs_consent=True)


@departing.register(departing.STEPS)
async def remove_all(db: AsyncSession, actor: Actor) -> None:
    """Hidden at once; jobs take the sites and files down."""
    query = select(Project).where(Project.owner_id == actor.id, Project.deleted_at.is_(None))
    for project in list(await db.scalars(query.with_for_update())):
        await service.remove(db, project, by=actor)
