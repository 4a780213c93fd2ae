"""Projects as handlers get them: loaded with the check whether the caller may see them."""

from typing import Protocol, runtime_checkable
from uuid import UUID

from litestar.di import NamedDependency
from litestar.params import FromPath

from windlass.auth.deps import CurrentActor, permission_of
from windlass.core import ids
from windlass.core.http import DB, Request
from windlass.core.schemas import Out
from windlass.projects import service
from windlass.projects.models import Project

InProject = NamedDependency[Project]


async def provide_project(
    request: Request, db: DB, actor: CurrentActor, project_id: FromPath[str]
) -> Project:
    id = ids.private("proj", project_id)
    return await service.get(db, id, permission_of(request), by=actor)


async def provide_project_by_slug(
    request: Request, db: DB, actor: CurrentActor, slug: FromPath[str]
) -> Project:
    return await service.get_by_slug(db, slug, permission_of(request), by=actor)


@runtime_checkable
class LatestOf(Protocol):
    """Newest deployments by project; given by the area above, which this one does not know."""

    async def __call__(self, project_ids: list[UUID]) -> dict[UUID, Out]: ...


Latest = NamedDependency[LatestOf]
