"""What follows from deployments: a branch with a preview is in the list, and comments have news."""

from sqlalchemy import select

from windlass.core import guard, ids
from windlass.core.context import Ctx
from windlass.core.queue import on
from windlass.core.threads import blocking
from windlass.deployments import events as deployments
from windlass.deployments import retention
from windlass.deployments.models import Deployment
from windlass.previews import events, service
from windlass.projects.models import Project


@on(deployments.Queued)
async def track(ctx: Ctx, event: deployments.Queued) -> None:
    """Also one that somebody asked for, without any push."""
    async with ctx.transaction() as db:
        query = select(Deployment, Project).join(Project, Project.id == Deployment.project_id)
        row = (await db.execute(query.where(Deployment.id == event.deployment_id))).one_or_none()
        if row is not None and row[0].status.value == "QUEUED":
            await service.track(db, row[1], row[0])


@on(events.SettingsChanged)
async def apply_settings(ctx: Ctx, event: events.SettingsChanged) -> None:
    """The edge reads the password from a file; fewer previews are kept at once."""
    async with ctx.transaction() as db:
        # Locked while it is written: of two changes the later one is written last.
        query = select(Project).where(Project.id == event.project_id).with_for_update()
        if (project := await db.scalar(query)) is None:
            return
        hash = project.preview_password_hash if project.deleted_at is None else None
        wanted = guard.of(hash) if hash is not None else None
        name = ids.public("proj", project.id)
        await blocking(guard.write, ctx.settings.folder, name, wanted)
        await retention.prune(db, ctx.settings.builds, project.id)


@on(deployments.Ready, deployments.Failed, deployments.Cancelled)
async def tell(
    ctx: Ctx, event: deployments.Ready | deployments.Failed | deployments.Cancelled
) -> None:
    """The comment of a pull request says how it ended."""
    async with ctx.transaction() as db:
        found = await db.get(Deployment, event.deployment_id)
        if found is not None and found.is_preview:
            await service.news_of(db, found)
