"""An address for each branch that has previews: it shows the newest one that is ready."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.core import log
from windlass.deployments import service
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects import service as projects
from windlass.projects.errors import HostTaken
from windlass.projects.models import Project, Site
from windlass.projects.names import branch_host_label


async def follow(db: AsyncSession, deployment_id: UUID, *, base_domain: str) -> None:
    """A preview is ready: its branch's address shows it, unless it shows a newer one already."""
    query = select(Deployment).where(
        Deployment.id == deployment_id,
        Deployment.is_preview,
        Deployment.branch.is_not(None),
        Deployment.status == Status.ready,
        Deployment.pruned_at.is_(None),
    )
    # Locked, so that the end of the preview comes before this or sees what this did.
    if (ready := await db.scalar(query.with_for_update(key_share=True))) is None:
        return
    place = await _place(db, ready, base_domain=base_domain)
    if place is not None and (place.wanted_id is None or place.wanted_id < ready.id):
        await service.wish(db, place, ready.id, by=ready.created_by, reason=None)


async def leave(db: AsyncSession, deployment: Deployment) -> None:
    """A preview goes: its branch's address shows the one before, or nothing."""
    query = select(Site).where(Site.alias_of.is_not(None), Site.wanted_id == deployment.id)
    for place in await db.scalars(query.with_for_update()):
        before = (
            select(Deployment.id)
            .where(
                Deployment.project_id == deployment.project_id,
                Deployment.branch == deployment.branch,
                Deployment.is_preview,
                Deployment.status == Status.ready,
                Deployment.pruned_at.is_(None),
                Deployment.id != deployment.id,
            )
            .order_by(Deployment.id.desc())
            .limit(1)
        )
        await service.wish(db, place, await db.scalar(before), by=None, reason=None)


async def _place(db: AsyncSession, ready: Deployment, *, base_domain: str) -> Site | None:
    query = select(Site).where(Site.project_id == ready.project_id, Site.alias_of == ready.branch)
    if (found := await db.scalar(query.with_for_update())) is not None:
        return found
    # One at a time for a project: two deployments may become ready at once.
    locked = select(Project).where(Project.id == ready.project_id, Project.deleted_at.is_(None))
    project = await db.scalar(locked.with_for_update())
    if project is None or (found := await db.scalar(query)) is not None:
        return found
    for is_taken in (False, True):
        label = branch_host_label(project.slug, ready.branch or "", is_taken=is_taken)
        try:
            place = await projects.claim_host(
                db, project, f"{label}.{base_domain}", is_preview=True
            )
        except HostTaken:
            continue
        place.alias_of = ready.branch
        await db.flush()
        return place
    log.get().warning("aliases.no_name", project=project.slug, branch=ready.branch)
    return None
