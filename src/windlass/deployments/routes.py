"""JSON: deployments, their logs, and what can be done with them (C-120)."""

from collections.abc import AsyncGenerator
from typing import Any, cast
from urllib.parse import quote

from litestar import Response, Router, delete, get, patch, post, route
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.builds.deps import store_of
from windlass.core import ids
from windlass.core.http import DB, Envelope, Request
from windlass.core.schemas import CursorText, Limit, Page, Total
from windlass.deployments import (
    diff,
    listing,
    receipt_routes,
    releases,
    retiring,
    returning,
    service,
    starting,
    streams,
)
from windlass.deployments.deps import InDeployment
from windlass.deployments.listing import LIMIT, Query
from windlass.deployments.models import Deployment, Level
from windlass.deployments.phases import MOVING
from windlass.deployments.schemas import (
    Branch,
    CanRollback,
    DeploymentChange,
    DeploymentCreate,
    DeploymentOut,
    DeploymentSort,
    Diff,
    FileOut,
    LogLimit,
    LogLineOut,
    ProjectId,
    RollbackReason,
    Seq,
    StatusFilter,
)
from windlass.projects import service as projects

_LOG_LIMIT = 10_000
# When the old addresses went (RFC 9745): with the version of the API that `API-Version` names.
_DEPRECATED = "@1770854400"
_SEQ_DIGITS = 17


async def shown(request: Request, deployment: Deployment, actor: CurrentActor) -> DeploymentOut:
    """A deployment as it is after the handler's work, still in its transaction."""
    db = request.state.db
    await db.flush()
    found = await listing.one_in(db, request.app.state.settings, deployment.id, by=actor)
    return cast(DeploymentOut, found)


@get("/", permission=Permission.deploy_read)
async def list_deployments(
    request: Request,
    actor: CurrentActor,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
    sort: FromQuery[DeploymentSort] = "-createdAt",
    status: FromQuery[StatusFilter | None] = None,
    projectId: FromQuery[ProjectId | None] = None,
    branch: FromQuery[Branch | None] = None,
    isPreview: FromQuery[bool | None] = None,
    total: FromQuery[Total] = False,
) -> Page[DeploymentOut]:
    """Deployments, newest first; filters and sort combine with the cursor."""
    query = Query(
        limit=limit,
        cursor=cursor,
        sort=sort,
        status=status,
        project_id=projectId,
        branch=branch,
        is_preview=isPreview,
        total=total,
    )
    state = request.app.state
    # Ready-made JSON of the declared shape.
    return cast(
        Page[DeploymentOut],
        await listing.page(state.database, state.settings, query, by=actor),
    )


@post("/", permission=Permission.deploy_create, rate="deploy")
async def create_deployment(
    request: Request,
    db: DB,
    actor: CurrentActor,
    data: JSONBody[DeploymentCreate],
    clean: FromQuery[bool] = False,
) -> DeploymentOut:
    """Queue a deployment of a source, or of the project's repository."""
    id = ids.private("proj", data.project_id)
    project = await projects.get(db, id, Permission.deploy_create, by=actor)
    base = request.app.state.settings.base_domain
    deployment = await starting.deploy(
        db, project, data, is_clean=clean, base_domain=base, by=actor
    )
    return await shown(request, deployment, actor)


@get("/{deployment_id:str}", permission=Permission.deploy_read)
async def get_deployment(
    request: Request, actor: CurrentActor, deployment_id: FromPath[str]
) -> DeploymentOut:
    """One deployment, in the same shape as in lists."""
    state = request.app.state
    id = ids.private("depl", deployment_id)
    return cast(DeploymentOut, await listing.one(state.database, state.settings, id, by=actor))


@patch("/{deployment_id:str}", permission=Permission.deploy_create)
async def change_deployment(
    request: Request,
    db: DB,
    actor: CurrentActor,
    deployment: InDeployment,
    data: JSONBody[DeploymentChange],
) -> DeploymentOut:
    """Change the note (E-04)."""
    await service.change_note(db, deployment, data.note, by=actor)
    return await shown(request, deployment, actor)


