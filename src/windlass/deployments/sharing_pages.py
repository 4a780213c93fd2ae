"""Pages: which teams see a project, and giving it to somebody else."""

from litestar import get, post
from litestar.params import FromPath

from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.errors import AppError, invalid
from windlass.core.http import DB, Request
from windlass.core.languages import gettext
from windlass.projects import listing, service, sharing
from windlass.projects.deps import InProject, Latest, LatestOf
from windlass.projects.models import Project
from windlass.projects.schemas import ShareOut
from windlass.web import forms
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see


# A form with a mistake in it stands at the address it was sent to, and can be asked for again.
@get(
    ["/projects/{slug:str}/sharing", "/projects/{slug:str}/transfer"],
    permission=Permission.project_settings,
)
async def show_sharing(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest
) -> Answer:
    return await _sharing(request, db, actor, project, latest)


@post("/projects/{slug:str}/sharing", permission=Permission.project_settings)
async def share(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    try:
        team_id = ids.private("team", form.get("team_id", ""))
        await sharing.share(db, project, team_id, by=actor)
    except AppError as error:
        return await _refused(request, db, actor, project, latest, form, error)
    return _back(project, "shared", by=actor)


@post("/projects/{slug:str}/sharing/{team_id:str}/end", permission=Permission.project_settings)
async def unshare(
    request: Request, db: DB, actor: CurrentActor, project: InProject, team_id: FromPath[str]
) -> Answer:
    """An admin may be taking the project away from the very team that shows it to them."""
    await sharing.unshare(db, project, ids.private("team", team_id), by=actor)
    if await service.may_see(db, project.id, by=actor):
        return _back(project, "unshared", by=actor)
    return see("/projects", "unshared")


@post("/projects/{slug:str}/transfer", permission=Permission.project_settings)
async def transfer(
    request: Request, db: DB, actor: CurrentActor, project: InProject, latest: Latest, form: Form
) -> Answer:
    """What is typed must be the name: the giver cannot take it back."""
    try:
        if forms.text(form, "confirm") != project.name:
            raise invalid(
                "confirm", gettext("Type {name} to give it away").format(name=project.name)
            )
        await sharing.transfer(db, project, ids.private("user", form.get("user_id", "")), by=actor)
    except AppError as error:
        return await _refused(request, db, actor, project, latest, form, error)
    return see("/projects", "transferred")


async def _refused(
    request: Request,
    db: DB,
    actor: Actor,
    project: Project,
    latest: LatestOf,
    form: Form,
    error: AppError,
) -> Answer:
    await db.rollback()
    await db.refresh(project)
    return await _sharing(request, db, actor, project, latest, form=form, error=error)


async def _sharing(
    request: Request,
    db: DB,
    actor: Actor,
    project: Project,
    latest: LatestOf,
    *,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    is_owner = project.owner_id == actor.id
    return page(
        request,
        "projects/sharing.html",
        error=error,
        user=actor,
        project=await listing.shown(db, request.app.state.settings, project, latest, by=actor),
        shares=[ShareOut.of(row) for row in await sharing.teams_of(db, project)],
        teams=[
            (ids.public("team", team.id), team.name)
            for team in await sharing.shareable(db, project, by=actor)
        ],
        heirs=[
            (ids.public("user", heir.id), heir.name or heir.email)
            for heir in (await sharing.heirs(db, project) if is_owner else [])
        ],
        is_owner=is_owner,
        values=forms.values(form or {}),
    )


def _back(project: Project, notice: str, *, by: Actor) -> Answer:
    return see(f"/projects/{service.ref_of(project, by=by)}/sharing", notice)


HANDLERS = [show_sharing, share, unshare, transfer]
