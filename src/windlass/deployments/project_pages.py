"""Pages: the list of projects, a project's deployments, a new version of it."""

from litestar import get, post
from litestar.params import FromQuery

from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.builds import service as builds
from windlass.builds.deps import planned
from windlass.core import ids
from windlass.core.errors import AppError
from windlass.core.http import DB, Request
from windlass.deployments import listing, new_pages, starting
from windlass.deployments.schemas import DeploymentCreate
from windlass.projects import listing as projects
from windlass.projects import service
from windlass.projects.deps import InProject, Latest, LatestOf
from windlass.projects.models import Project
from windlass.web import forms
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see, struct


@get("/projects", permission=Permission.project_read)
async def list_projects(
    request: Request,
    db: DB,
    actor: CurrentActor,
    latest: Latest,
    cursor: FromQuery[str | None] = None,
) -> Answer:
    query = projects.Query(cursor=cursor)
    found = await projects.shown_page(db, request.app.state.settings, query, latest, by=actor)
    return page(
        request, "projects/list.html", user=actor, projects=found.items, cursor=found.cursor
    )


@get("/projects/{slug:str}", permission=Permission.project_read)
async def show_project(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    latest: Latest,
    status: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Answer:
    state = request.app.state
    query = listing.Query(
        project_id=ids.public("proj", project.id), status=status or None, cursor=cursor
    )
    found = await listing.page_of_structs(state.database, state.settings, query, by=actor)
    return page(
        request,
        "deployments/project.html",
        user=actor,
        project=await projects.shown(db, state.settings, project, latest, by=actor),
        deployments=found.items,
        cursor=found.cursor,
        status=status,
    )


@get("/projects/{slug:str}/deploy", permission=Permission.deploy_create)
async def deploy_form(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    latest: Latest,
    source: FromQuery[str | None] = None,
) -> Answer:
    values: dict[str, str | bool] = {"production": True}
    return await _deploy(request, db, actor, project, latest, source=source, values=values)


@post("/projects/{slug:str}/deploy", permission=Permission.deploy_create, rate="deploy")
async def deploy(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    source = forms.text(form, "source_id")
    try:
        wanted = struct(
            DeploymentCreate,
            {
                "project_id": ids.public("proj", project.id),
                "source_id": source,
                "branch": forms.text(form, "branch"),
                "production": forms.checked(form, "production"),
            },
        )
        made = await starting.deploy(
            db,
            project,
            wanted,
            is_clean=forms.checked(form, "clean"),
            base_domain=request.app.state.settings.base_domain,
            by=actor,
        )
    except AppError as error:
        if error.status == 404:
            raise
        await db.rollback()
        await db.refresh(project)
        values = {"production": False} | forms.values(form)
        return await _deploy(
            request,
            db,
            actor,
            project,
            latest,
            source=source,
            values=values,
            error=error,
        )
    return see(f"/deployments/{ids.public('depl', made.id)}")


@get("/projects/{slug:str}/deploy/image", permission=Permission.deploy_create)
async def deploy_image_form(actor: CurrentActor, project: InProject) -> Answer:
    """Where the form with a mistake in it stands, asked for again."""
    return see(f"/projects/{service.ref_of(project, by=actor)}/deploy")


@post("/projects/{slug:str}/deploy/image", permission=Permission.deploy_create, rate="deploy")
async def deploy_image(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    """An image in place of files; where it goes is asked next."""
    try:
        source = await new_pages.image_source(request, db, form, by=actor)
    except AppError as error:
        await db.rollback()
        await db.refresh(project)
        values = {"production": True} | forms.values(form)
        return await _deploy(
            request, db, actor, project, latest, source=None, values=values, error=error
        )
    ref = service.ref_of(project, by=actor)
    return see(f"/projects/{ref}/deploy?source={ids.public('src', source.id)}")


async def _deploy(
    request: Request,
    db: DB,
    actor: Actor,
    project: Project,
    latest: LatestOf,
    *,
    source: str | None,
    values: dict[str, str | bool],
    error: AppError | None = None,
) -> Answer:
    found = None
    if source is not None:
        row = await builds.get(db, ids.private("src", source), by=actor)
        found = await planned(request, row, root_directory=project.root_directory)
    return page(
        request,
        "projects/deploy.html",
        error=error,
        renamed={"repository_branch": "branch"} | ({"form": "image"} if "image" in values else {}),
        user=actor,
        project=await projects.shown(db, request.app.state.settings, project, latest, by=actor),
        source=found,
        left_out=new_pages.left_out(request),
        values=values,
    )


HANDLERS = [list_projects, show_project, deploy_form, deploy, deploy_image_form, deploy_image]
