"""The bundled example site, deployed once: the first thing that a new user sees working."""

import asyncio
from pathlib import Path

from sqlalchemy import select

from windlass.adapters.world import world
from windlass.auth import service as auth
from windlass.auth.models import User
from windlass.builds import service as builds
from windlass.builds import sources
from windlass.builds.models import SourceKind
from windlass.core.context import Ctx
from windlass.deployments import service
from windlass.deployments.models import Deployment
from windlass.deployments.phases import MOVING
from windlass.projects import service as projects
from windlass.projects.models import Project
from windlass.projects.schemas import ProjectCreate

_FOLDER = Path(__file__).parent / "examples" / "hello"
_WAIT_SECONDS = 15.0


async def deploy_once(ctx: Ctx) -> str | None:
    """Deploy it on the very first start; returns its address when that was now, and it is live."""
    mark = ctx.settings.folder / "run" / "example.done"
    if mark.exists():
        return None
    manifest = await asyncio.to_thread(world(ctx).blobs.scan, _FOLDER)
    sha256 = await asyncio.to_thread(sources.save_manifest, world(ctx).blobs, manifest)
    async with ctx.transaction() as db:
        if await db.scalar(select(Project.id).limit(1)) is not None:
            mark.touch()
            return None
        owner = (await db.scalars(select(User).order_by(User.created_at).limit(1))).one()
        by = auth.actor_of(owner)
        base = ctx.settings.base_domain
        project = await projects.create(db, ProjectCreate(name="Hello"), base_domain=base, by=by)
        source = await builds.create_ready(
            db, manifest, sha256, kind=SourceKind.upload, name="hello", by=by
        )
        wanted = service.Wanted(
            source=source, is_preview=False, commit_message="The bundled example"
        )
        deployment = await service.create(db, project, wanted, base_domain=base, by=by)
    mark.touch()
    await _ended(ctx, deployment)
    return ctx.settings.site_url(deployment.host)


async def _ended(ctx: Ctx, deployment: Deployment) -> None:
    query = select(Deployment.status).where(Deployment.id == deployment.id)
    async with ctx.live.watch(f"deployment:{deployment.id}") as changed:
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while True:
                    changed.clear()
                    async with ctx.transaction() as db:
                        if await db.scalar(query) not in MOVING:
                            return
                    await changed.wait()
        except TimeoutError:
            return
