"""Pages: one's clusters, bringing one along, and one cluster with what is in it."""

import datetime as dt
import re

from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromQuery

from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.clusters import service
from windlass.clusters.deps import Held, InCluster
from windlass.clusters.schemas import ClusterChange, ClusterCreate, ClusterOut, CredentialSet
from windlass.core import clock, ids
from windlass.core.errors import AppError, invalid
from windlass.core.http import DB, Request
from windlass.core.languages import N_, gettext
from windlass.teams import listing as teams
from windlass.web import forms, posts
from windlass.web.page import page
from windlass.web.posts import Answer, Form, Values, see, struct

_WAYS = ("kubeconfig", "server", "rancher")
_SOON = dt.timedelta(days=14)
# What the forms call the fields of the API.
_NAMES = {
    "rancher.url": "rancher_url",
    "rancher.clusterId": "cluster_id",
    "rancher.token": "token",
    "tlsName": "tls_name",
}


@get("/clusters", permission=Permission.project_read)
async def list_clusters(
    request: Request, db: DB, actor: CurrentActor, cursor: FromQuery[str | None] = None
) -> Answer:
    found = await service.page(db, cursor=cursor, by=actor)
    return page(
        request, "clusters/list.html", user=actor, clusters=found.items, cursor=found.cursor
    )


@get("/clusters/new", permission=Permission.project_write)
async def new_form(
    request: Request, db: DB, actor: CurrentActor, way: FromQuery[str] = "kubeconfig"
) -> Answer:
    return await _new(request, db, actor, way, {})


