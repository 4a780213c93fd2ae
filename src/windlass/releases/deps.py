"""Releases as handlers get them: loaded with the check whether the caller may see them."""

from litestar.di import NamedDependency
from litestar.params import FromPath

from windlass.auth.deps import CurrentActor, permission_of
from windlass.core import ids
from windlass.core.http import DB, Request
from windlass.releases import service
from windlass.releases.models import Release

InRelease = NamedDependency[Release]


async def provide_release(
    request: Request, db: DB, actor: CurrentActor, release_id: FromPath[str]
) -> Release:
    id = ids.private("rel", release_id)
    return await service.get(db, id, permission_of(request), by=actor)
