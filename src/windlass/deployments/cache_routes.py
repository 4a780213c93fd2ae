"""JSON: the build caches of a project."""

from litestar import Router, delete

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.core.events import emit
from windlass.core.http import DB
from windlass.deployments import events
from windlass.projects.deps import InProject


@delete("/{project_id:str}/caches", permission=Permission.deploy_create)
async def clean_caches(db: DB, actor: CurrentActor, project: InProject) -> None:
    """Forget what was kept for the project's builds. It goes as soon as none of them runs; the
    next one installs everything again."""
    await emit(db, events.CachesCleaned(project_id=project.id), by=actor.id)


router = Router("/api/projects", route_handlers=[clean_caches], tags=["Projects"])