@delete("/{deployment_id:str}", permission=Permission.deploy_cancel)
async def delete_deployment(db: DB, actor: CurrentActor, deployment: InDeployment) -> None:
    """Cancel it while it runs; delete it when it has ended and is not live (D-26)."""
    if deployment.status in MOVING:
        await service.cancel(db, deployment, by=actor)
    else:
        await retiring.remove(db, deployment, by=actor)


@post("/{deployment_id:str}/cancel", permission=Permission.deploy_cancel, status_code=200)
async def cancel_deployment(
    request: Request, db: DB, actor: CurrentActor, deployment: InDeployment
) -> DeploymentOut:
    """End a deployment that has not ended; its build is killed."""
    await service.cancel(db, deployment, by=actor)
    return await shown(request, deployment, actor)


@post("/{deployment_id:str}/rollback", permission=Permission.deploy_rollback, status_code=202)
async def roll_back(
    request: Request,
    db: DB,
    actor: CurrentActor,
    deployment: InDeployment,
    data: JSONBody[RollbackReason | None] = None,
) -> DeploymentOut:
    """Make this earlier release live again, with the variables of its own time unless today's are
    asked for. Nothing is rebuilt (C-160)."""
    wanted = data or RollbackReason()
    await returning.make_live(
        db,
        request.app.state.settings.folder,
        deployment,
        reason=wanted.reason or "rollback",
        with_today=wanted.todays_variables,
        by=actor,
    )
    return await shown(request, deployment, actor)


@post("/{deployment_id:str}/promote", permission=Permission.deploy_promote, status_code=202)
async def promote(
    request: Request, db: DB, actor: CurrentActor, deployment: InDeployment
) -> DeploymentOut:
    """Make this release live on the project's own address (C-131)."""
    home = request.app.state.settings.folder
    await returning.make_live(db, home, deployment, reason="promotion", by=actor)
    return await shown(request, deployment, actor)


@post("/{deployment_id:str}/trigger", permission=Permission.deploy_create, rate="deploy")
async def trigger(
    request: Request,
    db: DB,
    actor: CurrentActor,
    deployment: InDeployment,
    clean: FromQuery[bool] = False,
) -> DeploymentOut:
    """The same source once more, as a new deployment (E-03)."""
    base = request.app.state.settings.base_domain
    fresh = await service.trigger(db, deployment, is_clean=clean, base_domain=base, by=actor)
    return await shown(request, fresh, actor)


@get("/{deployment_id:str}/can-rollback", permission=Permission.deploy_read)
async def can_roll_back(request: Request, db: DB, deployment: InDeployment) -> CanRollback:
    """Whether it can be made live, and if not, why; and which variables are different today."""
    state = request.app.state
    reason = await returning.why_not(db, state.settings.folder, deployment)
    variables = await returning.differing(db, deployment, state.key_ring)
    return CanRollback(can_rollback=reason is None, reason=reason, variables=variables)


@get("/{deployment_id:str}/files", permission=Permission.deploy_read)
async def list_files(request: Request, deployment: InDeployment) -> Page[FileOut]:
    """The files of the release."""
    found = await releases.manifest_of(store_of(request), deployment)
    return Page([FileOut(path=e.path, size=e.size, sha256=e.sha256, mode=e.mode) for e in found])


@get("/{deployment_id:str}/diff", permission=Permission.deploy_read)
async def get_diff(
    request: Request,
    db: DB,
    actor: CurrentActor,
    deployment: InDeployment,
    compareWith: FromQuery[str | None] = None,
    summary: FromQuery[bool] = False,
) -> Diff:
    """What differs from the release before it, or from the one given; `summary`: only how many."""
    found = await diff.of(db, store_of(request), deployment, compareWith, by=actor)
    return diff.short(found) if summary else found


