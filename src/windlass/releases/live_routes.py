"""What a release is in its cluster at this moment. The database's connection is given back before
the cluster is asked."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.adapters.kube import Client
from windlass.adapters.kube.errors import KubeError
from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.clusters import service as clusters
from windlass.clusters.models import Cluster
from windlass.core import ids
from windlass.core.http import DB, Request
from windlass.core.live import Live
from windlass.core.schemas import Page
from windlass.releases import (
    listing,
    looking,
    reaching,
    saying,
    service,
    wishing,
)
from windlass.releases.deps import InRelease
from windlass.releases.errors import ClusterRefused, ObjectNotFound
from windlass.releases.models import Release, Why
from windlass.releases.schemas import (
    Again,
    EventOut,
    LogsOut,
    PlanOut,
    PodOut,
    ReleaseCreate,
    ResourceOut,
)

_P = Permission
HEARTBEAT_SECONDS = 15.0
PodName = Annotated[str, Meta(max_length=253)]
Lines = Annotated[int, Meta(ge=1, le=5000, description="How many of the last lines.")]


@asynccontextmanager
async def reached(request: Request, db: AsyncSession, cluster: Cluster) -> AsyncGenerator[Client]:
    """The cluster; what it refuses is an error of this answer."""
    state = request.app.state
    access = clusters.access(cluster, state.key_ring)
    await db.close()
    try:
        async with reaching.client(state.settings, access) as kube:
            yield kube
    except KubeError as error:
        raise ClusterRefused(said=saying.line(error)) from error


@post("/plan", permission=_P.deploy_create, status_code=200, refuses=(502,))
async def plan_release(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[ReleaseCreate]
) -> PlanOut:
    """What `POST /api/releases` would do with the same body: the check, and what the cluster says
    to each document when it is asked without changing anything."""
    id = ids.private("cls", data.cluster_id)
    cluster = await clusters.get(db, id, _P.deploy_create, by=actor)
    namespace = await wishing.namespace_of(db, cluster, data, by=actor)
    draft = wishing.of_new(data, namespace)
    release = await service.find(db, cluster, namespace, data.name)
    return await _planned(request, db, cluster, release, draft, by=actor)


@post("/{release_id:str}/plan", permission=_P.deploy_create, status_code=200, refuses=(502,))
async def plan_release_again(
    request: Request, db: DB, actor: CurrentActor, release: InRelease, data: JSONBody[Again]
) -> PlanOut:
    """What deploying a revision again, or going back to it, would do."""
    cluster = await clusters.get(db, release.cluster_id, _P.deploy_create, by=actor)
    old = await listing.number_or_newest(db, release, data.revision)
    keys = request.app.state.key_ring
    draft = wishing.of_again(release, old, data, keys, why=Why.redeploy)
    return await _planned(request, db, cluster, release, draft, by=actor)


async def _planned(
    request: Request,
    db: AsyncSession,
    cluster: Cluster,
    release: Release | None,
    draft: wishing.Draft,
    *,
    by: Actor,
) -> PlanOut:
    from windlass.releases.planning import Plan, Planner

    await wishing.allow(db, cluster, draft, by=by)
    inventory = listing.items_of(release) if release is not None else []
    label = ids.public("rel", release.id) if release is not None else ""
    checked = await wishing.checked(cluster, draft)
    found = Plan([], [], False)
    if not checked.errors:
        async with reached(request, db, cluster) as kube:
            planner = Planner(
                kube,
                release=label,
                namespace=draft.namespace,
                wishes=draft.wishes,
                may_cluster_wide=draft.asked.cluster_wide,
            )
            found = await planner.plan(checked.documents, inventory)
    return PlanOut(
        digest=checked.digest,
        is_refused=bool(checked.errors),
        findings=checked.findings,
        documents=found.documents,
        prunes=found.prunes,
        needs_namespace=found.needs_namespace,
    )


@get("/{release_id:str}/resources", permission=_P.deploy_read)
async def list_release_resources(
    request: Request, db: DB, actor: CurrentActor, release: InRelease
) -> Page[ResourceOut]:
    """Its objects as they are in the cluster now (K-115)."""
    cluster = await clusters.get(db, release.cluster_id, _P.deploy_read, by=actor)
    items = listing.items_of(release)
    async with reached(request, db, cluster) as kube:
        return Page([await looking.resource(kube, item) for item in items])


@delete("/{release_id:str}/resources/{kind:str}/{name:str}", permission=_P.deploy_cancel)
async def delete_release_resource(
    request: Request,
    db: DB,
    actor: CurrentActor,
    release: InRelease,
    kind: FromPath[str],
    name: FromPath[str],
) -> None:
    """Delete one object in the cluster; the next deployment makes it again. What holds data or was
    made for the others cannot be deleted alone."""
    cluster = await clusters.get(db, release.cluster_id, _P.deploy_cancel, by=actor)
    item = next(
        (one for one in listing.items_of(release) if (one.kind, one.name) == (kind, name)), None
    )
    if item is None:
        raise ObjectNotFound()
    looking.refuse_read_only(item)
    async with reached(request, db, cluster) as kube:
        await looking.remove_one(kube, item, ids.public("rel", release.id))
    await service.note_deleted_object(db, release, cluster, item, by=actor)


@get("/{release_id:str}/pods", permission=_P.deploy_read)
async def list_release_pods(
    request: Request, db: DB, actor: CurrentActor, release: InRelease
) -> Page[PodOut]:
    """The pods of its workloads."""
    cluster = await clusters.get(db, release.cluster_id, _P.deploy_read, by=actor)
    namespace, items = release.namespace, listing.items_of(release)
    async with reached(request, db, cluster) as kube:
        pods = await looking.pods_of(kube, namespace, items)
    return Page([looking.pod(one) for one in pods])


@get("/{release_id:str}/events", permission=_P.deploy_read)
async def list_release_events(
    request: Request, db: DB, actor: CurrentActor, release: InRelease
) -> Page[EventOut]:
    """What the cluster says about its objects and its pods, the newest first."""
    cluster = await clusters.get(db, release.cluster_id, _P.deploy_read, by=actor)
    namespace, items = release.namespace, listing.items_of(release)
    async with reached(request, db, cluster) as kube:
        pods = await looking.pods_of(kube, namespace, items)
        found = await looking.events_of(kube, namespace, items, pods)
    return Page([looking.event(one) for one in reversed(found)])


@get("/{release_id:str}/logs", permission=_P.deploy_read, rate="page")
async def get_release_logs(
    request: Request,
    db: DB,
    actor: CurrentActor,
    release: InRelease,
    pod: FromQuery[PodName | None] = None,
    container: FromQuery[PodName | None] = None,
    lines: FromQuery[Lines] = 200,
    previous: FromQuery[bool] = False,
) -> Page[LogsOut]:
    """The last lines of its containers, or of one of them; `previous` is the run before."""
    cluster = await clusters.get(db, release.cluster_id, _P.deploy_read, by=actor)
    namespace, items = release.namespace, listing.items_of(release)
    async with reached(request, db, cluster) as kube:
        found = await looking.logs_of(
            kube,
            namespace,
            items,
            pod=pod,
            container=container,
            lines=lines,
            previous=previous,
        )
    return Page(found)


@get("/{release_id:str}/stream", permission=_P.deploy_read, rate="page")
async def stream_release(request: Request, release: InRelease) -> Stream:
    """Server-sent events: `changed` whenever there is something new to ask for."""
    headers = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
    found = _changes(request.app.state.live, release)
    return Stream(found, media_type="text/event-stream", headers=headers)


async def _changes(live: Live, release: Release) -> AsyncGenerator[bytes]:
    told = msgspec.json.encode({"kind": "release", "id": ids.public("rel", release.id)})
    async with live.watch(f"release:{release.id}") as changed:
        yield b"event: connected\ndata: {}\n\n"
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await changed.wait()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            changed.clear()
            yield b"event: changed\ndata: " + told + b"\n\n"
