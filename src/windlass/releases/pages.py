"""Pages of releases: what is where, how its rollout goes, what it says, and what it was before."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import msgspec
from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromQuery

from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import GRANTS, Permission
from windlass.clusters import service as clusters
from windlass.core import ids
from windlass.core.errors import AppError
from windlass.core.http import DB, Request
from windlass.releases import (
    comparing,
    listing,
    live_routes,
    looking,
    sealing,
    service,
    wishing,
)
from windlass.releases.deps import InRelease
from windlass.releases.models import Release, Why
from windlass.releases.schemas import Again, EventOut, LogsOut, PodOut, ResourceOut, RevisionDiff
from windlass.web import forms, posts
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see, struct

_P = Permission
_LOG_LINES = 100


@get("/releases", permission=_P.deploy_read)
async def list_releases(
    request: Request,
    db: DB,
    actor: CurrentActor,
    cursor: FromQuery[str | None] = None,
    status: FromQuery[str | None] = None,
) -> Answer:
    deleted = "deleted" if status == "deleted" else None
    found = await listing.page(db, listing.Query(cursor=cursor, status=deleted), by=actor)
    return page(
        request,
        "releases/list.html",
        user=actor,
        releases=found.items,
        cursor=found.cursor,
        shows_deleted=deleted is not None,
    )


# A form with a mistake in it stands at the address it was sent to, and can be asked for again.
@get(
    [
        "/releases/{release_id:str}",
        "/releases/{release_id:str}/redeploy",
        "/releases/{release_id:str}/rollback",
        "/releases/{release_id:str}/cancel",
        "/releases/{release_id:str}/delete",
    ],
    permission=_P.deploy_read,
)
async def show_release(request: Request, db: DB, actor: CurrentActor, release: InRelease) -> Answer:
    return await _show(request, db, actor, release)


@post("/releases/{release_id:str}/redeploy", permission=_P.deploy_create, rate="deploy")
async def redeploy(
    request: Request, db: DB, actor: CurrentActor, release: InRelease, form: Form
) -> Answer:
    return await _again(request, db, actor, release, form, Why.redeploy)


@post("/releases/{release_id:str}/rollback", permission=_P.deploy_rollback, rate="deploy")
async def roll_back(
    request: Request, db: DB, actor: CurrentActor, release: InRelease, form: Form
) -> Answer:
    return await _again(request, db, actor, release, form, Why.rollback)


@post("/releases/{release_id:str}/cancel", permission=_P.deploy_cancel)
async def cancel(request: Request, db: DB, actor: CurrentActor, release: InRelease) -> Answer:
    try:
        cluster = await clusters.get(db, release.cluster_id, _P.deploy_cancel, by=actor)
        await service.cancel(db, release, cluster, by=actor)
    except AppError as error:
        return await _refused(request, db, actor, release, error)
    return see(_place(release))


@post("/releases/{release_id:str}/delete", permission=_P.deploy_cancel)
async def remove(
    request: Request, db: DB, actor: CurrentActor, release: InRelease, form: Form
) -> Answer:
    try:
        cluster = await clusters.get(db, release.cluster_id, _P.deploy_cancel, by=actor)
        await service.remove(
            db,
            release,
            cluster,
            confirm=forms.text(form, "confirm"),
            resources=not forms.checked(form, "keep"),
            with_data=forms.checked(form, "with_data"),
            by=actor,
        )
    except AppError as error:
        return await _refused(request, db, actor, release, error, form=form)
    return see(_place(release))


@get("/releases/{release_id:str}/yaml", permission=_P.deploy_read)
async def show_yaml(
    request: Request,
    db: DB,
    actor: CurrentActor,
    release: InRelease,
    revision: FromQuery[int | None] = None,
) -> Answer:
    """Whoever may not deploy gets it with the values of Secrets hidden."""
    row = await listing.number_or_newest(db, release, revision)
    text = sealing.manifest_of(request.app.state.key_ring, row)
    may_deploy = await wishing.may_deploy(db, release, by=actor)
    return page(
        request,
        "releases/yaml.html",
        user=actor,
        release=await listing.one(db, release),
        number=row.number,
        text=text if may_deploy else comparing.hidden(text),
        is_hidden=not may_deploy,
    )


@get("/releases/{release_id:str}/history", permission=_P.deploy_read)
async def show_history(
    request: Request,
    db: DB,
    actor: CurrentActor,
    release: InRelease,
    cursor: FromQuery[str | None] = None,
    revision: FromQuery[int | None] = None,
) -> Answer:
    """With `revision`, what that one changed."""
    found = await listing.revisions(db, release, cursor=cursor)
    diff = await _diff(request, db, release, revision) if revision is not None else None
    return page(
        request,
        "releases/history.html",
        user=actor,
        release=await listing.one(db, release),
        revisions=found.items,
        cursor=found.cursor,
        diff=diff,
        powers=await _powers(db, release, actor),
    )


@get("/releases/{release_id:str}/logs", permission=_P.deploy_read, rate="page")
async def show_logs(request: Request, db: DB, actor: CurrentActor, release: InRelease) -> Answer:
    """What is in the cluster now. Where that cannot be asked, the page says why."""
    shown = await listing.one(db, release)
    inside, problem = Inside(), None
    if shown.status != "DELETED":
        try:
            inside = await _inside(request, db, release, actor)
        except AppError as error:
            problem = error.message
    return page(
        request,
        "releases/logs.html",
        user=actor,
        release=shown,
        problem=problem,
        inside=inside,
    )


class Inside(msgspec.Struct, frozen=True):
    """What a release is in its cluster."""

    resources: tuple[ResourceOut, ...] = ()
    pods: tuple[PodOut, ...] = ()
    logs: tuple[LogsOut, ...] = ()
    events: tuple[EventOut, ...] = ()


async def _inside(request: Request, db: DB, release: Release, actor: Actor) -> Inside:
    cluster = await clusters.get(db, release.cluster_id, _P.deploy_read, by=actor)
    namespace, items = release.namespace, listing.items_of(release)
    async with live_routes.reached(request, db, cluster) as kube:
        pods = await looking.pods_of(kube, namespace, items)
        told = await looking.events_of(kube, namespace, items, pods)
        logs = await looking.logs_of(
            kube, namespace, items, pod=None, container=None, lines=_LOG_LINES, previous=False
        )
        return Inside(
            resources=tuple([await looking.resource(kube, item) for item in items]),
            pods=tuple(looking.pod(one) for one in pods),
            logs=tuple(logs),
            events=tuple(looking.event(one) for one in reversed(told)),
        )


async def _diff(request: Request, db: DB, release: Release, number: int) -> RevisionDiff:
    keys = request.app.state.key_ring
    row, before = await listing.number_or_newest(db, release, number), ""
    if other := row.number - 1:
        before = sealing.manifest_of(keys, await service.revision(db, release, other))
    changed = comparing.compared(before, sealing.manifest_of(keys, row), release.namespace)
    return RevisionDiff(revision=row.number, compared_with=other, documents=changed)


async def _again(
    request: Request, db: DB, actor: Actor, release: Release, form: Form, why: Why
) -> Answer:
    """The same gate as a new deployment: what it asks is asked on the page."""
    keys = request.app.state.key_ring
    action = "rollback" if why is Why.rollback else "redeploy"
    number = forms.number(form, "revision")
    try:
        data = struct(Again, {"revision": number, "confirm": forms.text(form, "confirm")})
        if why is Why.rollback and data.revision is None:
            data.revision = number = await service.before(db, release)
        cluster = await clusters.get(db, release.cluster_id, _P.deploy_create, by=actor)
        old = await listing.number_or_newest(db, release, data.revision)
        draft = wishing.of_again(release, old, data, keys, why=why)
        wish = await wishing.pass_gate(db, cluster, draft, by=actor)
        place = release.namespace, release.name
        await service.ask_for(db, cluster, *place, wish, keys, by=actor)
    except AppError as error:
        ask = None
        if "findings" in error.facts:
            ask = {"digest": None, **error.facts, "action": action, "revision": number or ""}
        return await _refused(request, db, actor, release, error, ask=ask)
    return see(_place(release))


async def _refused(
    request: Request,
    db: DB,
    actor: Actor,
    release: Release,
    error: AppError,
    *,
    form: Form | None = None,
    ask: Mapping[str, Any] | None = None,
) -> Answer:
    await db.rollback()
    await db.refresh(release)
    return await _show(request, db, actor, release, error=error, form=form, ask=ask)


async def _show(
    request: Request,
    db: DB,
    actor: Actor,
    release: Release,
    *,
    error: AppError | None = None,
    form: Form | None = None,
    ask: Mapping[str, Any] | None = None,
) -> Answer:
    shown = await listing.one(db, release)
    results = sorted(shown.newest.results if shown.newest else (), key=lambda one: one.stage)
    stages = [
        (number + 1, list(found)) for number, found in groupby(results, key=lambda one: one.stage)
    ]
    return page(
        request,
        "releases/show.html",
        error=error,
        user=actor,
        release=shown,
        stages=stages,
        ask=ask,
        values=forms.values(form or {}),
        powers=await _powers(db, release, actor),
    )


async def _powers(db: DB, release: Release, actor: Actor) -> frozenset[Permission]:
    """What the caller may do with it: what they may on its cluster."""
    _, role = await clusters.get_with_role(db, release.cluster_id, _P.deploy_read, by=actor)
    return GRANTS[role]


def _place(release: Release) -> str:
    return f"/releases/{ids.public('rel', release.id)}"


PAGES = [
    Router(
        "/",
        route_handlers=[
            list_releases,
            show_release,
            redeploy,
            roll_back,
            cancel,
            remove,
            show_yaml,
            show_history,
            show_logs,
        ],
        dependencies={"form": Provide(posts.provide_form)},
        include_in_schema=False,
    )
]
