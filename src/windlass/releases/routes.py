"""JSON: releases, their revisions, and what can be done with them."""

from typing import Annotated, Any

from litestar import Router, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream
from msgspec import Meta

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.clusters import service as clusters
from windlass.core import ids
from windlass.core.http import DB, Request
from windlass.core.schemas import CursorText, Limit, Page
from windlass.releases import comparing, listing, live_routes, sealing, service, wishing
from windlass.releases.deps import InRelease
from windlass.releases.models import Release, Why
from windlass.releases.schemas import (
    Again,
    ClusterId,
    EnvironmentName,
    NamespaceName,
    ReleaseCreate,
    ReleaseDetail,
    ReleaseEdit,
    ReleaseOut,
    RevisionDetail,
    RevisionDiff,
    RevisionOut,
    RevisionSource,
    StatusFilter,
)

_P = Permission
Number = Annotated[int, Meta(ge=1, lt=1 << 53, description="The number of a revision.")]
Confirm = Annotated[str, Meta(max_length=64, description="The name of the release.")]


@get("/", permission=_P.deploy_read, refuses=(422,))
async def list_releases(
    db: DB,
    actor: CurrentActor,
    limit: FromQuery[Limit] = listing.LIMIT,
    cursor: FromQuery[CursorText | None] = None,
    clusterId: FromQuery[ClusterId | None] = None,
    namespace: FromQuery[NamespaceName | None] = None,
    environment: FromQuery[EnvironmentName | None] = None,
    status: FromQuery[StatusFilter | None] = None,
) -> Page[ReleaseOut]:
    """Releases on one's clusters, newest first; deleted ones when `status` asks for them."""
    query = listing.Query(
        limit=limit,
        cursor=cursor,
        cluster_id=ids.private("cls", clusterId) if clusterId is not None else None,
        namespace=namespace,
        environment=environment,
        status=status,
    )
    return await listing.page(db, query, by=actor)


@post("/", permission=_P.deploy_create, rate="deploy")
async def create_release(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[ReleaseCreate]
) -> ReleaseDetail:
    """Deploy: the next revision of the release with this name, or the first. Errors of the check
    refuse it (422); warnings need `confirm` with their digest (409)."""
    keys = request.app.state.key_ring
    id = ids.private("cls", data.cluster_id)
    cluster = await clusters.get(db, id, _P.deploy_create, by=actor)
    namespace = await wishing.namespace_of(db, cluster, data, by=actor)
    wish = await wishing.pass_gate(db, cluster, wishing.of_new(data, namespace), by=actor)
    release = await service.ask_for(db, cluster, namespace, data.name, wish, keys, by=actor)
    return await listing.one(db, release)


@get("/{release_id:str}", permission=_P.deploy_read)
async def get_release(db: DB, release: InRelease) -> ReleaseDetail:
    """A release with its newest revision, what became of each document, and its drift."""
    return await listing.one(db, release)


@post("/{release_id:str}/revisions", permission=_P.deploy_create, rate="deploy")
async def edit_release(
    request: Request, db: DB, actor: CurrentActor, release: InRelease, data: JSONBody[ReleaseEdit]
) -> ReleaseDetail:
    """The next revision; what is not given stays. Namespace and cluster cannot be changed."""
    keys = request.app.state.key_ring
    cluster = await clusters.get(db, release.cluster_id, _P.deploy_create, by=actor)
    newest = await service.revision(db, release, release.revision)
    wish = await wishing.pass_gate(
        db, cluster, wishing.of_edit(release, newest, data, keys), by=actor
    )
    place = release.namespace, release.name
    return await listing.one(db, await service.ask_for(db, cluster, *place, wish, keys, by=actor))


async def _again(
    request: Request, db: Any, actor: Any, release: Release, data: Again, why: Why
) -> ReleaseDetail:
    keys = request.app.state.key_ring
    cluster = await clusters.get(db, release.cluster_id, _P.deploy_create, by=actor)
    old = await listing.number_or_newest(db, release, data.revision)
    draft = wishing.of_again(release, old, data, keys, why=why)
    wish = await wishing.pass_gate(db, cluster, draft, by=actor)
    place = release.namespace, release.name
    return await listing.one(db, await service.ask_for(db, cluster, *place, wish, keys, by=actor))


@post("/{release_id:str}/rollback", permission=_P.deploy_rollback, status_code=202, rate="deploy")
async def roll_back_release(
    request: Request, db: DB, actor: CurrentActor, release: InRelease, data: JSONBody[Again]
) -> ReleaseDetail:
    """An earlier revision becomes the newest, byte for byte; without a number the one that was
    deployed before. It is checked as any other."""
    if data.revision is None:
        data.revision = await service.before(db, release)
    return await _again(request, db, actor, release, data, Why.rollback)


