"""What follows from deployments: a branch with a preview is in the list, and comments have news."""

from sqlalchemy import bindparam, exists, select

from windlass.core import guard, ids
from windlass.core.context import Ctx
from windlass.core.queue import on
from windlass.core.threads import blocking
from windlass.deployments import events as deployments
from windlass.deployments import retention
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.previews import events, service
from windlass.previews.models import Preview
from windlass.projects.models import Project


@on(
    deployments.Queued,
    when=exists().where(Deployment.id == bindparam("deployment_id"), *service.TRACKED),
)
async def track(ctx: Ctx, event: deployments.Queued) -> None:
    """Also one that somebody asked for, without any push."""
    async with ctx.transaction() as db:
        query = (
            select(Project, Deployment)
            .join(Deployment, Deployment.project_id == Project.id)
            .where(Deployment.id == event.deployment_id, Deployment.status == Status.queued)
        )
        if (found := (await db.execute(query.where(*service.TRACKED))).one_or_none()) is not None:
            await service.track(db, *found)


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


@on(
    deployments.Ready,
    deployments.Failed,
    deployments.Cancelled,
    when=exists().where(
        Deployment.id == bindparam("deployment_id"),
        Deployment.is_preview,
        Preview.project_id == Deployment.project_id,
        Preview.branch == Deployment.branch,
        Preview.pull_number.is_not(None),
    ),
)
async def tell(
    ctx: Ctx, event: deployments.Ready | deployments.Failed | deployments.Cancelled
) -> None:
    """The comment of a pull request says how it ended."""
    async with ctx.transaction() as db:
        if (found := await db.get(Deployment, event.deployment_id)) is not None:
            await service.news_of(db, found)
