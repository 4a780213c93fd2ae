"""Build the worker: it lists every jobs.py and reconcile.py, and turns them."""

import asyncio

from windlass.adapters import sandbox, world
from windlass.audit import jobs as audit_jobs
from windlass.auth import jobs as auth_jobs
from windlass.builds import reconcile as builds_reconcile
from windlass.clusters import jobs as clusters_jobs
from windlass.clusters import reconcile as clusters_reconcile
from windlass.core import events, launch, log, loop, queue
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.db import Database
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.deployments import jobs as deployments_jobs
from windlass.deployments import reconcile as deployments_reconcile
from windlass.health import jobs as health_jobs
from windlass.previews import jobs as previews_jobs
from windlass.projects import jobs as projects_jobs
from windlass.releases import reconcile as releases_reconcile
from windlass.teams import jobs as teams_jobs
from windlass.webhooks import jobs as webhooks_jobs
from windlass.webhooks import reconcile as webhooks_reconcile

MODULES = (
    audit_jobs,
    auth_jobs,
    health_jobs,
    teams_jobs,
    builds_reconcile,
    clusters_jobs,
    clusters_reconcile,
    deployments_jobs,
    deployments_reconcile,
    previews_jobs,
    projects_jobs,
    releases_reconcile,
    webhooks_jobs,
    webhooks_reconcile,
)

# Names of what this process runs in sandboxes: builds, release commands, Git.
_LAUNCHED = ("build-", "release-", "git-")


def context(settings: Settings, database: Database, live: Live, keys: KeyRing) -> Ctx:
    """What background code of this process works with."""
    if settings.builds.unsafe:
        launch.permit_unsafe()
    adapters = world.make(settings, mirrors=sandbox.registries().hosts)
    return Ctx(settings=settings, database=database, live=live, keys=keys, world=adapters)


async def run(ctx: Ctx) -> None:
    """Take over what dead workers of this machine left, then work until cancelled."""
    swept: list[str] = []
    for prefix in _LAUNCHED:
        swept += await asyncio.to_thread(launch.sweep, prefix)
    if swept:
        log.get().warning("worker.swept", launches=swept)
    for found in loop.LOOPS:
        await loop.take_over(ctx, found)
    await deployments_jobs.sweep(ctx)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(queue.work(ctx, events.TYPES))
        for found in loop.LOOPS:
            tasks.create_task(loop.run(ctx, found))
