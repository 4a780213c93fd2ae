"""Pages: one's teams, who is in each, who was asked to come, and a team's settings."""

from uuid import UUID

from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromPath, FromQuery

from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission, Role
from windlass.core import ids
from windlass.core.errors import AppError, invalid
from windlass.core.http import DB, Request
from windlass.core.languages import N_, gettext
from windlass.teams import answering_pages, invitations, listing, service
from windlass.teams.deps import InTeam, provide_team_by_slug
from windlass.teams.listing import LIMIT_MAX, Query
from windlass.teams.schemas import Invite, RoleChange, TeamChange, TeamCreate
from windlass.teams.service import Membership
from windlass.web import forms, posts
from windlass.web.page import page
from windlass.web.posts import Answer, Form, Values, see, struct

_ROLES = {
    Role.viewer: N_("Viewer"),
    Role.member: N_("Member"),
    Role.developer: N_("Developer"),
    Role.admin: N_("Admin"),
    Role.owner: N_("Owner"),
}


@get("/teams", permission=Permission.team_read)
async def list_teams(
    request: Request, db: DB, actor: CurrentActor, cursor: FromQuery[str | None] = None
) -> Answer:
    found = await listing.teams(db, Query(cursor=cursor, sort="name"), by=actor)
    asked = await listing.invitations_to(db, Query(limit=LIMIT_MAX), by=actor)
    return page(
        request,
        "teams/list.html",
        user=actor,
        teams=found.items,
        invitations=asked.items,
        cursor=found.cursor,
    )


@get("/teams/new", permission=Permission.team_settings)
async def new_form(request: Request, actor: CurrentActor) -> Answer:
    return page(request, "teams/new.html", user=actor, values={})


