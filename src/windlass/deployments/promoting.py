"""A preview on the production host, or an older release with today's variables: the same files, run
with the variables of production.

The preview's own release never changes, and its own address goes on with the variables of previews.
Production serves a second release beside it, `<deployment>-live`, whose files are the first one's.
It can be served from the moment its `site.json` is written, the last step: a crash before that
leaves everything as it was, and the next look makes it anew.
"""

from uuid import UUID

import msgspec
from sqlalchemy import select, update

from windlass.adapters.world import world
from windlass.builds import release, uids
from windlass.builds.plan import Plan
from windlass.builds.release import Release
from windlass.core import ids, links, site
from windlass.core.context import Ctx
from windlass.core.threads import blocking
from windlass.deployments import releasing
from windlass.deployments.logbook import Logbook
from windlass.deployments.models import Deployment
from windlass.projects import fingerprints
from windlass.projects import service as projects
from windlass.projects.models import Project, Site, Target

# Why a host goes back by itself: to the release as it was served, whichever that was.
AUTOMATIC = "errors rose after the switch"


def live_name(name: str) -> str:
    """The release that production serves of a promoted preview."""
    return f"{name}-live"


def names(id: UUID, *, is_production: bool) -> tuple[str, ...]:
    """What a host may serve when a deployment is active on it."""
    name = ids.public("depl", id)
    return (name, live_name(name)) if is_production else (name,)


def has_live_release(deployment: Deployment) -> bool:
    """Whether production serves, or served last, a second release of it."""
    return deployment.is_preview or deployment.live_variables is not None


async def prepare(ctx: Ctx, place: Site, id: UUID) -> str:
    """The name of the release that this host is to serve; made first where a preview is promoted.

    One that was live before stays as it was then: a rollback brings back what worked. Raises
    BuildFailed (the release command) and EdgeAway.
    """
    name = ids.public("depl", id)
    if place.is_preview:
        return name
    async with ctx.transaction() as db:
        found = await db.get(Deployment, id)
        if found is None or found.plan is None or not _needs_another(place, found):
            return name
        project = (await db.scalars(select(Project).where(Project.id == found.project_id))).one()
        env, secrets = await projects.environment(db, project.id, Target.production, ctx.keys)
    live = live_name(name)
    folder = site.folder(ctx.settings.folder, live)
    is_there = (folder / "site.json").exists()
    is_served = links.current(ctx.settings.folder, place.host) == live
    was_live = found.promoted_at is not None and not place.wanted_today
    if is_there and (is_served or was_live or place.active_id == found.id):
        return live
    wanted = Release(
        deployment=live,
        project=ids.public("proj", project.id),
        uid=uids.of_project(ctx.settings, project.number),
        env=env,
        secrets=secrets,
        is_preview=False,
    )
    await _make(ctx, found, wanted, of=name)
    marks = fingerprints.of(env, project.id, ctx.keys)
    async with ctx.transaction() as db:
        kept = update(Deployment).where(Deployment.id == found.id)
        await db.execute(kept.values(live_variables=marks))
    return live


def _needs_another(place: Site, found: Deployment) -> bool:
    """Whether the release as it was built is not what this host is to serve."""
    if found.is_preview or place.wanted_today:
        return True
    # The host goes back to what it serves or served, after a switch that came to nothing.
    goes_back = place.active_id == found.id or place.wanted_reason == AUTOMATIC
    return goes_back and found.live_variables is not None


async def _make(ctx: Ctx, deployment: Deployment, wanted: Release, *, of: str) -> None:
    plan = msgspec.convert(deployment.plan, Plan)
    if plan.kind != "static":
        # One that was warmed before runs with the variables of that time.
        await world(ctx).edge.stop(wanted.deployment)
    await blocking(release.assemble_again, ctx.settings, world(ctx), plan, wanted, of=of)
    if plan.release_command is not None:
        limit = ctx.settings.builds.log_bytes
        async with Logbook(
            ctx.database, deployment.id, secrets=wanted.secrets, max_bytes=limit
        ) as log:
            log.say("The release command runs with the variables of production")
            await releasing.run(ctx, deployment.project_id, plan, wanted, log)
    await blocking(release.finish_again, ctx.settings, wanted, of=of)
