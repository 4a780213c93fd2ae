"""Pages around links in mails: asking for one, and what stands behind each.

Opening a link shows a page with a button. Only the button uses the link up, because programs that
scan mail open every link in it.
"""

from litestar import get, post
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import entering, links, recovering
from windlass.auth.deps import SystemDB
from windlass.auth.front import COOKIE
from windlass.auth.models import Purpose
from windlass.auth.permissions import Permission
from windlass.auth.schemas import Address, LinkSignIn, LinkToken, PasswordReset
from windlass.core.errors import AppError, Gone
from windlass.core.http import DB, Request
from windlass.web import forms, posts
from windlass.web.page import local_path, page
from windlass.web.posts import Answer, Form, see, struct


@get("/forgot-password", public=True)
async def forgot_form(request: Request) -> Answer:
    return _ask(request, Purpose.reset_password)


@post("/forgot-password", public=True, rate="forgot_password")
async def forgot(request: Request, system_db: SystemDB, form: Form) -> Answer:
    return await _asked(request, system_db, form, Purpose.reset_password)


@get("/magic-link", public=True)
async def magic_link_form(request: Request) -> Answer:
    return _ask(request, Purpose.sign_in)


@post("/magic-link", public=True, rate="forgot_password")
async def magic_link(request: Request, system_db: SystemDB, form: Form) -> Answer:
    return await _asked(request, system_db, form, Purpose.sign_in)


async def _asked(request: Request, system_db: SystemDB, form: Form, purpose: Purpose) -> Answer:
    """The same page for every address."""
    try:
        wanted = struct(Address, {"email": forms.text(form, "email")})
        await recovering.ask(system_db, wanted.email, purpose)
    except AppError as error:
        return _ask(request, purpose, form=form, error=error)
    return _ask(request, purpose, form=form, sent=True)


def _ask(
    request: Request,
    purpose: Purpose,
    *,
    form: Form | None = None,
    error: AppError | None = None,
    sent: bool = False,
) -> Answer:
    return page(
        request,
        "auth/ask_link.html",
        error=error,
        is_reset=purpose is Purpose.reset_password,
        sent=sent,
        values=forms.values(form or {}),
    )


@get("/sign-in/link", public=True)
async def sign_in_link_form(request: Request, system_db: SystemDB) -> Answer:
    return await _link(request, system_db, Purpose.sign_in, _token(request))


@post("/sign-in/link", public=True, rate="sign_in")
async def sign_in_link(request: Request, system_db: SystemDB, form: Form) -> Answer:
    try:
        wanted = struct(LinkSignIn, {"link": form.get("token", "")})
        actor = await recovering.sign_in(system_db, wanted.link)
    except AppError:
        await system_db.rollback()
        return _spent(request, Purpose.sign_in)
    return entering.go_on(
        await entering.enter(request, system_db, actor), local_path(form.get("next"))
    )


@get("/verify-email", permission=Permission.account)
async def verify_form(request: Request, db: DB) -> Answer:
    return await _link(request, db, Purpose.verify_email, _token(request))


@post("/verify-email", permission=Permission.account, rate="sign_in")
async def verify(request: Request, db: DB, form: Form) -> Answer:
    try:
        wanted = struct(LinkToken, {"token": form.get("token", "")})
        await recovering.confirm(db, wanted.token)
    except Gone:
        await db.rollback()
        return _spent(request, Purpose.verify_email)
    except AppError as error:
        await db.rollback()
        return _spent(request, Purpose.verify_email, error=error)
    return see("/account", "confirmed")


@get("/reset-password", public=True)
async def reset_form(request: Request, system_db: SystemDB) -> Answer:
    return await _reset(request, system_db, _token(request))


@post("/reset-password", public=True, rate="sign_in")
async def reset(request: Request, system_db: SystemDB, form: Form) -> Answer:
    try:
        wanted = struct(
            PasswordReset,
            {"token": form.get("token", ""), "password": form.get("password") or None},
            also=posts.differing(form),
        )
        await recovering.reset_password(system_db, wanted.token, wanted.password)
    except AppError as error:
        await system_db.rollback()
        return await _reset(request, system_db, form.get("token", ""), error=error)
    answer = see("/sign-in", "reset")
    answer.delete_cookie(COOKIE)
    return answer


async def _reset(
    request: Request, system_db: SystemDB, token: str, *, error: AppError | None = None
) -> Answer:
    try:
        link = await links.look(system_db, token, Purpose.reset_password)
    except Gone:
        return _spent(request, Purpose.reset_password)
    return page(
        request,
        "auth/reset.html",
        error=error,
        token=token,
        email=link.email,
    )


async def _link(request: Request, db: AsyncSession, purpose: Purpose, token: str) -> Answer:
    """What the link is for, and the button."""
    try:
        link = await links.look(db, token, purpose)
    except Gone:
        return _spent(request, purpose)
    return page(
        request,
        "auth/link.html",
        action=_ACTIONS[purpose],
        is_sign_in=purpose is Purpose.sign_in,
        token=token,
        email=link.email,
    )


_ACTIONS = {Purpose.sign_in: "/sign-in/link", Purpose.verify_email: "/verify-email"}


def _spent(request: Request, purpose: Purpose, *, error: AppError | None = None) -> Answer:
    return page(
        request,
        "auth/link_spent.html",
        http_status=error.status if error else 410,
        problem=error.message if error else None,
        purpose=purpose.value,
    )


def _token(request: Request) -> str:
    return request.query_params.get("token", "")


HANDLERS = [
    forgot_form,
    forgot,
    magic_link_form,
    magic_link,
    sign_in_link_form,
    sign_in_link,
    verify_form,
    verify,
    reset_form,
    reset,
]
