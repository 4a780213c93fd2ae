"""How long a team's log is kept: first what a number of days would delete, then the choice."""

from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromPath

from windlass.audit import retention
from windlass.audit.schemas import RetentionChange, RetentionOut
from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.core.errors import AppError, ValidationFailed
from windlass.core.http import DB, Request
from windlass.core.languages import gettext
from windlass.teams import listing, service
from windlass.teams.deps import InTeam, provide_team_by_slug
from windlass.teams.schemas import TeamChange
from windlass.teams.service import Membership
from windlass.web import forms, posts
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see, struct


@get("/teams/{slug:str}/audit-retention", permission=Permission.team_settings)
async def show_retention(request: Request, db: DB, actor: CurrentActor, team: InTeam) -> Answer:
    """The form; with `days`, what of the log would go."""
    if "days" not in request.query_params:
        return await _retention(request, db, actor, team)
    typed = request.query_params["days"]
    try:
        days = _days(typed)
    except ValidationFailed as error:
        return await _retention(request, db, actor, team, typed=typed, error=error)
    found = await retention.preview(db, team.team, days)
    return await _retention(request, db, actor, team, typed=typed, found=found)


@post("/teams/{slug:str}/audit-retention", permission=Permission.team_settings)
async def keep_retention(
    request: Request, db: DB, actor: CurrentActor, team: InTeam, slug: FromPath[str], form: Form
) -> Answer:
    typed = form.get("days", "")
    try:
        wanted = TeamChange(audit_retention_days=_days(typed))
        await service.change(db, team.team, wanted, by=actor)
    except AppError as error:
        await db.rollback()
        team = await service.get_by_slug(db, slug, Permission.team_settings, by=actor)
        return await _retention(request, db, actor, team, typed=typed, error=error)
    return see(f"/teams/{slug}/settings", "saved")


def _days(typed: str) -> int:
    text = forms.text({"days": typed}, "days") or ""
    words = {"days": gettext("Choose a number of days from 7 to 2555")}
    given = int(text) if text.isdecimal() and len(text) < 10 else text
    return struct(RetentionChange, {"days": given}, words=words).days


async def _retention(
    request: Request,
    db: DB,
    actor: Actor,
    team: Membership,
    *,
    typed: str | None = None,
    found: RetentionOut | None = None,
    error: AppError | None = None,
) -> Answer:
    days = team.team.audit_retention_days
    return page(
        request,
        "audit/retention.html",
        error=error,
        user=actor,
        team=await listing.team(db, team.team.id, by=actor),
        days=days,
        found=found,
        values={"days": str(days) if typed is None else typed},
    )


PAGES = [
    Router(
        "/",
        route_handlers=[show_retention, keep_retention],
        dependencies={
            "form": Provide(posts.provide_form),
            "team": Provide(provide_team_by_slug),
        },
        include_in_schema=False,
    )
]
