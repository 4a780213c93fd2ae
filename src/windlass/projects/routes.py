"""JSON: projects and their variables."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from windlass.adapters.git import check_url
from windlass.adapters.world import addresses_of
from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.errors import NotFound
from windlass.core.http import DB, BadParameter, Request
from windlass.core.schemas import CursorText, Limit, Page, Total
from windlass.projects import key_routes, listing, service, sharing_routes
from windlass.projects.deps import InProject, Latest
from windlass.projects.listing import LIMIT, Query
from windlass.projects.models import Project
from windlass.projects.schemas import (
    EnvChange,
    EnvOut,
    EnvSet,
    Id,
    Name,
    ProjectChange,
    ProjectCreate,
    ProjectOut,
    ProjectSort,
)


async def shown(
    request: Request, db: DB, actor: CurrentActor, project: Project, latest: Latest
) -> ProjectOut:
    return await listing.shown(db, request.app.state.settings, project, latest, by=actor)


@get("/", permission=Permission.project_read)
async def list_projects(
    request: Request,
    db: DB,
    actor: CurrentActor,
    latest: Latest,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
    sort: FromQuery[ProjectSort] = "-createdAt",
    framework: FromQuery[Name | None] = None,
    of_team: Annotated[Id | None, QueryParameter(name="team")] = None,
    total: FromQuery[Total] = False,
) -> Page[ProjectOut]:
    """Projects with their newest deployment (C-100); with `team` those that the team sees."""
    team_id = _team_id(of_team) if of_team is not None else None
    query = Query(
        limit=limit, cursor=cursor, sort=sort, framework=framework, team_id=team_id, total=total
    )
    settings = request.app.state.settings
    return await listing.shown_page(db, settings, query, latest, by=actor)


def _team_id(text: str) -> UUID:
    try:
        return ids.private("team", text)
    except NotFound:
        found = {"field": "team", "message": "Use the id of a team, which begins with team_"}
        raise BadParameter.of([found]) from None


@post("/", permission=Permission.project_write)
async def create_project(
    request: Request, db: DB, actor: CurrentActor, latest: Latest, data: JSONBody[ProjectCreate]
) -> ProjectOut:
    """A new project; its address is made from its name (C-101)."""
    if data.repository_url is not None:
        check_url(data.repository_url, allow=addresses_of(request.app.state.settings))
    base = request.app.state.settings.base_domain
    project = await service.create(db, data, base_domain=base, by=actor)
    return await shown(request, db, actor, project, latest)


@get("/{project_id:str}", permission=Permission.project_read)
async def get_project(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest
) -> ProjectOut:
    """One project."""
    return await shown(request, db, actor, project, latest)


@get("/by-slug/{slug:str}", permission=Permission.project_read)
async def get_project_by_slug(
    request: Request, db: DB, actor: CurrentActor, slug: FromPath[str], latest: Latest
) -> ProjectOut:
    """One project, by the name in its address (C-103)."""
    project = await service.get_by_slug(db, slug, Permission.project_read, by=actor)
    return await shown(request, db, actor, project, latest)


@patch("/{project_id:str}", permission=Permission.project_write)
async def change_project(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    latest: Latest,
    data: JSONBody[ProjectChange],
) -> ProjectOut:
    """Change what is given. Anything but the name is a matter of settings (D-35)."""
    given = {k for k, v in msgspec.structs.asdict(data).items() if v is not msgspec.UNSET}
    if given - {"name"}:
        role = await service.role_on(db, project.id, by=actor)
        actor.require(Permission.project_settings, on=role)
    if isinstance(data.repository_url, str):
        check_url(data.repository_url, allow=addresses_of(request.app.state.settings))
    await service.change(db, project, data, by=actor)
    return await shown(request, db, actor, project, latest)


@delete("/{project_id:str}", permission=Permission.project_delete)
async def delete_project(db: DB, actor: CurrentActor, project: InProject) -> None:
    """Delete a project with its deployments, variables, sites and files (C-023)."""
    await service.remove(db, project, by=actor)


@get("/{project_id:str}/env", permission=Permission.project_settings)
async def list_variables(request: Request, db: DB, project: InProject) -> Page[EnvOut]:
    """The variables; values of secrets are null."""
    found = await service.variables(db, project, request.app.state.key_ring)
    return Page([EnvOut.of(row, value) for row, value in found])


@post("/{project_id:str}/env", permission=Permission.project_settings)
async def set_variable(
    request: Request, db: DB, actor: CurrentActor, project: InProject, data: JSONBody[EnvSet]
) -> Page[EnvOut]:
    """Set a variable for some targets; what was there is replaced (C-105)."""
    keys = request.app.state.key_ring
    found = await service.set_variable(db, project, data, keys, by=actor)
    return Page([EnvOut.of(row, value) for row, value in found])


@patch("/{project_id:str}/env/{env_id:str}", permission=Permission.project_settings)
async def change_variable(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    env_id: FromPath[str],
    data: JSONBody[EnvChange],
) -> EnvOut:
    """Change the value, or whether it is a secret."""
    row = await service.variable(db, project, ids.private("env", env_id))
    keys = request.app.state.key_ring
    value = await service.change_variable(db, project, row, data, keys, by=actor)
    return EnvOut.of(row, value)


@delete("/{project_id:str}/env/{env_id:str}", permission=Permission.project_settings)
async def remove_variable(
    db: DB, actor: CurrentActor, project: InProject, env_id: FromPath[str]
) -> None:
    """Remove a variable from one target; the next deployment does not have it."""
    row = await service.variable(db, project, ids.private("env", env_id))
    await service.remove_variable(db, project, row, by=actor)


router = Router(
    "/api/projects",
    route_handlers=[
        list_projects,
        create_project,
        get_project,
        get_project_by_slug,
        change_project,
        delete_project,
        list_variables,
        set_variable,
        change_variable,
        remove_variable,
        *key_routes.HANDLERS,
        *sharing_routes.HANDLERS,
    ],
    tags=["Projects"],
)
