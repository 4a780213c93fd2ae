"""Pages: a new project, from nothing to a plan that can be read and changed before a build."""

import msgspec
from litestar import get, post

from windlass.adapters import git
from windlass.adapters.world import addresses_of
from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.builds import service as builds
from windlass.builds.deps import checked_plan, planned, source_of_image
from windlass.builds.errors import ImageMissing
from windlass.builds.models import Source, SourceKind
from windlass.builds.plan import Overrides
from windlass.builds.schemas import SourceOut
from windlass.core import ids
from windlass.core.errors import AppError, ValidationFailed
from windlass.core.http import DB, Request
from windlass.core.languages import N_
from windlass.core.settings import Settings
from windlass.deployments import starting
from windlass.projects import service as projects
from windlass.projects.errors import HostTaken, SlugTaken
from windlass.projects.schemas import EnvSet, ProjectCreate
from windlass.web import forms, posts, process_forms
from windlass.web.page import page
from windlass.web.posts import Answer, Form, Values, see, struct


class LeftOut(msgspec.Struct, frozen=True):
    """How many files of a dropped folder stayed in the browser: by its rules, and in any case."""

    by_rules: int = 0
    always: int = 0


def left_out(request: Request) -> LeftOut:
    """What the page that sent the folder says of it."""
    query = request.query_params

    def count(name: str) -> int:
        text = query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0

    return LeftOut(count("ignored"), count("withheld"))


@get("/projects/new", permission=Permission.deploy_create)
async def new_project(request: Request, db: DB, actor: CurrentActor) -> Answer:
    query = request.query_params
    if (id := query.get("source")) is None:
        start = query.get("from", "")
        return _choose(request, actor, start=start if start in ("git", "image") else "upload")
    row = await builds.get(db, ids.private("src", id), by=actor)
    source = await planned(
        request, row, root_directory=query.get("root_directory"), with_imports=True
    )
    if source.status == "error":
        return _choose(request, actor, start="git", source=source, values=_git_values(source))
    values = forms.plan_values(source.plan, name=source.suggested_name)
    values |= process_forms.values(None, source.plan)
    if source.plan is None:
        values["root_directory"] = query.get("root_directory", "")
    return _plan(request, actor, source, values)


@get("/projects/new/git", permission=Permission.deploy_create)
async def new_from_git() -> Answer:
    """Where the form with a mistake in it stands, asked for again."""
    return see("/projects/new?from=git")


