"""Which previews go by themselves: those beyond a number, and those beyond an age (C-168).

What is live, and what the address of a branch shows, stays for as long as it is that.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.core.settings import Builds
from windlass.deployments import retiring
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects.models import Project, Site

_WHY = "retention"


async def prune(db: AsyncSession, builds: Builds, project_id: UUID) -> None:
    """End the previews of a project that it does not keep."""
    project = await db.scalar(select(Project).where(Project.id == project_id))
    if project is None:
        return
    keep = builds.keep_previews if project.preview_keep is None else project.preview_keep
    days = builds.preview_days if project.preview_days is None else project.preview_days
    newest = (
        select(
            Deployment.id,
            func.row_number().over(order_by=Deployment.id.desc()).label("place"),
        )
        .where(*_kept(project_id))
        .subquery()
    )
    beyond = newest.c.place > keep
    if days > 0:
        old = Deployment.created_at < func.now() - func.make_interval(0, 0, 0, days)
        beyond = or_(beyond, old)
    wanted = (Site.wanted_id == Deployment.id) & or_(
        Site.alias_of.is_not(None), Site.is_preview.is_(False)
    )
    query = (
        select(Deployment)
        .join(newest, newest.c.id == Deployment.id)
        .where(beyond, ~select(Site.id).where(wanted).exists())
        .order_by(Deployment.id)
        .with_for_update(of=Deployment)
    )
    for deployment in list(await db.scalars(query)):
        await retiring.retire(db, deployment, why=_WHY, by=None)


async def projects_with_previews(db: AsyncSession) -> list[UUID]:
    """Those where something may have to go."""
    query = select(Deployment.project_id).where(
        Deployment.is_preview,
        Deployment.status == Status.ready,
        Deployment.is_active.is_(False),
        Deployment.pruned_at.is_(None),
    )
    return list(await db.scalars(query.distinct()))


def _kept(project_id: UUID) -> list[ColumnElement[bool]]:
    return [
        Deployment.project_id == project_id,
        Deployment.is_preview.is_(True),
        Deployment.status == Status.ready,
        Deployment.is_active.is_(False),
        Deployment.pruned_at.is_(None),
    ]
