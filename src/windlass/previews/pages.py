"""The page of a project's previews: what there is, who lets a fork in, and how long they stay."""

from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromPath, FromQuery

from windlass.auth import passwords
from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.errors import AppError
from windlass.core.http import DB, Request
from windlass.core.languages import N_
from windlass.previews import keeping, service
from windlass.previews import listing as previews
from windlass.previews.schemas import ApprovalCreate, SettingsChange
from windlass.projects import listing
from windlass.projects import service as projects
from windlass.projects.deps import InProject, Latest, LatestOf, provide_project_by_slug
from windlass.projects.models import Project
from windlass.web import forms, posts
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see, struct

_WRONG = {
    "keep": N_("Say a number from 1 to 100"),
    "days": N_("Say a number of days, at most 3650; 0 is for ever"),
    "password": N_("Use 8 to 200 letters"),
}


# A form's answer stands at the address it was sent to, and can be asked for again.
@get(
    [
        "/projects/{slug:str}/previews",
        "/projects/{slug:str}/previews/password",
        "/projects/{slug:str}/previews/{preview:str}/approve",
    ],
    permission=Permission.deploy_read,
)
async def show_previews(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    latest: Latest,
    cursor: FromQuery[str | None] = None,
) -> Answer:
    return await _shown(request, db, actor, project, latest, cursor=cursor)


@post("/projects/{slug:str}/previews/{preview:str}/approve", permission=Permission.deploy_create)
async def approve(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    latest: Latest,
    preview: FromPath[str],
    form: Form,
) -> Answer:
    row = await service.get(db, project, ids.private("prev", preview))
    try:
        wanted = struct(ApprovalCreate, {"commit_sha": forms.text(form, "commit")})
        domain = request.app.state.settings.base_domain
        await service.approve(db, project, row, wanted.commit_sha, base_domain=domain, by=actor)
    except AppError as error:
        await db.rollback()
        await db.refresh(project)
        return await _shown(request, db, actor, project, latest, error=error)
    return see(f"/projects/{projects.ref_of(project, by=actor)}/previews", "approved")


@post("/projects/{slug:str}/previews/{preview:str}/remove", permission=Permission.deploy_cancel)
async def remove(db: DB, actor: CurrentActor, project: InProject, preview: FromPath[str]) -> Answer:
    row = await service.get(db, project, ids.private("prev", preview))
    if row.ended_at is None:
        await service.end(db, project, row, why=service.REMOVED, by=actor)
    return see(f"/projects/{projects.ref_of(project, by=actor)}/previews", "preview-removed")


@post("/projects/{slug:str}/previews", permission=Permission.project_settings)
async def save_settings(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    try:
        given = {name: forms.text(form, name) for name in ("keep", "days")}
        wanted = struct(SettingsChange, {n: _number(v) for n, v in given.items()}, words=_WRONG)
        await keeping.change(db, project, wanted, None, by=actor)
    except AppError as error:
        await db.rollback()
        await db.refresh(project)
        return await _shown(request, db, actor, project, latest, form=form, error=error)
    return see(f"/projects/{projects.ref_of(project, by=actor)}/previews", "saved")


@post("/projects/{slug:str}/previews/password", permission=Permission.project_settings)
async def save_password(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    try:
        given = {"password": form.get("password", "")}
        wanted = struct(SettingsChange, given, words=_WRONG)
        hash = await passwords.hashed(str(wanted.password))
        await keeping.change(db, project, wanted, hash, by=actor)
    except AppError as error:
        await db.rollback()
        await db.refresh(project)
        return await _shown(request, db, actor, project, latest, form=form, error=error)
    return see(f"/projects/{projects.ref_of(project, by=actor)}/previews", "saved")


@post("/projects/{slug:str}/previews/password/end", permission=Permission.project_settings)
async def end_password(db: DB, actor: CurrentActor, project: InProject) -> Answer:
    await keeping.change(db, project, SettingsChange(password=None), None, by=actor)
    return see(f"/projects/{projects.ref_of(project, by=actor)}/previews", "saved")


def _number(text: str | None) -> object:
    """A number where it is one; what is not is for the check to say."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else text


async def _shown(
    request: Request,
    db: DB,
    actor: Actor,
    project: Project,
    latest: LatestOf,
    *,
    cursor: str | None = None,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    settings = request.app.state.settings
    found = await previews.page(db, settings, project, cursor=cursor, by=actor)
    kept = keeping.shown(project, settings.builds)
    return page(
        request,
        "previews/list.html",
        error=error,
        user=actor,
        project=await listing.shown(db, settings, project, latest, by=actor),
        previews=found.items,
        cursor=found.cursor,
        kept=kept,
        values={
            "keep": "" if project.preview_keep is None else str(project.preview_keep),
            "days": "" if project.preview_days is None else str(project.preview_days),
        }
        | forms.values(form or {}),
        errors=forms.errors(error) if error else {},
    )


PAGES = [
    Router(
        "/",
        route_handlers=[
            show_previews,
            approve,
            remove,
            save_settings,
            save_password,
            end_password,
        ],
        dependencies={
            "form": Provide(posts.provide_form),
            "project": Provide(provide_project_by_slug),
        },
        include_in_schema=False,
    )
]
