"""Pages: a project's settings and its environment variables."""

from collections.abc import Awaitable, Mapping

from litestar import get, post
from litestar.params import FromPath, FromQuery

from windlass.adapters.git import check_url
from windlass.adapters.world import addresses_of
from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.builds.deps import planned
from windlass.builds.plan import Plan
from windlass.core.errors import AppError, invalid
from windlass.core.http import DB, Request
from windlass.core.languages import N_, gettext
from windlass.core.settings import Settings
from windlass.deployments import starting
from windlass.projects import listing, service, variables
from windlass.projects.deps import InProject, Latest, LatestOf
from windlass.projects.models import Project, Target
from windlass.projects.schemas import EnvSet, ProjectChange, said_of
from windlass.web import forms, process_forms
from windlass.web.page import page
from windlass.web.posts import (
    Answer,
    Form,
    Problem,
    Values,
    problem,
    see,
    struct,
)

_TARGETS = [target.value for target in Target]
_EVERYWHERE: Values = {"production": True, "preview": True}


# A form with a mistake in it stands at the address it was sent to, and can be asked for again.
@get(
    ["/projects/{slug:str}/settings", "/projects/{slug:str}/delete"],
    permission=Permission.project_settings,
)
async def settings_form(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest
) -> Answer:
    plan = await _detected(request, db, project, project.root_directory)
    values: Values = {
        "name": project.name,
        "repository_url": project.repository_url or "",
        "repository_branch": project.repository_branch,
        "node_version": project.node_version or "",
        **forms.setting_values(project, plan),
        **process_forms.values(project, plan),
    }
    return await _settings(request, db, actor, project, latest, plan=plan, values=values)


