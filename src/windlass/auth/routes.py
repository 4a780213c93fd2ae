"""JSON: come in, go out, one's account, sessions, invitations."""

from typing import Any

from litestar import Response, Router, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from windlass.auth import (
    departing,
    entering,
    joining,
    limiting,
    profile,
    proving,
    recovering,
    service,
    sessions,
)
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.front import COOKIE
from windlass.auth.models import Purpose
from windlass.auth.permissions import Permission
from windlass.auth.schemas import (
    AccountChange,
    AccountOut,
    Address,
    Departure,
    DepartureOut,
    LinkSignIn,
    LinkToken,
    LossOut,
    PasswordChange,
    PasswordReset,
    SessionOut,
    Setup,
    SignedInOut,
    SignIn,
    SignUp,
    SignUpInvitationOut,
    SignUpInvite,
    UserOut,
)
from windlass.core import ids
from windlass.core.errors import invalid
from windlass.core.http import DB, Envelope, Request
from windlass.core.paging import LIMIT
from windlass.core.schemas import CursorText, Limit, Page


@post("/setup", public=True, status_code=200)
async def set_up(
    request: Request, system_db: SystemDB, data: JSONBody[Setup]
) -> Response[SignedInOut]:
    """Use the one-time link of the first start."""
    actor = await service.set_up(system_db, request.app.state.settings.folder / "keys", data)
    entered = await entering.enter(request, system_db, actor)
    return entering.answer(entered, as_token=False)


@post("/sign-up", public=True, rate="sign_in")
async def sign_up(
    request: Request, system_db: SystemDB, data: JSONBody[SignUp]
) -> Response[SignedInOut]:
    """Make an account, where that is open or with an invitation, and be signed in."""
    actor = await joining.sign_up(system_db, request.app.state.settings.auth, data)
    entered = await entering.enter(request, system_db, actor)
    return entering.answer(entered, as_token=data.token, status=201)


@post("/sign-in", public=True, rate="sign_in", status_code=200)
async def sign_in(
    request: Request, system_db: SystemDB, data: JSONBody[SignIn]
) -> Response[SignedInOut]:
    """Sign in with user name or e-mail, and password. The answer sets the session cookie, or, with
    `token: true`, holds the session as a Bearer token for programs."""
    if not data.who:
        raise invalid("login", "Login is required")
    await limiting.count_sign_in(request, data.who.lower())
    actor = await service.sign_in(system_db, data.who, data.password)
    entered = await entering.enter(request, system_db, actor)
    return entering.answer(entered, as_token=data.token)


@post("/magic-link", public=True, rate="forgot_password", status_code=202)
async def ask_magic_link(system_db: SystemDB, data: JSONBody[Address]) -> None:
    """Send a link that signs in to this address, if an account has it. The answer is always the
    same."""
    await recovering.ask(system_db, data.email, Purpose.sign_in)


@post("/magic-link/sign-in", public=True, rate="sign_in", status_code=200)
async def sign_in_by_link(
    request: Request, system_db: SystemDB, data: JSONBody[LinkSignIn]
) -> Response[SignedInOut]:
    """Sign in with the secret of a link that was sent. It works once, for 15 minutes."""
    actor = await recovering.sign_in(system_db, data.link)
    entered = await entering.enter(request, system_db, actor)
    return entering.answer(entered, as_token=data.token)


@post("/forgot-password", public=True, rate="forgot_password", status_code=202)
async def forgot_password(system_db: SystemDB, data: JSONBody[Address]) -> None:
    """Send a link to a new password to this address, if an account has it. The answer is always
    the same."""
    await recovering.ask(system_db, data.email, Purpose.reset_password)


@post("/reset-password", public=True, rate="sign_in", status_code=200)
async def reset_password(system_db: SystemDB, data: JSONBody[PasswordReset]) -> None:
    """Choose a new password with the secret of a link, once and within an hour. Every session of
    the account ends."""
    await recovering.reset_password(system_db, data.token, data.password)


@post(
    "/verify-email", permission=Permission.account, rate="sign_in", status_code=200, refuses=(410,)
)
async def verify_email(db: DB, data: JSONBody[LinkToken]) -> None:
    """Confirm one's own address with the secret of the link that was sent to it."""
    await recovering.confirm(db, data.token)


@post("/verify-email/send", permission=Permission.account, status_code=202)
async def send_confirmation(db: DB, actor: CurrentActor) -> None:
    """Send the link that confirms one's own address once more."""
    await recovering.ask_confirmation(db, actor)


@post("/sign-out", permission=Permission.account, suspended_too=True, status_code=200)
async def sign_out(db: DB, actor: CurrentActor) -> Response[None]:
    """End this session: what carries it opens nothing any more."""
    if actor.session_id is not None:
        await sessions.end(db, actor.session_id, by=actor)
    answer: Response[None] = Envelope(None)
    answer.delete_cookie(COOKIE)
    return answer


