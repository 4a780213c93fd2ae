"""Pages: deployments and what can be done with them, and every page of projects."""

import asyncio
import datetime as dt

import msgspec
from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromQuery

from windlass.adapters.edge import AppState, EdgeAway, EdgeClient
from windlass.auth import service as accounts
from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import GRANTS, Permission
from windlass.builds import release
from windlass.builds.deps import store_of
from windlass.builds.plan import Plan
from windlass.core import ids, runtime_log
from windlass.core.errors import AppError
from windlass.core.http import DB, Request
from windlass.core.launch_spec import Limits
from windlass.core.settings import Settings
from windlass.deployments import (
    diff_pages,
    listing,
    new_pages,
    project_pages,
    promoting,
    queue_routes,
    receipt_routes,
    registry_pages,
    releases,
    retiring,
    returning,
    runtime_logs,
    runtime_pages,
    service,
    settings_pages,
    sharing_pages,
    team_pages,
)
from windlass.deployments.deps import InDeployment
from windlass.deployments.models import Deployment
from windlass.deployments.runtime_logs import Wanted
from windlass.deployments.schemas import DeploymentChange, DeploymentOut, LogLineOut
from windlass.projects import service as projects
from windlass.projects.deps import provide_project_by_slug
from windlass.teams.deps import provide_team_by_slug
from windlass.web import forms, posts, tree
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see, struct

_LOG_LINES = 200
_RUNTIME_LINES = 100


class App(msgspec.Struct, frozen=True, kw_only=True):
    """A process of a deployment's running app, as the edge sees it."""

    state: str
    restarts: int
    memory_bytes: int
    since: dt.datetime
    name: str = "web"
    reason: str | None = None
    processes: tuple["App", ...] = ()
    """Those beside `web`."""