@post("/projects/{slug:str}/settings", permission=Permission.project_settings)
async def save_settings(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    root = forms.text(form, "root_directory")
    plan = await _detected(request, db, project, root)

    async def save() -> None:
        wanted = _change(request.app.state.settings, form, plan, root)
        await service.change(db, project, wanted, by=actor)

    if (error := await _wrong(db, project, save())) is not None:
        return await _settings(
            request,
            db,
            actor,
            project,
            latest,
            plan=plan,
            values=forms.values(form),
            rows=process_forms.typed(form),
            error=error,
            renamed=process_forms.renamed(form),
        )
    return see(f"/projects/{service.ref_of(project, by=actor)}/settings", "saved")


async def _wrong(db: DB, project: Project, work: Awaitable[None]) -> AppError | None:
    """What is wrong with a form, if anything; then nothing of it is kept."""
    try:
        await work
    except AppError as error:
        await db.rollback()
        await db.refresh(project)
        return error
    return None


def _change(settings: Settings, form: Form, plan: Plan | None, root: str | None) -> ProjectChange:
    chosen = forms.overrides(form, plan) | {"root_directory": None if root == "." else root}
    return struct(
        ProjectChange,
        {
            "name": forms.text(form, "name") or "-",
            "repository_url": forms.text(form, "repository_url"),
            "repository_branch": forms.text(form, "repository_branch") or "main",
            "node_version": forms.text(form, "node_version"),
            "build_network": forms.checked(form, "build_network"),
            "supersede_running": forms.checked(form, "supersede_running"),
            "keep_releases": forms.number(form, "keep_releases"),
            "watch_minutes": forms.number(form, "watch_minutes") or 0,
            "processes": process_forms.chosen(form, plan),
            **process_forms.readiness(form, plan),
            **chosen,
        },
        words={
            "node_version": "Node.js 16, 18, 20, 21, 22 or 24",
            "keep_releases": N_("a number from 1 to 100"),
            "watch_minutes": N_("a number from 0 to 120"),
        },
        also=_wrong_repository(settings, form) + _missing(form, "name"),
    )


def _wrong_repository(settings: Settings, form: Form) -> list[Problem]:
    url = forms.text(form, "repository_url")
    try:
        if url is not None:
            check_url(url, allow=addresses_of(settings))
    except AppError as error:
        return problem("repositoryUrl", error)
    return []


def _missing(form: Form, name: str) -> list[Problem]:
    if forms.text(form, name):
        return []
    return [{"field": name, "message": f"{name.capitalize()} is required"}]


async def _detected(request: Request, db: DB, project: Project, root: str | None) -> Plan | None:
    """What detection says of the newest source, without this project's settings."""
    source = await starting.latest_source(db, project)
    if source is None:
        return None
    return (await planned(request, source, root_directory=root)).plan


async def _settings(
    request: Request,
    db: DB,
    actor: Actor,
    project: Project,
    latest: LatestOf,
    *,
    plan: Plan | None,
    values: Values,
    rows: list[process_forms.Row] | None = None,
    error: AppError | None = None,
    renamed: Mapping[str, str] | None = None,
) -> Answer:
    said = said_of(project.processes)
    return page(
        request,
        "projects/settings.html",
        error=error,
        renamed=renamed or {},
        processes=process_forms.rows(said, plan) if rows is None else rows,
        apps=request.app.state.settings.apps,
        user=actor,
        project=await listing.shown(db, request.app.state.settings, project, latest, by=actor),
        plan=plan,
        values=values,
    )


@post("/projects/{slug:str}/delete", permission=Permission.project_delete)
async def delete_project(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    """What is typed must be the name: every version, variable and log goes with it."""
    if forms.text(form, "confirm") == project.name:
        await service.remove(db, project, by=actor)
        return see("/projects", "deleted")
    plan = await _detected(request, db, project, project.root_directory)
    values = (
        forms.setting_values(project, plan)
        | process_forms.values(project, plan)
        | {
            "name": project.name,
            "repository_url": project.repository_url or "",
            "repository_branch": project.repository_branch,
        }
    )
    return await _settings(
        request,
        db,
        actor,
        project,
        latest,
        plan=plan,
        values=values,
        error=invalid(
            "confirm",
            gettext("Type {name}, exactly as it is written, to delete it").format(
                name=project.name
            ),
        ),
    )


@get("/projects/{slug:str}/environment", permission=Permission.project_settings)
async def list_variables(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    latest: Latest,
    edit: FromQuery[str | None] = None,
) -> Answer:
    found = await variables.lines(db, project, request.app.state.key_ring)
    line = next((one for one in found if one.id == edit), None)
    values = _line_values(line) if line else _EVERYWHERE
    editing = line.id if line else None
    return await _environment(request, db, actor, project, latest, editing=editing, values=values)


@get("/projects/{slug:str}/environment/{env_id:str}", permission=Permission.project_settings)
async def edit_variable(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    latest: Latest,
    env_id: FromPath[str],
) -> Answer:
    line = await variables.line(db, project, env_id, request.app.state.key_ring)
    values = _line_values(line)
    return await _environment(request, db, actor, project, latest, editing=line.id, values=values)


def _line_values(line: variables.Line) -> Values:
    return {
        "value": line.value or "",
        "secret": line.secret,
        "production": Target.production in line.targets,
        "preview": Target.preview in line.targets,
        "development": Target.development in line.targets,
    }


@post("/projects/{slug:str}/environment", permission=Permission.project_settings)
async def add_variables(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    keys = request.app.state.key_ring
    key = ""

    async def save() -> None:
        nonlocal key
        found = forms.variables(form)
        if not found:
            raise invalid("env.0.key", N_("Type a key and its value"))
        for row in found:
            key = row.key
            wanted = _wanted(form, key=key, value=row.value, secret=row.secret)
            await service.set_variable(db, project, wanted, keys, by=actor)

    if (error := await _wrong(db, project, save())) is not None:
        return await _environment(
            request,
            db,
            actor,
            project,
            latest,
            values=dict.fromkeys(_TARGETS, False) | forms.values(form),
            rows=forms.rows(form),
            error=error,
            renamed=forms.renamed_in_row(form, key),
        )
    return see(f"/projects/{service.ref_of(project, by=actor)}/environment", "variables")


@post("/projects/{slug:str}/environment/{env_id:str}", permission=Permission.project_settings)
async def change_variable(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    latest: Latest,
    env_id: FromPath[str],
    form: Form,
) -> Answer:
    keys = request.app.state.key_ring
    line = await variables.line(db, project, env_id, keys)

    async def save() -> None:
        secret = forms.checked(form, "secret")
        wanted = _wanted(form, key=line.key, value=form.get("value", ""), secret=secret)
        await variables.change(db, project, line, wanted, keys, by=actor)

    if (error := await _wrong(db, project, save())) is not None:
        return await _environment(
            request,
            db,
            actor,
            project,
            latest,
            editing=line.id,
            values=forms.values(form),
            error=error,
        )
    return see(f"/projects/{service.ref_of(project, by=actor)}/environment", "variables")


@post(
    "/projects/{slug:str}/environment/{env_id:str}/delete", permission=Permission.project_settings
)
async def remove_variable(
    request: Request, db: DB, actor: CurrentActor, project: InProject, env_id: FromPath[str]
) -> Answer:
    line = await variables.line(db, project, env_id, request.app.state.key_ring)
    await variables.remove(db, project, line, by=actor)
    return see(f"/projects/{service.ref_of(project, by=actor)}/environment", "deleted")


def _wanted(form: Form, *, key: str, value: str, secret: bool) -> EnvSet:
    targets = [name for name in _TARGETS if forms.checked(form, name)]
    if not targets:
        raise invalid("production", N_("Choose where it counts"))
    return struct(EnvSet, {"key": key, "value": value, "secret": secret, "targets": targets})


async def _environment(
    request: Request,
    db: DB,
    actor: Actor,
    project: Project,
    latest: LatestOf,
    *,
    values: Mapping[str, str | bool],
    editing: str | None = None,
    rows: list[forms.Variable] | None = None,
    error: AppError | None = None,
    renamed: Mapping[str, str] | None = None,
) -> Answer:
    state = request.app.state
    return page(
        request,
        "projects/environment.html",
        error=error,
        renamed=renamed or {},
        user=actor,
        project=await listing.shown(db, state.settings, project, latest, by=actor),
        variables=await variables.lines(db, project, state.key_ring),
        editing=editing,
        rows=rows or [],
        values=values,
    )


HANDLERS = [
    settings_form,
    save_settings,
    delete_project,
    list_variables,
    edit_variable,
    add_variables,
    change_variable,
    remove_variable,
]
