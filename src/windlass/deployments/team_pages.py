"""Pages: what a team sees."""

from litestar import get, post
from litestar.params import FromPath, FromQuery

from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.errors import AppError
from windlass.core.http import DB, Request
from windlass.projects import listing, service, sharing
from windlass.projects.deps import Latest, LatestOf
from windlass.teams import listing as teams
from windlass.teams import service as memberships
from windlass.teams.deps import InTeam
from windlass.teams.service import Membership
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see


@get("/teams/{slug:str}/projects", permission=Permission.team_read)
async def show_projects(
    request: Request,
    db: DB,
    actor: CurrentActor,
    team: InTeam,
    latest: Latest,
    cursor: FromQuery[str | None] = None,
) -> Answer:
    return await _projects(request, db, actor, team, latest, cursor=cursor)


@post("/teams/{slug:str}/projects", permission=Permission.team_read)
async def share(
    request: Request,
    db: DB,
    actor: CurrentActor,
    team: InTeam,
    slug: FromPath[str],
    latest: Latest,
    form: Form,
) -> Answer:
    """What somebody is in the team is enough to see it; sharing is a matter of the project."""
    try:
        id = ids.private("proj", form.get("project_id", ""))
        project = await service.get(db, id, Permission.project_settings, by=actor)
        await sharing.share(db, project, team.team.id, by=actor)
    except AppError as error:
        return await _refused(request, db, actor, slug, latest, error)
    return see(f"/teams/{slug}/projects", "shared")


@post("/teams/{slug:str}/projects/{project_id:str}/end", permission=Permission.team_read)
async def unshare(
    request: Request,
    db: DB,
    actor: CurrentActor,
    team: InTeam,
    slug: FromPath[str],
    project_id: FromPath[str],
    latest: Latest,
) -> Answer:
    try:
        id = ids.private("proj", project_id)
        project = await service.get(db, id, Permission.project_settings, by=actor)
        await sharing.unshare(db, project, team.team.id, by=actor)
    except AppError as error:
        return await _refused(request, db, actor, slug, latest, error)
    return see(f"/teams/{slug}/projects", "unshared")


async def _refused(
    request: Request, db: DB, actor: Actor, slug: str, latest: LatestOf, error: AppError
) -> Answer:
    await db.rollback()
    team = await memberships.get_by_slug(db, slug, Permission.team_read, by=actor)
    return await _projects(request, db, actor, team, latest, error=error)


async def _projects(
    request: Request,
    db: DB,
    actor: Actor,
    team: Membership,
    latest: LatestOf,
    *,
    cursor: str | None = None,
    error: AppError | None = None,
) -> Answer:
    query = listing.Query(team_id=team.team.id, cursor=cursor, sort="name")
    found = await listing.shown_page(db, request.app.state.settings, query, latest, by=actor)
    offered = await sharing.offerable(db, team.team.id, by=actor)
    return page(
        request,
        "deployments/team_projects.html",
        error=error,
        user=actor,
        team=await teams.team(db, team.team.id, by=actor),
        projects=found.items,
        cursor=found.cursor,
        offered=[(ids.public("proj", project.id), project.name) for project in offered],
    )


HANDLERS = [show_projects, share, unshare]