@post("/clusters/new", permission=Permission.project_write)
async def add_cluster(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    try:
        given = _way_in(form) | {
            "name": forms.text(form, "name"),
            "team": forms.text(form, "team"),
            "namespaces": _words(form.get("namespaces", "")),
        }
        wanted = struct(ClusterCreate, given)
        made = await service.create(db, wanted, request.app.state.key_ring, by=actor)
    except AppError as error:
        await db.rollback()
        return await _new(request, db, actor, form.get("way", ""), form, error=error)
    return see(f"/clusters/{ids.public('cls', made.id)}", "cluster-added")


# A form with a mistake in it stands at the address it was sent to, and can be asked for again.
@get(
    [
        "/clusters/{cluster_id:str}",
        "/clusters/{cluster_id:str}/settings",
        "/clusters/{cluster_id:str}/credential",
    ],
    permission=Permission.project_read,
)
async def show_cluster(
    request: Request,
    db: DB,
    actor: CurrentActor,
    cluster: InCluster,
    way: FromQuery[str] = "token",
) -> Answer:
    return await _show(request, db, actor, cluster, way=way)


@post("/clusters/{cluster_id:str}/test", permission=Permission.deploy_create)
async def test_cluster(db: DB, cluster: InCluster) -> Answer:
    await service.ask(db, cluster.row)
    return see(f"/clusters/{ids.public('cls', cluster.row.id)}")


@post("/clusters/{cluster_id:str}/settings", permission=Permission.project_settings)
async def save_settings(
    request: Request, db: DB, actor: CurrentActor, cluster: InCluster, form: Form
) -> Answer:
    try:
        given: dict[str, object] = {
            "name": forms.text(form, "name") or "",
            "namespaces": _words(form.get("namespaces", "")),
        }
        if "team" in form:
            given["team"] = forms.text(form, "team")
        await service.change(db, cluster.row, struct(ClusterChange, given), by=actor)
    except AppError as error:
        await db.rollback()
        await db.refresh(cluster.row)
        return await _show(request, db, actor, cluster, form=form, error=error)
    return see(f"/clusters/{ids.public('cls', cluster.row.id)}", "saved")


@post("/clusters/{cluster_id:str}/credential", permission=Permission.project_settings)
async def save_credential(
    request: Request, db: DB, actor: CurrentActor, cluster: InCluster, form: Form
) -> Answer:
    try:
        wanted = struct(CredentialSet, _way_in(form))
        keys = request.app.state.key_ring
        await service.replace_credential(db, cluster.row, wanted, keys, by=actor)
    except AppError as error:
        await db.rollback()
        await db.refresh(cluster.row)
        way = form.get("way", "token")
        return await _show(request, db, actor, cluster, way=way, form=form, error=error)
    return see(f"/clusters/{ids.public('cls', cluster.row.id)}", "credential")


@post("/clusters/{cluster_id:str}/delete", permission=Permission.project_delete)
async def forget_cluster(
    request: Request, db: DB, actor: CurrentActor, cluster: InCluster, form: Form
) -> Answer:
    try:
        if form.get("confirm", "").strip() != cluster.row.name:
            words = N_("Type {name} to forget it").format(name=cluster.row.name)
            raise invalid("confirm", words)
        await service.remove(db, cluster.row, by=actor)
    except AppError as error:
        await db.rollback()
        await db.refresh(cluster.row)
        return await _show(request, db, actor, cluster, error=error)
    return see("/clusters", "cluster-removed")


def _way_in(form: Form) -> dict[str, object]:
    """The fields of the way that was chosen, and of no other."""
    found: dict[str, object] = {"insecure": form.get("insecure") == "true"}
    match form.get("way"):
        case "kubeconfig":
            found["kubeconfig"] = form.get("kubeconfig", "")
            found["context"] = forms.text(form, "context")
        case "rancher":
            found["rancher"] = {
                "url": forms.text(form, "rancher_url") or "",
                "token": forms.text(form, "token") or "",
                "clusterId": forms.text(form, "cluster_id") or "",
            }
            found["ca"] = forms.text(form, "ca")
        case "token":
            found = {"token": forms.text(form, "token") or ""}
        case _:
            found["server"] = forms.text(form, "server") or ""
            found["token"] = forms.text(form, "token") or ""
            found["ca"] = forms.text(form, "ca")
            found["tls_name"] = forms.text(form, "tls_name")
    return found


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


async def _new(
    request: Request,
    db: DB,
    actor: Actor,
    way: str,
    form: Form | dict[str, str],
    *,
    error: AppError | None = None,
) -> Answer:
    return page(
        request,
        "clusters/new.html",
        error=error,
        user=actor,
        way=way if way in _WAYS else "kubeconfig",
        teams=await _teams(db, actor),
        values=forms.values(form),
        errors=_errors(error),
    )


async def _show(
    request: Request,
    db: DB,
    actor: Actor,
    cluster: Held,
    *,
    way: str = "token",
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    shown = ClusterOut.of(*cluster)
    ends = shown.credential.expires_at
    values: Values = {
        "name": shown.name,
        "namespaces": ", ".join(shown.namespaces),
        "team": shown.team or "",
        "server": shown.server,
        "ca": cluster.row.ca or "",
        "tls_name": shown.tls_name or "",
    }
    return page(
        request,
        "clusters/show.html",
        error=error,
        user=actor,
        cluster=shown,
        way=way if way in _WAYS else "token",
        teams=await _teams(db, actor) if cluster.row.owner_id == actor.id else [],
        ends_soon=ends is not None and ends - clock.now() < _SOON,
        values=values | forms.values(form or {}),
        errors=_errors(error),
    )


async def _teams(db: DB, actor: Actor) -> list[tuple[str, str]]:
    found = await teams.teams(db, teams.Query(limit=teams.LIMIT_MAX, sort="name"), by=actor)
    return [("", gettext("Only me")), *((team.id, team.name) for team in found.items)]


def _errors(error: AppError | None) -> dict[str, str]:
    """By the field of the page that a field of the API is on."""
    found = forms.errors(error) if error else {}
    return {_NAMES.get(name, name).partition(".")[0]: text for name, text in found.items()}


PAGES = [
    Router(
        "/",
        route_handlers=[
            list_clusters,
            new_form,
            add_cluster,
            show_cluster,
            test_cluster,
            save_settings,
            save_credential,
            forget_cluster,
        ],
        dependencies={"form": Provide(posts.provide_form)},
        include_in_schema=False,
    )
]
