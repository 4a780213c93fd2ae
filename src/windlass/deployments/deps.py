"""Deployments as handlers get them: loaded with the check whether the caller may see them."""

from uuid import UUID

from litestar.di import NamedDependency
from litestar.params import FromPath

from windlass.auth.deps import CurrentActor, permission_of
from windlass.core import ids
from windlass.core.http import DB, Request
from windlass.core.schemas import Out
from windlass.deployments import listing, service
from windlass.deployments.models import Deployment
from windlass.projects.deps import LatestOf

InDeployment = NamedDependency[Deployment]


async def provide_deployment(
    request: Request, db: DB, actor: CurrentActor, deployment_id: FromPath[str]
) -> Deployment:
    id = ids.private("depl", deployment_id)
    return await service.get(db, id, permission_of(request), by=actor)


async def provide_latest(request: Request) -> LatestOf:
    """Newest deployments of some projects, for the area of projects."""
    state = request.app.state

    async def latest(project_ids: list[UUID]) -> dict[UUID, Out]:
        return dict(await listing.latest(state.database, state.settings, project_ids))

    return latest
