"""The end of a deployment, and of a preview: no build, no process, no address, and then no files.

What was promoted stays: its files are those that production serves.
"""

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core.events import emit
from windlass.core.live import announce
from windlass.deployments import aliases, events, service
from windlass.deployments.errors import IsActive
from windlass.deployments.models import Deployment
from windlass.deployments.phases import MOVING, Status
from windlass.projects.models import Project, Site


async def retire(db: AsyncSession, deployment: Deployment, *, why: str, by: Actor | None) -> None:
    """End one preview. The second time there is nothing left to do."""
    if deployment.status in MOVING and by is not None:
        await service.cancel(db, deployment, by=by, why=why, code="ENDED")
    query = select(Site).where(Site.host == deployment.host, Site.is_preview)
    place = await db.scalar(query.with_for_update())
    if place is not None:
        await _free(db, place, why=why, deployment=deployment, by=by)
    if deployment.status is Status.ready and not deployment.is_active:
        deployment.pruned_at = func.now()
    await db.flush()
    await announce(db, f"deployment:{deployment.id}", f"project:{deployment.project_id}")


async def retire_branch(
    db: AsyncSession, project: Project, branch: str, *, why: str, by: Actor
) -> int:
    """End every preview of a branch, and the address that follows it; how many there were."""
    held = select(Site.id).where(Site.host == Deployment.host, Site.is_preview).exists()
    query = (
        select(Deployment)
        .where(
            Deployment.project_id == project.id,
            Deployment.branch == branch,
            Deployment.is_preview,
            held,
        )
        .order_by(Deployment.id)
        .with_for_update(of=Deployment)
    )
    found = list(await db.scalars(query))
    for deployment in found:
        await retire(db, deployment, why=why, by=by)
    alias = select(Site).where(Site.project_id == project.id, Site.alias_of == branch)
    for place in await db.scalars(alias.with_for_update()):
        await _free(db, place, why=why, deployment=None, by=by)
    return len(found)


async def remove(db: AsyncSession, deployment: Deployment, *, by: Actor) -> None:
    """Delete a finished deployment that is not live; its files go by a job (D-26)."""
    if deployment.is_active:
        raise IsActive()
    sites = select(Site).where(Site.project_id == deployment.project_id)
    for site in await db.scalars(sites.where(Site.host == deployment.host, Site.is_preview)):
        await service.wish(db, site, None, by=by.id, reason="deleted")
    # The address of its branch goes back to the one before.
    await aliases.leave(db, deployment)
    event = events.Deleted(
        deployment_id=deployment.id,
        project_id=deployment.project_id,
        host=deployment.host,
        is_preview=deployment.is_preview,
    )
    await emit(db, event, by=by.id)
    await db.execute(delete(Deployment).where(Deployment.id == deployment.id))
    await announce(db, f"deployment:{deployment.id}", f"project:{deployment.project_id}")


async def _free(
    db: AsyncSession, place: Site, *, why: str, deployment: Deployment | None, by: Actor | None
) -> None:
    """Serve nothing at this host; a job waits for that and gives the name back."""
    person = by.id if by is not None else None
    await service.wish(db, place, None, by=person, reason=why)
    event = events.HostFreed(
        project_id=place.project_id,
        host=place.host,
        deployment_id=deployment.id if deployment is not None else None,
    )
    await emit(db, event, by=person)