@post("/teams/new", permission=Permission.team_settings)
async def create_team(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    try:
        given = {name: forms.text(form, name) for name in ("name", "slug")}
        wanted = struct(TeamCreate, {name: text for name, text in given.items() if text})
        made = await service.create(db, wanted, by=actor)
    except AppError as error:
        await db.rollback()
        return page(
            request,
            "teams/new.html",
            error=error,
            user=actor,
            values=forms.values(form),
        )
    return see(f"/teams/{made.team.slug}", "created")


# A form with a mistake in it stands at the address it was sent to, and can be asked for again.
@get(["/teams/{slug:str}", "/teams/{slug:str}/members"], permission=Permission.team_read)
async def show_team(
    request: Request,
    db: DB,
    actor: CurrentActor,
    team: InTeam,
    cursor: FromQuery[str | None] = None,
) -> Answer:
    return await _members(request, db, actor, team, cursor=cursor)


@post("/teams/{slug:str}/members", permission=Permission.team_invite)
async def add_member(
    request: Request, db: DB, actor: CurrentActor, team: InTeam, slug: FromPath[str], form: Form
) -> Answer:
    try:
        wanted = struct(Invite, {"email": forms.text(form, "email"), "role": form.get("role", "")})
        role = Role(wanted.role.upper())
        found = await invitations.add_or_invite(db, team, wanted.email, role, by=actor)
    except AppError as error:
        return await _refused(request, db, actor, slug, error, form=form)
    if isinstance(found, UUID):
        return see(f"/teams/{slug}", "added")
    return see(f"/teams/{slug}/invitations", "invited")


@post("/teams/{slug:str}/members/{user_id:str}/role", permission=Permission.team_invite)
async def change_role(
    request: Request,
    db: DB,
    actor: CurrentActor,
    team: InTeam,
    slug: FromPath[str],
    user_id: FromPath[str],
    form: Form,
) -> Answer:
    try:
        wanted = struct(RoleChange, {"role": form.get("role", "")})
        id, role = ids.private("user", user_id), Role(wanted.role.upper())
        await service.change_role(db, team.team, id, role, by=actor)
    except AppError as error:
        return await _refused(request, db, actor, slug, error)
    return see(f"/teams/{slug}", "saved")


@post("/teams/{slug:str}/members/{user_id:str}/remove", permission=Permission.team_remove)
async def remove_member(
    request: Request,
    db: DB,
    actor: CurrentActor,
    team: InTeam,
    slug: FromPath[str],
    user_id: FromPath[str],
) -> Answer:
    try:
        await service.remove_member(db, team.team, ids.private("user", user_id), by=actor)
    except AppError as error:
        return await _refused(request, db, actor, slug, error)
    return see(f"/teams/{slug}", "removed")


@post("/teams/{slug:str}/leave", permission=Permission.team_read)
async def leave_team(
    request: Request, db: DB, actor: CurrentActor, team: InTeam, slug: FromPath[str]
) -> Answer:
    try:
        await service.leave(db, team.team, by=actor)
    except AppError as error:
        return await _refused(request, db, actor, slug, error)
    return see("/teams", "left")


async def _refused(
    request: Request,
    db: DB,
    actor: Actor,
    slug: str,
    error: AppError,
    *,
    form: Form | None = None,
) -> Answer:
    """The members once more, as they are, with the reason."""
    await db.rollback()
    team = await service.get_by_slug(db, slug, Permission.team_read, by=actor)
    return await _members(request, db, actor, team, form=form, error=error)


async def _members(
    request: Request,
    db: DB,
    actor: Actor,
    team: Membership,
    *,
    cursor: str | None = None,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    found = await listing.members(db, team.team.id, Query(limit=LIMIT_MAX, cursor=cursor))
    return page(
        request,
        "teams/members.html",
        error=error,
        user=actor,
        team=await listing.team(db, team.team.id, by=actor),
        me=ids.public("user", actor.id),
        members=found.items,
        cursor=found.cursor,
        roles=[
            (role.value.lower(), gettext(_ROLES[role])) for role in service.grantable(team.role)
        ],
        is_last_owner=await service.is_last_owner(db, team),
        values=forms.values(form or {}),
    )


@get("/teams/{slug:str}/invitations", permission=Permission.team_invite)
async def list_invitations(
    request: Request,
    db: DB,
    actor: CurrentActor,
    team: InTeam,
    cursor: FromQuery[str | None] = None,
) -> Answer:
    found = await listing.invitations(db, team.team.id, Query(cursor=cursor))
    return page(
        request,
        "teams/invitations.html",
        user=actor,
        team=await listing.team(db, team.team.id, by=actor),
        invitations=found.items,
        cursor=found.cursor,
    )


@post("/teams/{slug:str}/invitations/{invitation_id:str}/resend", permission=Permission.team_invite)
async def resend(
    db: DB, actor: CurrentActor, team: InTeam, slug: FromPath[str], invitation_id: FromPath[str]
) -> Answer:
    row = await invitations.get(db, team.team.id, ids.private("inv", invitation_id))
    await invitations.resend(db, team, row, by=actor)
    return see(f"/teams/{slug}/invitations", "invited")


@post("/teams/{slug:str}/invitations/{invitation_id:str}/revoke", permission=Permission.team_invite)
async def revoke(
    db: DB, actor: CurrentActor, team: InTeam, slug: FromPath[str], invitation_id: FromPath[str]
) -> Answer:
    row = await invitations.get(db, team.team.id, ids.private("inv", invitation_id))
    await invitations.revoke(db, row, by=actor)
    return see(f"/teams/{slug}/invitations", "withdrawn")


@get(
    ["/teams/{slug:str}/settings", "/teams/{slug:str}/delete", "/teams/{slug:str}/transfer"],
    permission=Permission.team_settings,
)
async def settings_form(request: Request, db: DB, actor: CurrentActor, team: InTeam) -> Answer:
    return await _settings(request, db, actor, team)


@post("/teams/{slug:str}/settings", permission=Permission.team_settings)
async def save_settings(
    request: Request, db: DB, actor: CurrentActor, team: InTeam, slug: FromPath[str], form: Form
) -> Answer:
    given = {name: forms.text(form, name) or "" for name in ("name", "slug")}
    try:
        wanted = struct(TeamChange, given)
        await service.change(db, team.team, wanted, by=actor)
    except AppError as error:
        return await _unchanged(request, db, actor, slug, form, error)
    return see(f"/teams/{team.team.slug}/settings", "saved")


@post("/teams/{slug:str}/transfer", permission=Permission.team_settings)
async def transfer(
    request: Request, db: DB, actor: CurrentActor, team: InTeam, slug: FromPath[str], form: Form
) -> Answer:
    try:
        heir = ids.private("user", form.get("user_id", ""))
        await service.hand_over(db, team.team, heir, by=actor)
    except AppError as error:
        return await _unchanged(request, db, actor, slug, form, error)
    return see(f"/teams/{slug}", "handed-over")


@post("/teams/{slug:str}/delete", permission=Permission.team_settings)
async def delete_team(
    request: Request, db: DB, actor: CurrentActor, team: InTeam, slug: FromPath[str], form: Form
) -> Answer:
    """What is typed must be the name: nobody can bring the memberships back."""
    try:
        if forms.text(form, "confirm") != team.team.name:
            raise invalid(
                "confirm", gettext("Type {name} to delete it").format(name=team.team.name)
            )
        await service.remove(db, team.team, by=actor)
    except AppError as error:
        return await _unchanged(request, db, actor, slug, form, error)
    return see("/teams", "deleted")


async def _unchanged(
    request: Request, db: DB, actor: Actor, slug: str, form: Form, error: AppError
) -> Answer:
    await db.rollback()
    team = await service.get_by_slug(db, slug, Permission.team_settings, by=actor)
    return await _settings(request, db, actor, team, form=form, error=error)


async def _settings(
    request: Request,
    db: DB,
    actor: Actor,
    team: Membership,
    *,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    shown = await listing.team(db, team.team.id, by=actor)
    everybody = await listing.members(db, team.team.id, Query(limit=LIMIT_MAX))
    kept: Values = {"name": shown.name, "slug": shown.slug}
    return page(
        request,
        "teams/settings.html",
        error=error,
        user=actor,
        team=shown,
        heirs=[
            (found.id, found.name or found.email or found.id)
            for found in everybody.items
            if found.id != ids.public("user", actor.id)
        ],
        values=kept | forms.values(form or {}),
    )


PAGES = [
    Router(
        "/",
        route_handlers=[list_teams, new_form, create_team, *answering_pages.HANDLERS],
        dependencies={"form": Provide(posts.provide_form)},
        include_in_schema=False,
    ),
    Router(
        "/",
        route_handlers=[
            show_team,
            add_member,
            change_role,
            remove_member,
            leave_team,
            list_invitations,
            resend,
            revoke,
            settings_form,
            save_settings,
            transfer,
            delete_team,
        ],
        dependencies={
            "form": Provide(posts.provide_form),
            "team": Provide(provide_team_by_slug),
        },
        include_in_schema=False,
    ),
]
