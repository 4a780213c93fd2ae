"""JSON: the previews of a project, and who lets a fork in."""

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from windlass.auth import passwords
from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.http import DB, Request
from windlass.core.schemas import CursorText, Limit, Page
from windlass.deployments import listing as deployments
from windlass.deployments.schemas import DeploymentOut
from windlass.previews import keeping, listing, service
from windlass.previews.schemas import (
    ApprovalCreate,
    PreviewOut,
    SettingsChange,
    SettingsOut,
)
from windlass.projects.deps import InProject


@get("/{project_id:str}/previews", permission=Permission.deploy_read)
async def list_previews(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    limit: FromQuery[Limit] = 20,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[PreviewOut]:
    """Open pull requests and branches that have a preview, newest first; those of forks may wait
    for approval."""
    settings = request.app.state.settings
    return await listing.page(db, settings, project, limit=limit, cursor=cursor, by=actor)


@post(
    "/{project_id:str}/previews/{preview:str}/approve",
    permission=Permission.deploy_create,
    rate="deploy",
)
async def approve_preview(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    preview: FromPath[str],
    data: JSONBody[ApprovalCreate | None] = None,
) -> DeploymentOut:
    """Let the newest commit of a fork's pull request be built, without the project's secrets. The
    next commit of it waits again."""
    settings = request.app.state.settings
    row = await service.get(db, project, ids.private("prev", preview))
    made = await service.approve(
        db,
        project,
        row,
        data.commit_sha if data else None,
        base_domain=settings.base_domain,
        by=actor,
    )
    return deployments.read(await deployments.one_in(db, settings, made.id, by=actor))


@delete("/{project_id:str}/previews/{preview:str}", permission=Permission.deploy_cancel)
async def remove_preview(
    db: DB, actor: CurrentActor, project: InProject, preview: FromPath[str]
) -> None:
    """Remove a preview: its builds end, its addresses are served no more. A new commit brings it
    back."""
    row = await service.get(db, project, ids.private("prev", preview))
    if row.ended_at is None:
        await service.end(db, project, row, why=service.REMOVED, by=actor)


@get("/{project_id:str}/preview-settings", permission=Permission.project_settings)
async def show_preview_settings(request: Request, project: InProject) -> SettingsOut:
    """How many previews are kept, for how long, and whether they ask for a password."""
    return keeping.shown(project, request.app.state.settings.builds)


@patch("/{project_id:str}/preview-settings", permission=Permission.project_settings)
async def change_preview_settings(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    data: JSONBody[SettingsChange],
) -> SettingsOut:
    """Change how previews are kept. Who has the password sees them; production never asks."""
    given = data.password
    hash = await passwords.hashed(given) if isinstance(given, str) else None
    await keeping.change(db, project, data, hash, by=actor)
    return keeping.shown(project, request.app.state.settings.builds)


router = Router(
    "/api/projects",
    route_handlers=[
        list_previews,
        approve_preview,
        remove_preview,
        show_preview_settings,
        change_preview_settings,
    ],
)
