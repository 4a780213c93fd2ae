"""Pages: the platform as its administrators see it."""

from typing import get_args

from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromPath, FromQuery
from msgspec.structs import replace

from windlass.admin import listing, service
from windlass.admin.asking import Asked, provide_asked
from windlass.admin.schemas import PersonChange, State
from windlass.auth import joining
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.models import Actor, Plan
from windlass.auth.permissions import Permission
from windlass.auth.schemas import SignUpInvitationOut, SignUpInvite
from windlass.core import ids
from windlass.core.errors import AppError
from windlass.core.http import Request
from windlass.deployments import disk
from windlass.web import forms, posts
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see, struct

_PLANS = [(plan.value.lower(), plan.value.capitalize()) for plan in Plan]


@get("/admin", permission=Permission.admin_read)
async def show_overview(request: Request, system_db: SystemDB, actor: CurrentActor) -> Answer:
    counts = await listing.overview(system_db)
    return page(request, "admin/overview.html", user=actor, counts=counts)


@get("/admin/disk", permission=Permission.admin_read)
async def show_disk(request: Request, system_db: SystemDB, actor: CurrentActor) -> Answer:
    settings = request.app.state.settings
    found = await disk.usage(system_db, settings.folder)
    return page(request, "admin/disk.html", user=actor, usage=found, budget=settings.disk)


@get("/admin/users", permission=Permission.admin_read)
async def list_users(
    request: Request,
    system_db: SystemDB,
    actor: CurrentActor,
    asked: Asked,
    status: FromQuery[str] = "",
) -> Answer:
    status = status if status in get_args(State) else ""
    found = await listing.people(system_db, replace(asked, state=status or None))
    return page(
        request,
        "admin/users.html",
        user=actor,
        people=found.items,
        cursor=found.cursor,
        search=asked.search or "",
        status=status,
    )


# A form with a mistake in it stands at the address it was sent to, and can be asked for again.
@get(
    [
        "/admin/users/{user_id:str}",
        "/admin/users/{user_id:str}/suspend",
        "/admin/users/{user_id:str}/plan",
        "/admin/users/{user_id:str}/admin",
    ],
    permission=Permission.admin_read,
)
async def show_user(
    request: Request, system_db: SystemDB, actor: CurrentActor, user_id: FromPath[str]
) -> Answer:
    return await _user(request, system_db, actor, user_id)


@post("/admin/users/{user_id:str}/suspend", permission=Permission.admin_write)
async def suspend(
    request: Request, system_db: SystemDB, actor: CurrentActor, user_id: FromPath[str]
) -> Answer:
    try:
        await service.suspend(system_db, ids.private("user", user_id), by=actor)
    except AppError as error:
        return await _refused(request, system_db, actor, user_id, error)
    return see(f"/admin/users/{user_id}", "suspended")


@post("/admin/users/{user_id:str}/lift", permission=Permission.admin_write)
async def lift(system_db: SystemDB, actor: CurrentActor, user_id: FromPath[str]) -> Answer:
    await service.lift(system_db, ids.private("user", user_id), by=actor)
    return see(f"/admin/users/{user_id}", "lifted")


@post("/admin/users/{user_id:str}/sign-out", permission=Permission.admin_write)
async def sign_out(system_db: SystemDB, actor: CurrentActor, user_id: FromPath[str]) -> Answer:
    await service.sign_out_everywhere(system_db, ids.private("user", user_id), by=actor)
    if ids.private("user", user_id) == actor.id:
        return see("/sign-in", "signed-out")
    return see(f"/admin/users/{user_id}", "signed-out-everywhere")


@post("/admin/users/{user_id:str}/plan", permission=Permission.admin_write)
async def set_plan(
    request: Request, system_db: SystemDB, actor: CurrentActor, user_id: FromPath[str], form: Form
) -> Answer:
    try:
        wanted = struct(PersonChange, {"plan": form.get("plan", "")})
        id, plan = ids.private("user", user_id), Plan(str(wanted.plan).upper())
        await service.set_plan(system_db, id, plan, by=actor)
    except AppError as error:
        return await _refused(request, system_db, actor, user_id, error)
    return see(f"/admin/users/{user_id}", "saved")


