"""The page of a project's Git host: address and secret, rules, and what became of deliveries."""

import re

from litestar import Router, get, post
from litestar.di import Provide

from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.errors import AppError
from windlass.core.http import DB, Request
from windlass.core.languages import N_
from windlass.projects import deploy_keys, listing
from windlass.projects import service as projects
from windlass.projects.deps import InProject, Latest, LatestOf, provide_project_by_slug
from windlass.projects.models import Project
from windlass.web import forms, posts
from windlass.web.page import page
from windlass.web.posts import Answer, Form, Values, see, struct
from windlass.webhooks import hosting, reporting, service
from windlass.webhooks.models import Host, Webhook
from windlass.webhooks.schemas import TokenSet, WebhookChange, addresses

_SHOWN = 30
_RULES = ("preview_branches", "tags", "paths")
_NAMES = {
    Host.github: "GitHub",
    Host.gitlab: "GitLab",
    Host.gitea: "Gitea, Forgejo",
    Host.bitbucket: "Bitbucket",
}


# A form's answer stands at the address it was sent to, and can be asked for again.
@get(
    [
        "/projects/{slug:str}/git",
        "/projects/{slug:str}/git/secret",
        "/projects/{slug:str}/git/token",
    ],
    permission=Permission.project_settings,
)
async def show_git(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest
) -> Answer:
    return await _git(request, db, actor, project, latest)


@post("/projects/{slug:str}/git", permission=Permission.project_settings)
async def save_rules(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    try:
        given: dict[str, object] = {name: _globs(form.get(name, "")) for name in _RULES}
        given["pull_requests"] = form.get("pull_requests") == "true"
        wanted = struct(WebhookChange, given)
        await service.change(db, project, wanted, by=actor)
    except AppError as error:
        await db.rollback()
        await db.refresh(project)
        return await _git(request, db, actor, project, latest, form=form, error=error)
    return see(f"/projects/{projects.ref_of(project, by=actor)}/git", "saved")


@post("/projects/{slug:str}/git/secret", permission=Permission.project_settings)
async def make_secret(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest
) -> Answer:
    """Connects the project, or replaces its secret. The answer is the page itself: the secret is
    shown this once."""
    keys = request.app.state.key_ring
    is_new = await service.find(db, project) is None
    make = service.connect if is_new else service.replace_secret
    try:
        _, secret = await make(db, project, None, keys, by=actor)
    except AppError as error:
        await db.rollback()
        await db.refresh(project)
        return await _git(request, db, actor, project, latest, error=error)
    return await _git(request, db, actor, project, latest, secret=secret)


@post("/projects/{slug:str}/git/token", permission=Permission.project_settings)
async def save_token(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    try:
        given = {"token": forms.text(form, "token") or "", "host": forms.text(form, "host")}
        wanted = struct(TokenSet, given, words={"token": N_("This is not an access token")})
        await hosting.set_token(db, project, wanted, request.app.state.key_ring, by=actor)
    except AppError as error:
        await db.rollback()
        await db.refresh(project)
        return await _git(request, db, actor, project, latest, form=form, error=error)
    return see(f"/projects/{projects.ref_of(project, by=actor)}/git", "saved")


@post("/projects/{slug:str}/git/token/end", permission=Permission.project_settings)
async def forget_token(db: DB, actor: CurrentActor, project: InProject) -> Answer:
    await reporting.forget_token(db, project, by=actor)
    return see(f"/projects/{projects.ref_of(project, by=actor)}/git", "saved")


@post("/projects/{slug:str}/git/key", permission=Permission.project_settings)
async def make_key(request: Request, db: DB, actor: CurrentActor, project: InProject) -> Answer:
    await deploy_keys.make(db, project, request.app.state.key_ring, by=actor)
    return see(f"/projects/{projects.ref_of(project, by=actor)}/git", "saved")


@post("/projects/{slug:str}/git/key/end", permission=Permission.project_settings)
async def remove_key(db: DB, actor: CurrentActor, project: InProject) -> Answer:
    await deploy_keys.remove(db, project, by=actor)
    return see(f"/projects/{projects.ref_of(project, by=actor)}/git", "saved")


@post("/projects/{slug:str}/git/end", permission=Permission.project_settings)
async def disconnect(db: DB, actor: CurrentActor, project: InProject) -> Answer:
    await service.disconnect(db, project, by=actor)
    return see(f"/projects/{projects.ref_of(project, by=actor)}/git", "git-ended")


def _globs(text: str) -> list[str]:
    return [glob for glob in re.split(r"[\s,]+", text) if glob]


async def _git(
    request: Request,
    db: DB,
    actor: Actor,
    project: Project,
    latest: LatestOf,
    *,
    secret: str | None = None,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    settings = request.app.state.settings
    webhook = await service.find(db, project)
    found = forms.errors(error) if error else {}
    return page(
        request,
        "webhooks/git.html",
        error=error,
        user=actor,
        project=await listing.shown(db, settings, project, latest, by=actor),
        deploy_key=project.deploy_key_public,
        is_connected=webhook is not None,
        reports_to=_NAMES[webhook.token_host] if webhook and webhook.token_host else None,
        report_error=webhook.report_error if webhook else None,
        kinds=[] if hosting.is_known(project) else [(kind.value, _NAMES[kind]) for kind in Host],
        secret=secret,
        needs_secret=webhook is not None and webhook.secret_sealed is None,
        places=_places(project, settings.panel_url),
        deliveries=(await service.deliveries(db, project, limit=_SHOWN)).items,
        values=_values(webhook) | forms.values(form or {}),
        # One field holds several globs.
        errors={name.partition(".")[0]: message for name, message in found.items()},
    )


def _places(project: Project, panel: str) -> list[tuple[str, str]]:
    """The address for the host of the project; all of them where its name does not tell."""
    found = addresses(panel, ids.public("proj", project.id))
    name = (project.repository_key or "").partition("/")[0]
    known = [host for host in (Host.github, Host.gitlab, Host.bitbucket) if host in name]
    return [(_NAMES[host], getattr(found, host.value)) for host in (known or Host)]


def _values(webhook: Webhook | None) -> Values:
    found: Values = {name: " ".join(getattr(webhook, name, ())) for name in _RULES}
    return found | {"pull_requests": webhook is None or webhook.pull_requests}


PAGES = [
    Router(
        "/",
        route_handlers=[
            show_git,
            save_rules,
            make_secret,
            save_token,
            forget_token,
            make_key,
            remove_key,
            disconnect,
        ],
        dependencies={
            "form": Provide(posts.provide_form),
            "project": Provide(provide_project_by_slug),
        },
        include_in_schema=False,
    )
]
