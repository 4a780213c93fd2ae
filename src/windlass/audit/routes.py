"""JSON: what happened, of what one may see; the same of everything for the platform's admins."""

from typing import Annotated

from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, QueryParameter
from msgspec.structs import replace

from windlass.audit import listing
from windlass.audit.listing import LIMIT, Query, Seen
from windlass.audit.schemas import EntryOut
from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.http import Request
from windlass.core.schemas import Page
from windlass.projects.deps import InProject

Asked = NamedDependency[Query]


async def provide_asked(
    limit: FromQuery[int] = LIMIT,
    cursor: FromQuery[str | None] = None,
    sort: FromQuery[str] = "-createdAt",
    type: FromQuery[str | None] = None,
    action: FromQuery[str | None] = None,
    of_actor: Annotated[str | None, QueryParameter(name="actor")] = None,
    user: FromQuery[str | None] = None,
    of_project: Annotated[str | None, QueryParameter(name="project")] = None,
    of_team: Annotated[str | None, QueryParameter(name="team")] = None,
    since: Annotated[str | None, QueryParameter(name="from")] = None,
    until: Annotated[str | None, QueryParameter(name="to")] = None,
    search: FromQuery[str | None] = None,
) -> Query:
    """The filters of every list of the log."""
    return Query(
        limit=limit,
        cursor=cursor,
        sort=sort,
        type=type,
        action=action,
        actor=of_actor,
        user=user,
        project=of_project,
        team=of_team,
        since=since,
        until=until,
        search=search,
    )


@get("/api/audit", permission=Permission.account)
async def list_audit(request: Request, actor: CurrentActor, asked: Asked) -> Page[EntryOut]:
    """What you did, what was done to your account, and what happened in your projects and in the
    teams that you administer; newest first."""
    database = request.app.state.database
    return await listing.page(database, asked, of=actor.id, seen=Seen.allowed)


@get("/api/auth/activity", permission=Permission.account)
async def list_own_activity(request: Request, actor: CurrentActor, asked: Asked) -> Page[EntryOut]:
    """What you did and what was done to your account; newest first."""
    return await listing.page(request.app.state.database, asked, of=actor.id, seen=Seen.own)


@get("/api/projects/{project_id:str}/activity", permission=Permission.project_read)
async def list_project_activity(
    request: Request, actor: CurrentActor, project: InProject, asked: Asked
) -> Page[EntryOut]:
    """What happened in a project; newest first. Who does not administer it sees neither from where
    something was done nor what became of its variables."""
    asked = replace(asked, project=ids.public("proj", project.id))
    return await listing.page(request.app.state.database, asked, of=actor.id, seen=Seen.allowed)


@get("/api/admin/audit", permission=Permission.admin_read)
async def list_everything(request: Request, asked: Asked) -> Page[EntryOut]:
    """What happened on this Windlass, whoever did it; for its administrators."""
    return await listing.page(request.app.state.system, asked, of=None, seen=Seen.everything)


ROUTES = [
    Router(
        "/",
        route_handlers=[list_audit, list_own_activity, list_project_activity, list_everything],
        dependencies={"asked": Provide(provide_asked)},
        tags=["Audit"],
    )
]