@post("/{release_id:str}/redeploy", permission=_P.deploy_create, status_code=202, rate="deploy")
async def redeploy_release(
    request: Request,
    db: DB,
    actor: CurrentActor,
    release: InRelease,
    data: JSONBody[Again | None] = None,
) -> ReleaseDetail:
    """A revision once more, the newest unless another is named; also of a deleted release."""
    return await _again(request, db, actor, release, data or Again(), Why.redeploy)


@post("/{release_id:str}/cancel", permission=_P.deploy_cancel, status_code=200)
async def cancel_release(db: DB, actor: CurrentActor, release: InRelease) -> ReleaseDetail:
    """End what is happening with it; what was applied stays."""
    cluster = await clusters.get(db, release.cluster_id, _P.deploy_cancel, by=actor)
    await service.cancel(db, release, cluster, by=actor)
    return await listing.one(db, release)


@delete("/{release_id:str}", permission=_P.deploy_cancel, status_code=202)
async def delete_release(
    db: DB,
    actor: CurrentActor,
    release: InRelease,
    confirm: FromQuery[Confirm | None] = None,
    resources: FromQuery[bool] = True,
    withData: FromQuery[bool] = False,
) -> ReleaseDetail:
    """Take it out of the cluster in reverse order; the history stays. `resources=false` leaves the
    objects where they are; `withData` also takes volume claims, namespaces and definitions."""
    cluster = await clusters.get(db, release.cluster_id, _P.deploy_cancel, by=actor)
    await service.remove(
        db, release, cluster, confirm=confirm, resources=resources, with_data=withData, by=actor
    )
    return await listing.one(db, release)


@get("/{release_id:str}/revisions", permission=_P.deploy_read)
async def list_revisions(
    db: DB,
    release: InRelease,
    limit: FromQuery[Limit] = listing.LIMIT,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[RevisionOut]:
    """The history, newest first."""
    return await listing.revisions(db, release, limit=limit, cursor=cursor)


@get("/{release_id:str}/revisions/{number:int}", permission=_P.deploy_read)
async def get_revision(db: DB, release: InRelease, number: FromPath[int]) -> RevisionDetail:
    """One revision with its findings and what became of each document."""
    return listing.detail(await service.revision(db, release, number))


@get("/{release_id:str}/yaml", permission=_P.deploy_read, streams=("application/yaml",))
async def get_release_yaml(
    request: Request,
    db: DB,
    actor: CurrentActor,
    release: InRelease,
    revision: FromQuery[Number | None] = None,
) -> Stream:
    """The manifests as they were sent, byte for byte, as a file. Whoever may not deploy gets them
    with the values of Secrets hidden."""
    row = await listing.number_or_newest(db, release, revision)
    text = sealing.manifest_of(request.app.state.key_ring, row)
    if not await wishing.may_deploy(db, release, by=actor):
        text = comparing.hidden(text)
    name = f"{release.namespace}-{release.name}-{row.number}.yaml"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Stream([text.encode()], media_type="application/yaml", headers=headers)


@get("/{release_id:str}/source", permission=_P.deploy_create)
async def get_release_source(
    request: Request,
    db: DB,
    release: InRelease,
    revision: FromQuery[Number | None] = None,
) -> RevisionSource:
    """What the builder needs to open it again: the form, where it was made with one."""
    row = await listing.number_or_newest(db, release, revision)
    keys = request.app.state.key_ring
    form = sealing.source_of(keys, row).get("form")
    return RevisionSource(number=row.number, form=form, manifest=sealing.manifest_of(keys, row))


@get("/{release_id:str}/diff", permission=_P.deploy_read)
async def diff_release(
    request: Request,
    db: DB,
    release: InRelease,
    revision: FromQuery[Number | None] = None,
    compareWith: FromQuery[Number | None] = None,
) -> RevisionDiff:
    """What differs between two revisions, field by field: the newest and the one before it unless
    others are named. Secrets are only said to be others."""
    keys = request.app.state.key_ring
    row = await listing.number_or_newest(db, release, revision)
    other = compareWith if compareWith is not None else row.number - 1
    before = sealing.manifest_of(keys, await service.revision(db, release, other)) if other else ""
    changed = comparing.compared(before, sealing.manifest_of(keys, row), release.namespace)
    return RevisionDiff(revision=row.number, compared_with=other, documents=changed)


router = Router(
    "/api/releases",
    route_handlers=[
        list_releases,
        create_release,
        live_routes.plan_release,
        get_release,
        edit_release,
        live_routes.plan_release_again,
        roll_back_release,
        redeploy_release,
        cancel_release,
        delete_release,
        list_revisions,
        get_revision,
        get_release_yaml,
        get_release_source,
        diff_release,
        live_routes.list_release_resources,
        live_routes.delete_release_resource,
        live_routes.list_release_pods,
        live_routes.list_release_events,
        live_routes.get_release_logs,
        live_routes.stream_release,
    ],
    tags=["Releases"],
)
