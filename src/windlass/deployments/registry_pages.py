"""The page of a project's logins at registries of images."""

from litestar import get, post
from litestar.params import FromPath

from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.builds import logins
from windlass.builds.schemas import LoginOut, LoginSet
from windlass.core import ids
from windlass.core.errors import AppError
from windlass.core.http import DB, Request
from windlass.core.languages import N_
from windlass.projects import listing, service
from windlass.projects.deps import InProject, Latest, LatestOf
from windlass.projects.models import Project
from windlass.web import forms
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see, struct


@get("/projects/{slug:str}/registries", permission=Permission.project_settings)
async def show_logins(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest
) -> Answer:
    return await _logins(request, db, actor, project, latest)


@post("/projects/{slug:str}/registries", permission=Permission.project_settings)
async def save_login(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    try:
        given = {name: form.get(name, "") for name in ("registry", "username", "password")}
        words = {
            "registry": N_("Name a registry: ghcr.io, docker.io, registry.example.com:5000"),
            "username": N_("The name to log in with, without a colon"),
            "password": N_("The password or token, on one line"),
        }
        keys = request.app.state.key_ring
        await logins.save(db, project, struct(LoginSet, given, words=words), keys, by=actor)
    except AppError as error:
        await db.rollback()
        await db.refresh(project)
        return await _logins(request, db, actor, project, latest, form=form, error=error)
    return _back(project, actor)


@post("/projects/{slug:str}/registries/{login_id:str}/end", permission=Permission.project_settings)
async def end_login(
    db: DB, actor: CurrentActor, project: InProject, login_id: FromPath[str]
) -> Answer:
    login = await logins.get(db, project, ids.private("reg", login_id))
    await logins.remove(db, project, login, by=actor)
    return _back(project, actor)


def _back(project: Project, actor: Actor) -> Answer:
    return see(f"/projects/{service.ref_of(project, by=actor)}/registries", "saved")


async def _logins(
    request: Request,
    db: DB,
    actor: Actor,
    project: Project,
    latest: LatestOf,
    *,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    values = forms.values(form or {})
    return page(
        request,
        "projects/registries.html",
        error=error,
        renamed={"form": "registry"},
        user=actor,
        project=await listing.shown(db, request.app.state.settings, project, latest, by=actor),
        logins=[LoginOut.of(row) for row in await logins.of_project(db, project)],
        # What was typed as a password is typed again.
        values={name: value for name, value in values.items() if name != "password"},
    )


HANDLERS = [show_logins, save_login, end_login]