@post("/admin/users/{user_id:str}/admin", permission=Permission.admin_write)
async def set_admin(
    request: Request, system_db: SystemDB, actor: CurrentActor, user_id: FromPath[str], form: Form
) -> Answer:
    id, is_admin = ids.private("user", user_id), forms.checked(form, "is_admin")
    try:
        await service.set_admin(system_db, id, is_admin, by=actor)
    except AppError as error:
        return await _refused(request, system_db, actor, user_id, error)
    if id == actor.id and not is_admin:
        return see("/projects", "saved")
    return see(f"/admin/users/{user_id}", "saved")


async def _refused(
    request: Request, system_db: SystemDB, actor: Actor, user_id: str, error: AppError
) -> Answer:
    await system_db.rollback()
    return await _user(request, system_db, actor, user_id, error=error)


async def _user(
    request: Request,
    system_db: SystemDB,
    actor: Actor,
    user_id: str,
    *,
    error: AppError | None = None,
) -> Answer:
    return page(
        request,
        "admin/user.html",
        error=error,
        user=actor,
        person=await listing.person(system_db, ids.private("user", user_id)),
        is_me=ids.private("user", user_id) == actor.id,
        plans=_PLANS,
    )


@get("/admin/teams", permission=Permission.admin_read)
async def list_teams(
    request: Request,
    system_db: SystemDB,
    actor: CurrentActor,
    asked: Asked,
) -> Answer:
    found = await listing.teams(system_db, asked)
    return page(
        request,
        "admin/teams.html",
        user=actor,
        teams=found.items,
        cursor=found.cursor,
        search=asked.search or "",
    )


@get("/admin/projects", permission=Permission.admin_read)
async def list_projects(
    request: Request,
    system_db: SystemDB,
    actor: CurrentActor,
    asked: Asked,
) -> Answer:
    found = await listing.projects(system_db, asked)
    return page(
        request,
        "admin/projects.html",
        user=actor,
        projects=found.items,
        cursor=found.cursor,
        search=asked.search or "",
    )


@get("/admin/invitations", permission=Permission.admin_read)
async def list_invitations(request: Request, system_db: SystemDB, actor: CurrentActor) -> Answer:
    return await _invitations(request, system_db, actor)


@post("/admin/invitations", permission=Permission.admin_write)
async def invite(request: Request, system_db: SystemDB, actor: CurrentActor, form: Form) -> Answer:
    try:
        wanted = struct(SignUpInvite, {"email": forms.text(form, "email")})
        await joining.invite(system_db, wanted.email, by=actor)
    except AppError as error:
        await system_db.rollback()
        return await _invitations(request, system_db, actor, form=form, error=error)
    return see("/admin/invitations", "invited")


@post("/admin/invitations/{invitation_id:str}/revoke", permission=Permission.admin_write)
async def revoke(system_db: SystemDB, actor: CurrentActor, invitation_id: FromPath[str]) -> Answer:
    id = ids.private("sinv", invitation_id)
    await joining.revoke_invitation(system_db, id, by=actor)
    return see("/admin/invitations", "withdrawn")


async def _invitations(
    request: Request,
    system_db: SystemDB,
    actor: Actor,
    *,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    rows, after = await joining.invitations(system_db, cursor=request.query_params.get("cursor"))
    return page(
        request,
        "admin/invitations.html",
        error=error,
        user=actor,
        invitations=[SignUpInvitationOut.of(row) for row in rows],
        cursor=after,
        sign_up=request.app.state.settings.auth.sign_up,
        values=forms.values(form or {}),
    )


PAGES = [
    Router(
        "/",
        route_handlers=[
            show_overview,
            show_disk,
            list_users,
            show_user,
            suspend,
            lift,
            sign_out,
            set_plan,
            set_admin,
            list_teams,
            list_projects,
            list_invitations,
            invite,
            revoke,
        ],
        dependencies={"form": Provide(posts.provide_form), "asked": Provide(provide_asked)},
        include_in_schema=False,
    )
]