@get("/{deployment_id:str}/logs", permission=Permission.deploy_read, rate="page")
async def get_logs(
    request: Request,
    deployment: InDeployment,
    after: FromQuery[Seq] = 0,
    limit: FromQuery[LogLimit] = 1000,
    level: FromQuery[Level | None] = None,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[LogLineOut]:
    """Lines of the build's log, in order; `after` is the last `seq` one has."""
    after = max(after, int(cursor or 0))
    wanted = max(1, min(limit, _LOG_LIMIT))
    rows = await service.log_lines(
        request.app.state.database, deployment.id, after=after, limit=wanted + 1, level=level
    )
    items = [LogLineOut(**dict(row)) for row in rows[:wanted]]
    return Page(items, str(items[-1].seq) if len(rows) > wanted else None)


@get("/{deployment_id:str}/logs/stream", permission=Permission.deploy_read, rate="page")
async def stream_logs(
    request: Request, actor: CurrentActor, deployment: InDeployment, after: FromQuery[Seq] = 0
) -> Stream:
    """Server-sent events: what is there, then what comes, until the deployment has ended."""
    last = request.headers.get("last-event-id", "")
    start = int(last) if last.isdecimal() and len(last) < _SEQ_DIGITS else after
    state = request.app.state
    lines = streams.log_stream(
        state.database, state.settings, state.live, deployment.id, after=start, by=actor
    )
    return _events(lines)


@get("/api/events/stream", permission=Permission.project_read, rate="page")
async def stream_changes(
    request: Request, db: DB, actor: CurrentActor, projectId: FromQuery[str | None] = None
) -> Stream:
    """Server-sent events: what pages should look at again."""
    state = request.app.state
    if projectId is not None:
        id = ids.private("proj", projectId)
        project = await projects.get(db, id, Permission.project_read, by=actor)
        return _events(streams.change_stream(state.live, (f"project:{project.id}",)))
    sees = streams.Sight(state.database, actor)
    return _events(
        streams.change_stream(state.live, ("deployment", "project", "cluster", "release"), sees)
    )


def _events(found: AsyncGenerator[bytes]) -> Stream:
    headers = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
    return Stream(found, media_type="text/event-stream", headers=headers)


@get(
    "/api/deployments/{deployment_id:str}/stream", redirects=308, permission=Permission.deploy_read
)
async def old_stream(deployment_id: FromPath[str]) -> Response[Any]:
    """The old address of the log stream (D-27)."""
    where = f"/api/deployments/{quote(deployment_id, safe='')}/logs/stream"
    return Envelope(None, status_code=308, headers={"location": where})


@delete(
    "/{deployment_id:str}/cancel",
    permission=Permission.deploy_cancel,
    status_code=200,
    include_in_schema=False,
)
async def cancel_by_delete(
    request: Request, db: DB, actor: CurrentActor, deployment: InDeployment
) -> DeploymentOut:
    """Where the old DELETE /api/deploy/{id} leads (C-085)."""
    await service.cancel(db, deployment, by=actor)
    return await shown(request, deployment, actor)


@route(
    ["/api/deploy", "/api/deploy/{deployment_id:str}"],
    http_method=["GET", "POST", "DELETE"],
    public=True,
    any_query=True,
    include_in_schema=False,
)
async def old_deploy(request: Request) -> Response[Any]:
    """The old address of deployments (C-085): method and body are kept."""
    where = "/api/deployments"
    if id := request.path_params.get("deployment_id"):
        where += f"/{quote(id, safe='')}" + ("/cancel" if request.method == "DELETE" else "")
    headers = {
        "location": where + (f"?{request.url.query}" if request.url.query else ""),
        "deprecation": _DEPRECATED,
        "link": f'<{where}>; rel="successor-version"',
    }
    return Envelope(None, status_code=308, headers=headers)


router = Router(
    "/api/deployments",
    route_handlers=[
        list_deployments,
        create_deployment,
        get_deployment,
        change_deployment,
        delete_deployment,
        cancel_deployment,
        cancel_by_delete,
        roll_back,
        promote,
        trigger,
        can_roll_back,
        list_files,
        get_diff,
        receipt_routes.get_receipt,
        get_logs,
        stream_logs,
    ],
    tags=["Deployments"],
)
