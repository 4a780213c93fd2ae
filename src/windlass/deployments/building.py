"""The building part of a deployment's life: from the queue to a release on disk."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.adapters import git
from windlass.adapters.world import world
from windlass.builds import logins, release, sources, uids
from windlass.builds.models import Source, SourceStatus
from windlass.builds.pipeline import Fetched, Job, Pipeline, explain
from windlass.builds.plan import Overrides
from windlass.builds.release import Release
from windlass.builds.steps import BuildFailed, Log
from windlass.core import ids, launch
from windlass.core.context import Ctx
from windlass.core.errors import AppError
from windlass.core.events import emit
from windlass.core.live import announce
from windlass.core.loop import Step
from windlass.core.threads import blocking
from windlass.deployments import events, releasing
from windlass.deployments.logbook import Logbook
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects import deploy_keys, fingerprints
from windlass.projects import service as projects
from windlass.projects.models import Project, Target

MAX_ATTEMPTS = 3


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a build needs to know, read in one short transaction."""

    job: Job
    secrets: tuple[str, ...]
    variables: dict[str, str]
    source_id: UUID
    attempt: int


async def build(ctx: Ctx, deployment: Deployment) -> Step:
    """Build it. Also what goes on after a crash: the work of the dead attempt is swept first."""
    name = ids.public("depl", deployment.id)
    await blocking(launch.sweep, f"build-{name}")
    order = await _order(ctx, deployment)
    limit = ctx.settings.builds.log_bytes
    async with Logbook(ctx.database, deployment.id, secrets=order.secrets, max_bytes=limit) as log:
        pipeline = Pipeline(ctx.settings, world(ctx), order.job, log)
        try:
            if order.attempt > MAX_ATTEMPTS:
                text = f"The builder died {MAX_ATTEMPTS} times during this build. Look at its log."
                raise BuildFailed("BUILDER_DIED", text)
            if order.attempt > 1:
                log.say("The builder was restarted; the build starts again", "warn")
            return await _run(ctx, deployment, order, pipeline, log)
        except BuildFailed as error:
            return failed(deployment, error, log)
        except AppError as error:
            return failed(deployment, explain(error), log)
        except asyncio.CancelledError:
            log.say("The build was stopped", "warn")
            raise
        finally:
            await pipeline.clean_up()


async def _run(
    ctx: Ctx, deployment: Deployment, order: Order, pipeline: Pipeline, log: Logbook
) -> Step:
    fetched = await pipeline.fetch()
    if order.job.manifest_sha256 is None:
        await _keep_source(ctx, order.source_id, fetched)
    built = await pipeline.build(fetched)
    log.step = "release"
    wanted = Release(
        deployment=order.job.deployment,
        uid=order.job.uid,
        env=order.job.env,
        secrets=order.secrets,
        is_preview=deployment.is_preview,
        project=order.job.project,
    )
    await blocking(release.assemble, ctx.settings, world(ctx), built, wanted)
    done = releasing.mark(ctx.settings.folder, wanted.deployment)
    await releasing.run(ctx, deployment.project_id, built.plan, wanted, log, done=done)
    manifest = await blocking(sources.save_manifest, world(ctx).blobs, built.manifest)
    values: dict[str, Any] = {
        "status": Status.deploying,
        "plan": msgspec.to_builtins(built.plan),
        "variables": order.variables,
        "caches": msgspec.to_builtins(built.caches),
        "manifest_sha256": manifest,
        "file_count": len(built.manifest),
        "size_bytes": built.size_bytes,
        "build_time_seconds": func.extract("epoch", func.now() - Deployment.started_at),
    }
    if fetched.commit_sha is not None:
        values |= {
            "commit_sha": fetched.commit_sha,
            "commit_message": fetched.commit_message,
            "branch": fetched.branch,
        }
    return Step(values, then=lambda db: tell(db, deployment), again_in=0)


def failed(deployment: Deployment, error: BuildFailed, log: Log) -> Step:
    """End it with the one line that says why, at the end of the log and on the row."""
    log.say(str(error), "error")
    values = {
        "status": Status.error,
        "error_code": error.code,
        "error_message": str(error),
        "finished_at": func.now(),
        "build_time_seconds": func.extract("epoch", func.now() - Deployment.started_at),
    }
    event = events.Failed(
        deployment_id=deployment.id,
        project_id=deployment.project_id,
        code=error.code,
        message=str(error),
    )

    async def then(db: AsyncSession) -> None:
        await emit(db, event, by=None)
        await tell(db, deployment)

    return Step(values, then=then)


async def tell(db: AsyncSession, deployment: Deployment) -> None:
    """Everybody who looks at it looks again; the project's next one may start (C-159)."""
    await announce(
        db,
        f"deployment:{deployment.id}",
        f"project:{deployment.project_id}",
        "loop-deployments",
    )


async def _order(ctx: Ctx, deployment: Deployment) -> Order:
    target = Target.preview if deployment.is_preview else Target.production
    async with ctx.transaction() as db:
        count = (
            update(Deployment)
            .where(Deployment.id == deployment.id)
            .values(attempt=Deployment.attempt + 1)
            .returning(Deployment.attempt)
        )
        attempt = (await db.execute(count)).scalar_one()
        project = (
            await db.scalars(select(Project).where(Project.id == deployment.project_id))
        ).one()
        source = (await db.scalars(select(Source).where(Source.id == deployment.source_id))).one()
        env, secrets = await projects.environment(db, project.id, target, ctx.keys)
        registries = await logins.opened(db, project.id, ctx.keys)
        if deployment.is_fork:
            registries = ()
            env = {key: value for key, value in env.items() if value not in secrets}
        await announce(db, f"deployment:{deployment.id}")
    overrides = msgspec.convert(
        {field.encode_name: deployment.settings.get(field.name) for field in _OVERRIDES}, Overrides
    )
    job = Job(
        deployment=ids.public("depl", deployment.id),
        project=ids.public("proj", project.id),
        uid=uids.of_project(ctx.settings, project.number),
        overrides=overrides,
        env=env,
        secrets=secrets,
        is_clean=deployment.is_clean,
        manifest_sha256=source.manifest_sha256,
        repository_url=source.repository_url,
        branch=source.branch,
        pin=git.Pin(source.commit_sha, source.ref) if source.commit_sha else None,
        # A fork's own repository gets no key of ours, and what it builds no cache of ours.
        deploy_key=(
            deploy_keys.private_half(project, ctx.keys)
            if source.repository_url == project.repository_url or not deployment.is_fork
            else None
        ),
        logins=registries,
        cache="forks" if deployment.is_fork else "",
    )
    return Order(
        job=job,
        secrets=(*secrets, *(login.password for login in registries)),
        variables=fingerprints.of(env, project.id, ctx.keys),
        source_id=source.id,
        attempt=attempt,
    )


_OVERRIDES = msgspec.structs.fields(Overrides)


async def _keep_source(ctx: Ctx, id: UUID, fetched: Fetched) -> None:
    """The fetched files belong to the source now: building again needs no Git host."""
    values = {
        "status": SourceStatus.ready,
        "manifest_sha256": fetched.manifest_sha256,
        "commit_sha": fetched.commit_sha,
        "commit_message": fetched.commit_message,
        "branch": fetched.branch,
        "file_count": len(fetched.manifest),
        "size_bytes": sum(entry.size for entry in fetched.manifest),
    }
    async with ctx.transaction() as db:
        await db.execute(update(Source).where(Source.id == id).values(values))