@get("/deployments", permission=Permission.deploy_read)
async def list_deployments(
    request: Request,
    actor: CurrentActor,
    status: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Answer:
    state = request.app.state
    query = listing.Query(status=status or None, cursor=cursor)
    found = await listing.page_of_structs(state.database, state.settings, query, by=actor)
    return page(
        request,
        "deployments/list.html",
        queue=await queue_routes.of(state.database, state.settings, by=actor),
        user=actor,
        deployments=found.items,
        cursor=found.cursor,
        status=status,
    )


# A note with a mistake in it stands at the address it was sent to, and can be asked for again.
@get(
    ["/deployments/{deployment_id:str}", "/deployments/{deployment_id:str}/note"],
    permission=Permission.deploy_read,
)
async def show_deployment(
    request: Request, db: DB, actor: CurrentActor, deployment: InDeployment
) -> Answer:
    return await _show(request, db, actor, deployment)


async def _show(
    request: Request,
    db: DB,
    actor: Actor,
    deployment: Deployment,
    error: AppError | None = None,
    *,
    note: str | None = None,
) -> Answer:
    state = request.app.state
    shown = listing.read(await listing.one_in(db, state.settings, deployment.id, by=actor))
    lines = await service.last_lines(state.database, deployment.id, limit=_LOG_LINES)
    manifest = await releases.manifest_of(store_of(request), deployment)
    app, output = await _app(request, deployment, shown)
    why_not = await service.why_not(db, deployment)
    if gone := await returning.why_not(db, state.settings.folder, deployment):
        why_not = {"promote": gone, "rollback": gone} | why_not
    return page(
        request,
        "deployments/show.html",
        error=error,
        user=actor,
        deployment=shown,
        live_url=state.settings.site_url(state.settings.site_host(shown.project.slug)),
        values={"note": shown.note or "" if note is None else note},
        limits=_limits(state.settings, shown.plan),
        promoter=await accounts.name_of(db, deployment.promoted_by),
        going_live=await service.is_going_live(db, deployment),
        why_not=why_not,
        receipt=await receipt_routes.newest(db, deployment),
        differing=await returning.differing(db, deployment, state.key_ring),
        may=GRANTS[await projects.role_on(db, deployment.project_id, by=actor)],
        log=[LogLineOut(**dict(row)) for row in lines],
        nodes=tree.listing(manifest),
        app=app,
        runtime_log=output,
    )


def _limits(settings: Settings, plan: Plan | None) -> Limits | None:
    """What its container may use."""
    if plan is None or plan.container is None:
        return None
    return release.limits_of(settings, plan, "web")


async def _app(
    request: Request, deployment: Deployment, shown: DeploymentOut
) -> tuple[App | None, list[str]]:
    """The process of a server, if it runs now, and the last lines that it wrote."""
    if shown.plan is None or shown.plan.kind == "static":
        return None, []
    settings = request.app.state.settings
    is_second = shown.is_active and promoting.has_live_release(deployment)
    name = promoting.live_name(shown.id) if is_second else shown.id
    where, wanted = runtime_log.folder(settings.folder, name), Wanted()
    found = await asyncio.to_thread(runtime_logs.newest, where, wanted, limit=_RUNTIME_LINES)
    output = [line.message for line in reversed(found.lines)]
    client = EdgeClient(settings.folder, host=settings.host, port=settings.port)
    try:
        found = (await client.status()).apps.get(name)
    except EdgeAway:
        return None, output
    if found is None or found.state == "stopped":
        return None, output
    return _process("web", found), output


def _process(name: str, found: AppState) -> App:
    return App(
        name=name,
        state=found.state,
        restarts=found.restarts,
        memory_bytes=found.memory_bytes,
        since=dt.datetime.fromtimestamp(found.since, dt.UTC),
        reason=found.reason,
        processes=tuple(_process(name, each) for name, each in found.processes.items()),
    )


@get("/deployments/{deployment_id:str}/files", permission=Permission.deploy_read)
async def list_files(
    request: Request,
    db: DB,
    actor: CurrentActor,
    deployment: InDeployment,
    path: FromQuery[str] = "",
) -> Answer:
    manifest = await releases.manifest_of(store_of(request), deployment)
    nodes = tree.listing(manifest, path)
    if path and not nodes:
        raise releases.FolderNotFound()
    return page(
        request,
        "deployments/files.html",
        user=actor,
        deployment=listing.read(
            await listing.one_in(db, request.app.state.settings, deployment.id, by=actor)
        ),
        nodes=nodes,
        folder=path.strip("/"),
    )


@post("/deployments/{deployment_id:str}/promote", permission=Permission.deploy_promote)
async def promote(
    request: Request, db: DB, actor: CurrentActor, deployment: InDeployment
) -> Answer:
    try:
        home = request.app.state.settings.folder
        await returning.make_live(db, home, deployment, reason="promotion", by=actor)
    except AppError as error:
        return await _refused(request, db, actor, deployment, error)
    return _back(deployment, "promoted")


@post("/deployments/{deployment_id:str}/rollback", permission=Permission.deploy_rollback)
async def roll_back(
    request: Request, db: DB, actor: CurrentActor, deployment: InDeployment, form: Form
) -> Answer:
    reason = forms.text(form, "reason") or "rollback"
    try:
        await returning.make_live(
            db,
            request.app.state.settings.folder,
            deployment,
            reason=reason[:500],
            with_today=forms.checked(form, "todays_variables"),
            by=actor,
        )
    except AppError as error:
        return await _refused(request, db, actor, deployment, error)
    return _back(deployment, "rolled-back")


@post("/deployments/{deployment_id:str}/cancel", permission=Permission.deploy_cancel)
async def cancel(request: Request, db: DB, actor: CurrentActor, deployment: InDeployment) -> Answer:
    try:
        await service.cancel(db, deployment, by=actor)
    except AppError as error:
        return await _refused(request, db, actor, deployment, error)
    return _back(deployment, "cancelled")


@post(
    "/deployments/{deployment_id:str}/redeploy", permission=Permission.deploy_create, rate="deploy"
)
async def redeploy(
    request: Request, db: DB, actor: CurrentActor, deployment: InDeployment, form: Form
) -> Answer:
    base, is_clean = request.app.state.settings.base_domain, forms.checked(form, "clean")
    try:
        fresh = await service.trigger(db, deployment, is_clean=is_clean, base_domain=base, by=actor)
    except AppError as error:
        return await _refused(request, db, actor, deployment, error)
    return _back(fresh)


@post("/deployments/{deployment_id:str}/note", permission=Permission.deploy_create)
async def change_note(
    request: Request, db: DB, actor: CurrentActor, deployment: InDeployment, form: Form
) -> Answer:
    """A line of one's own about this version (E-04)."""
    try:
        note = forms.text(form, "note")
        if note is not None:
            struct(DeploymentChange, {"note": note})
        await service.change_note(db, deployment, note, by=actor)
    except AppError as error:
        return await _refused(request, db, actor, deployment, error, note=form.get("note", ""))
    return _back(deployment, "saved")


@post("/deployments/{deployment_id:str}/delete", permission=Permission.deploy_cancel)
async def delete_deployment(
    request: Request, db: DB, actor: CurrentActor, deployment: InDeployment
) -> Answer:
    shown = listing.read(
        await listing.one_in(db, request.app.state.settings, deployment.id, by=actor)
    )
    try:
        await retiring.remove(db, deployment, by=actor)
    except AppError as error:
        return await _refused(request, db, actor, deployment, error)
    return see(f"/projects/{shown.project.ref}", "deleted")


async def _refused(
    request: Request,
    db: DB,
    actor: Actor,
    deployment: Deployment,
    error: AppError,
    *,
    note: str | None = None,
) -> Answer:
    """The page again, with the reason on top: somebody else was quicker."""
    await db.rollback()
    await db.refresh(deployment)
    return await _show(request, db, actor, deployment, error, note=note)


def _back(deployment: Deployment, notice: str | None = None) -> Answer:
    return see(f"/deployments/{ids.public('depl', deployment.id)}", notice)


PAGES = [
    Router(
        "/",
        route_handlers=[
            list_deployments,
            show_deployment,
            runtime_pages.show_runtime_log,
            list_files,
            *diff_pages.HANDLERS,
            promote,
            roll_back,
            cancel,
            redeploy,
            change_note,
            delete_deployment,
        ],
        dependencies={"form": Provide(posts.provide_form)},
        include_in_schema=False,
    ),
    Router(
        "/",
        route_handlers=[
            *new_pages.HANDLERS,
            *project_pages.HANDLERS,
            *registry_pages.HANDLERS,
            *settings_pages.HANDLERS,
            *sharing_pages.HANDLERS,
        ],
        dependencies={
            "form": Provide(posts.provide_form),
            "project": Provide(provide_project_by_slug),
        },
        include_in_schema=False,
    ),
    Router(
        "/",
        route_handlers=team_pages.HANDLERS,
        dependencies={
            "form": Provide(posts.provide_form),
            "team": Provide(provide_team_by_slug),
        },
        include_in_schema=False,
    ),
]