@post("/logout", permission=Permission.account, suspended_too=True, status_code=200)
async def log_out(db: DB, actor: CurrentActor) -> Response[None]:
    """Another name for sign-out (K-013)."""
    return await sign_out.fn(db, actor)


@get("/me", permission=Permission.account, any_scope=True)
async def me(actor: CurrentActor) -> UserOut:
    """Who is signed in."""
    return UserOut.of(actor)


@get("/account", permission=Permission.account)
async def show_account(db: DB, actor: CurrentActor) -> AccountOut:
    """One's own account in full."""
    return await profile.of(db, actor)


@patch("/account", permission=Permission.account)
async def change_account(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[AccountChange]
) -> AccountOut:
    """Change what is given: name, image, language, user name, e-mail. Another e-mail needs
    `currentPassword` and counts when the link that is sent there was opened."""
    await limiting.count_password(request, actor, data.current_password)
    return await profile.change(db, data, by=actor)


@get("/account/summary", permission=Permission.account)
async def summarise_account(system_db: SystemDB, actor: CurrentActor) -> DepartureOut:
    """What deleting the account would take along, and what stands in the way."""
    found = await departing.summary(system_db, actor.id)
    losses = [
        LossOut(
            kind=loss.kind,
            count=len(loss.names),
            names=list(loss.names[:50]),
            needs_consent=loss.needs_consent,
        )
        for loss in found.losses
    ]
    account = await profile.of(system_db, actor)
    return DepartureOut(account=account, losses=losses, reasons=found.reasons)


@delete("/account", permission=Permission.account, suspended_too=True, status_code=200)
async def delete_account(
    request: Request,
    system_db: SystemDB,
    actor: CurrentActor,
    data: JSONBody[Departure],
    hard: FromQuery[bool] = False,
) -> Response[None]:
    """Delete one's own account: sessions, tokens and memberships end, name and address go. With
    `hard` its row goes too. What happened stays on record. Sets nothing right that the summary
    names as a reason: then it is 409."""
    await limiting.count_password(request, actor, data.password)
    await proving.require_password(system_db, actor, data.password)
    await departing.leave(system_db, actor, along=data.delete_along, is_hard=hard)
    answer: Response[Any] = Envelope(None)
    answer.delete_cookie(COOKIE)
    return answer


@post("/password", permission=Permission.account, status_code=200)
async def change_password(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[PasswordChange]
) -> None:
    """Change the password; every other session ends."""
    await limiting.count_password(request, actor, data.current)
    await service.change_password(db, actor, current=data.current, new=data.new)


@get("/sessions", permission=Permission.account)
async def list_sessions(
    db: DB,
    actor: CurrentActor,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[SessionOut]:
    """Where one is signed in, the newest sign-in first."""
    rows, after = await sessions.of(db, actor, limit=limit, cursor=cursor)
    return Page([SessionOut.of(row, actor) for row in rows], after)


@delete("/sessions/{session_id:str}", permission=Permission.account)
async def end_session(db: DB, actor: CurrentActor, session_id: FromPath[str]) -> None:
    """Sign one session out."""
    await sessions.end(db, ids.private("sess", session_id), by=actor)


@delete("/sessions", permission=Permission.account)
async def end_other_sessions(db: DB, actor: CurrentActor) -> None:
    """Sign every session out except the one that asks."""
    await sessions.end_others(db, by=actor)


@get("/invitations", permission=Permission.admin_read)
async def list_sign_up_invitations(
    system_db: SystemDB,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[SignUpInvitationOut]:
    """Who was invited to sign up, the last first."""
    rows, after = await joining.invitations(system_db, limit=limit, cursor=cursor)
    return Page([SignUpInvitationOut.of(row) for row in rows], after)


@post("/invitations", permission=Permission.admin_write)
async def invite_to_sign_up(
    system_db: SystemDB, actor: CurrentActor, data: JSONBody[SignUpInvite]
) -> SignUpInvitationOut:
    """Invite an address to sign up. It gets a link by mail that works for seven days."""
    return SignUpInvitationOut.of(await joining.invite(system_db, data.email, by=actor))


@delete("/invitations/{invitation_id:str}", permission=Permission.admin_write)
async def revoke_sign_up_invitation(
    system_db: SystemDB, actor: CurrentActor, invitation_id: FromPath[str]
) -> None:
    """Withdraw an invitation; its link leads nowhere any more."""
    id = ids.private("sinv", invitation_id)
    await joining.revoke_invitation(system_db, id, by=actor)


router = Router(
    "/api/auth",
    route_handlers=[
        set_up,
        sign_up,
        sign_in,
        ask_magic_link,
        sign_in_by_link,
        forgot_password,
        reset_password,
        verify_email,
        send_confirmation,
        sign_out,
        log_out,
        me,
        show_account,
        change_account,
        summarise_account,
        delete_account,
        change_password,
        list_sessions,
        end_session,
        end_other_sessions,
        list_sign_up_invitations,
        invite_to_sign_up,
        revoke_sign_up_invitation,
    ],
    tags=["Accounts"],
)
