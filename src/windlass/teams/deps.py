"""Teams as handlers get them: loaded with what the caller is in them, and may do there."""

from litestar.di import NamedDependency
from litestar.params import FromPath

from windlass.auth.deps import CurrentActor, permission_of
from windlass.core import ids
from windlass.core.http import DB, Request
from windlass.teams import service
from windlass.teams.service import Membership

InTeam = NamedDependency[Membership]


async def provide_team(
    request: Request, db: DB, actor: CurrentActor, team_id: FromPath[str]
) -> Membership:
    id = ids.private("team", team_id)
    return await service.get(db, id, permission_of(request), by=actor)


async def provide_team_by_slug(
    request: Request, db: DB, actor: CurrentActor, slug: FromPath[str]
) -> Membership:
    return await service.get_by_slug(db, slug, permission_of(request), by=actor)
