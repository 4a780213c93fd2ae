"""The open previews of a project, each with its newest deployment and its address."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core import ids
from windlass.core.paging import LIMIT, newest
from windlass.core.schemas import Page
from windlass.core.settings import Settings
from windlass.deployments import listing
from windlass.deployments.models import Deployment
from windlass.previews.models import Preview
from windlass.previews.schemas import PreviewOut
from windlass.projects.models import Project, Site


async def page(
    db: AsyncSession,
    settings: Settings,
    project: Project,
    *,
    limit: int = LIMIT,
    cursor: str | None = None,
    by: Actor,
) -> Page[PreviewOut]:
    """Newest first."""
    query = select(Preview).where(Preview.project_id == project.id, Preview.ended_at.is_(None))
    rows, after = await newest(db, query, Preview.id, limit=limit, cursor=cursor)
    return Page(await _shown(db, settings, project, rows, by=by), after)


async def one(
    db: AsyncSession, settings: Settings, project: Project, row: Preview, *, by: Actor
) -> PreviewOut:
    return (await _shown(db, settings, project, [row], by=by))[0]


async def _shown(
    db: AsyncSession, settings: Settings, project: Project, rows: list[Preview], *, by: Actor
) -> list[PreviewOut]:
    branches = [row.branch for row in rows]
    newest = (
        select(Deployment.branch, Deployment.id)
        .ext(distinct_on(Deployment.branch))
        .where(
            Deployment.project_id == project.id,
            Deployment.is_preview,
            Deployment.branch.in_(branches),
        )
        .order_by(Deployment.branch, Deployment.id.desc())
    )
    deployments = {row.branch: row.id for row in await db.execute(newest)}
    aliases = select(Site.alias_of, Site.host).where(
        Site.project_id == project.id, Site.alias_of.in_(branches), Site.active_id.is_not(None)
    )
    hosts = {row.alias_of: row.host for row in await db.execute(aliases)}
    found: list[PreviewOut] = []
    for row in rows:
        id = deployments.get(row.branch)
        shape = await listing.one_in(db, settings, id, by=by) if id is not None else None
        host = hosts.get(row.branch)
        found.append(
            PreviewOut(
                id=ids.public("prev", row.id),
                project_id=ids.public("proj", row.project_id),
                branch=row.branch,
                pr_number=row.pull_number,
                title=row.title,
                author=row.author,
                is_fork=row.is_fork,
                needs_approval=row.needs_approval,
                commit_sha=row.commit_sha,
                commit_message=row.commit_message,
                comment_error=row.comment_error,
                alias_url=settings.site_url(host) if host is not None else None,
                deployment=listing.read(shape) if shape is not None else None,
                created_at=row.created_at,
                updated_at=row.updated_at,
            )
        )
    return found