@post("/projects/new/git", permission=Permission.deploy_create, rate="deploy")
async def look_into_repository(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    """Fetch it first: the plan is shown before anything is built."""
    try:
        url, branch = _repository(request.app.state.settings, form)
        source = await builds.request_repository(
            db, url, branch, owner_id=actor.id, is_deferred=False
        )
    except AppError as error:
        await db.rollback()
        return _choose(
            request,
            actor,
            start="git",
            values=forms.values(form),
            error=error,
        )
    return see(f"/projects/new?source={ids.public('src', source.id)}")


@get("/projects/new/image", permission=Permission.deploy_create)
async def new_from_image() -> Answer:
    """Where the form with a mistake in it stands, asked for again."""
    return see("/projects/new?from=image")


@post("/projects/new/image", permission=Permission.deploy_create, rate="deploy")
async def look_at_image(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    """Its registry is asked by the build: what runs is what the name means then."""
    try:
        source = await image_source(request, db, form, by=actor)
    except AppError as error:
        await db.rollback()
        return _choose(request, actor, start="image", values=forms.values(form), error=error)
    return see(f"/projects/new?source={ids.public('src', source.id)}")


async def image_source(request: Request, db: DB, form: Form, *, by: Actor) -> Source:
    """The source for the name that was typed."""
    name = forms.text(form, "image")
    if name is None:
        raise ImageMissing()
    return await source_of_image(request, db, name, by=by)


def _repository(settings: Settings, form: Form) -> tuple[str, str | None]:
    """Both fields checked, so that both can be wrong at once."""
    url, branch = forms.text(form, "repository_url"), forms.text(form, "branch")
    wrong: list[posts.Problem] = []
    if url is None:
        wrong.append(
            {"field": "repositoryUrl", "message": N_("The address of the repository is required")}
        )
    try:
        url = git.check_url(url, allow=addresses_of(settings)) if url else ""
    except AppError as error:
        wrong += posts.problem("repositoryUrl", error)
    try:
        branch = git.check_branch(branch) if branch else None
    except AppError as error:
        wrong += posts.problem("branch", error)
    if wrong:
        raise ValidationFailed(fields=wrong)
    return url or "", branch


@post("/projects/new", permission=Permission.deploy_create, rate="deploy")
async def create_project(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    """The project, its variables and its first deployment, in one transaction."""
    row = await builds.get(db, ids.private("src", form.get("source_id", "")), by=actor)
    root = await _root(request, row, forms.text(form, "root_directory"))
    source = await planned(request, row, root_directory=root, with_imports=True)
    try:
        first = starting.First(
            project=_project(form, source, root),
            source=row,
            variables=_variables(form),
        )
        await checked_plan(request, row, _overrides(first.project))
        state = request.app.state
        made = await starting.create_project(
            db, first, state.key_ring, base_domain=state.settings.base_domain, by=actor
        )
    except AppError as error:
        await db.rollback()
        return _plan(
            request,
            actor,
            source,
            forms.values(form),
            variables=forms.rows(form),
            rows=process_forms.typed(form),
            renamed=process_forms.renamed(form),
            error=error,
        )
    return see(f"/deployments/{ids.public('depl', made.id)}")


async def _root(request: Request, row: Source, typed: str | None) -> str | None:
    """The folder that was typed, unless detection comes to it by itself."""
    detected = await planned(request, row, root_directory=None)
    itself = detected.plan.root_directory if detected.plan else "."
    return None if (typed or ".") == itself else typed or "."


def _project(form: Form, source: SourceOut, root: str | None) -> ProjectCreate:
    chosen = forms.overrides(form, source.plan) | {"root_directory": root}
    is_git = source.kind == SourceKind.git.value
    return struct(
        ProjectCreate,
        {
            "name": forms.text(form, "name"),
            "repository_url": source.repository_url if is_git else None,
            "repository_branch": (source.branch if is_git else None) or "main",
            "build_network": forms.checked(form, "build_network"),
            "processes": process_forms.chosen(form, source.plan),
            **process_forms.readiness(form, source.plan),
            **chosen,
        },
    )


def _overrides(project: ProjectCreate) -> Overrides:
    """The plan that this project will have is made once before it is kept: mistakes show here."""
    given = msgspec.structs.asdict(project)
    names = [field.name for field in msgspec.structs.fields(Overrides)]
    said = {name: given[name] for name in names if given[name] is not None}
    return Overrides(**{name: value for name, value in said.items() if value is not False})


def _variables(form: Form) -> tuple[EnvSet, ...]:
    found: list[EnvSet] = []
    for row in forms.variables(form):
        try:
            projects.check_key(row.key)
            found.append(struct(EnvSet, {"key": row.key, "value": row.value, "secret": row.secret}))
        except ValidationFailed as error:
            names = forms.renamed_in_row(form, row.key)
            fields = [
                {"field": names.get(name, name), "message": text}
                for name, text in forms.errors(error).items()
            ]
            raise ValidationFailed(fields=fields) from error
    return tuple(found)


def _choose(
    request: Request,
    actor: Actor,
    *,
    start: str,
    source: SourceOut | None = None,
    values: Values | None = None,
    error: AppError | None = None,
) -> Answer:
    return page(
        request,
        "projects/new.html",
        error=error,
        renamed={"form": "image"} if start == "image" else {},
        user=actor,
        start=start,
        source=source,
        site_address=_address(request.app.state.settings),
        left_out=left_out(request),
        values=values or {},
        variables=[],
    )


def _plan(
    request: Request,
    actor: Actor,
    source: SourceOut,
    values: Values,
    *,
    variables: list[forms.Variable] | None = None,
    rows: list[process_forms.Row] | None = None,
    renamed: dict[str, str] | None = None,
    error: AppError | None = None,
) -> Answer:
    is_taken = isinstance(error, SlugTaken | HostTaken)
    return page(
        request,
        "projects/new.html",
        error=error,
        renamed={"form": "name"} if is_taken else renamed or {},
        processes=process_forms.rows((), source.plan) if rows is None else rows,
        apps=request.app.state.settings.apps,
        user=actor,
        start="git" if source.kind == SourceKind.git.value else "upload",
        source=source,
        site_address=_address(request.app.state.settings),
        left_out=left_out(request),
        values=values,
        variables=variables or [],
    )


def _git_values(source: SourceOut) -> Values:
    return {"repository_url": source.repository_url or "", "branch": source.branch or ""}


def _address(settings: Settings) -> str:
    """The address that the project will have, with … for its own part."""
    return settings.site_url(settings.site_host("…"))


HANDLERS = [
    new_project,
    new_from_git,
    look_into_repository,
    new_from_image,
    look_at_image,
    create_project,
]
