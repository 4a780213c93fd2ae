"""Pages of one's own account: profile, security, and the way to delete it."""

from litestar import get, post
from litestar.params import FromPath

from windlass.auth import departing, limiting, profile, proving, recovering, service, sessions
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.front import COOKIE
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.auth.schemas import (
    AccountChange,
    Departure,
    PasswordChange,
    SessionOut,
)
from windlass.core import ids
from windlass.core.errors import AppError, invalid
from windlass.core.http import DB, Request
from windlass.core.languages import N_
from windlass.web import forms, posts
from windlass.web.page import page
from windlass.web.posts import Answer, Form, see, struct

_WORDS = {"image": N_("Use the address of a picture that begins with https://")}


# A form with a mistake in it stands at the address it was sent to, and can be asked for again.
@get(["/account", "/account/profile"], permission=Permission.account)
async def show_profile(request: Request, db: DB, actor: CurrentActor) -> Answer:
    return await _profile(request, db, actor)


@post("/account/profile", permission=Permission.account)
async def change_profile(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    given: dict[str, object] = {
        "name": forms.text(form, "name"),
        "image": forms.text(form, "image"),
        "language": forms.text(form, "language"),
        "current_password": form.get("current_password") or None,
    }
    for field in ("username", "email"):
        if (typed := forms.text(form, field)) is not None:
            given[field] = typed
    try:
        wanted = struct(AccountChange, given, words=_WORDS)
        await limiting.count_password(request, actor, wanted.current_password)
        changed = await profile.change(db, wanted, by=actor)
    except AppError as error:
        await db.rollback()
        return await _profile(request, db, actor, form=form, error=error)
    return see("/account", "new-email" if changed.pending_email else "saved")


async def _profile(
    request: Request,
    db: DB,
    actor: Actor,
    *,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    found = await profile.of(db, actor)
    kept: posts.Values = {
        "name": found.name or "",
        "image": found.image or "",
        "username": found.username or "",
        "email": found.email or "",
        "language": found.language or "",
    }
    return page(
        request,
        "auth/account/profile.html",
        error=error,
        renamed={"form": "current_password"} if error and error.status == 400 else {},
        user=actor,
        account=found,
        values=kept | forms.values(form or {}),
    )


@post("/account/confirmation", permission=Permission.account)
async def send_confirmation(db: DB, actor: CurrentActor) -> Answer:
    await recovering.ask_confirmation(db, actor)
    return see("/account", "confirmation")


@get(["/account/security", "/account/password"], permission=Permission.account)
async def show_security(request: Request, db: DB, actor: CurrentActor) -> Answer:
    return await _security(request, db, actor)


@post("/account/password", permission=Permission.account)
async def change_password(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    try:
        wanted = struct(
            PasswordChange,
            {"current": form.get("current_password", ""), "new": form.get("password") or None},
            also=posts.differing(form),
        )
        await limiting.count_password(request, actor, wanted.current)
        await service.change_password(db, actor, current=wanted.current, new=wanted.new)
    except AppError as error:
        await db.rollback()
        return await _security(request, db, actor, error=error)
    return see("/account/security", "password")


@post("/account/sessions/{session_id:str}/end", permission=Permission.account)
async def end_session(db: DB, actor: CurrentActor, session_id: FromPath[str]) -> Answer:
    await sessions.end(db, ids.private("sess", session_id), by=actor)
    return see("/account/security", "session")


@post("/account/sessions/end-others", permission=Permission.account)
async def end_other_sessions(db: DB, actor: CurrentActor) -> Answer:
    await sessions.end_others(db, by=actor)
    return see("/account/security", "sessions")


async def _security(
    request: Request, db: DB, actor: Actor, *, error: AppError | None = None
) -> Answer:
    rows, after = await sessions.of(db, actor, cursor=request.query_params.get("cursor"))
    found = await profile.of(db, actor)
    return page(
        request,
        "auth/account/security.html",
        error=error,
        renamed={"form": "current_password", "current": "current_password", "new": "password"},
        user=actor,
        account=found,
        sessions=[SessionOut.of(row, actor) for row in rows],
        cursor=after,
    )


@get("/account/delete", permission=Permission.account)
async def show_delete(request: Request, system_db: SystemDB, actor: CurrentActor) -> Answer:
    return await _delete(request, system_db, actor)


@post("/account/delete", permission=Permission.account)
async def delete_account(
    request: Request, system_db: SystemDB, actor: CurrentActor, form: Form
) -> Answer:
    """What is deleted along was listed beside the box that was ticked."""
    try:
        wanted = struct(
            Departure,
            {
                "password": form.get("password") or None,
                "delete_along": [n[6:] for n in form if n.startswith("along.")],
            },
        )
        if form.get("confirm", "").strip().lower() != (actor.username or actor.email):
            raise invalid("confirm", N_("This is not the name of the account"))
        await limiting.count_password(request, actor, wanted.password)
        await proving.require_password(system_db, actor, wanted.password)
        is_hard = forms.checked(form, "hard")
        await departing.leave(system_db, actor, along=wanted.delete_along, is_hard=is_hard)
    except AppError as error:
        await system_db.rollback()
        return await _delete(request, system_db, actor, form=form, error=error)
    answer = see("/sign-in", "account-deleted")
    answer.delete_cookie(COOKIE)
    return answer


async def _delete(
    request: Request,
    system_db: SystemDB,
    actor: Actor,
    *,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    found = await departing.summary(system_db, actor.id)
    account = await profile.of(system_db, actor)
    return page(
        request,
        "auth/account/delete.html",
        error=error,
        renamed={"form": "password"} if error and error.status == 400 else {},
        user=actor,
        account=account,
        losses=found.losses,
        reasons=found.reasons,
        values=forms.values(form or {}),
    )


HANDLERS = [
    show_profile,
    change_profile,
    send_confirmation,
    show_security,
    change_password,
    end_session,
    end_other_sessions,
    show_delete,
    delete_account,
]
