"""Pages: set up, sign in, sign out, one's account."""

from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromPath

from windlass.auth import cookies, limiting, service, sessions
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.front import COOKIE
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.auth.schemas import (
    PasswordChange,
    ProfileChange,
    Setup,
    SignIn,
    TokenCreate,
    TokenOut,
)
from windlass.core import ids
from windlass.core.errors import AppError
from windlass.core.http import DB, Request
from windlass.web import forms, posts
from windlass.web.page import THEME_COOKIE, THEMES, local_path, page
from windlass.web.posts import Answer, Form, Problem, see, status_of, struct


@get("/", public=True)
async def home() -> Answer:
    """The projects are the first page; who is not signed in is led to the sign-in from there."""
    return see("/projects")


@get("/sign-in", public=True)
async def sign_in_form(request: Request) -> Answer:
    target = local_path(request.query_params.get("next"))
    if request.scope["state"].get("actor") is not None:
        return see(target)
    return page(request, "auth/sign_in.html", next=target, values={}, errors={})


@post("/sign-in", public=True, rate="sign_in")
async def sign_in(request: Request, system_db: SystemDB, form: Form) -> Answer:
    target = local_path(form.get("next"))
    try:
        wanted = struct(
            SignIn, {"email": forms.text(form, "email"), "password": form.get("password")}
        )
        await limiting.count(request, "sign_in", of=wanted.email.lower())
        actor = await service.sign_in(system_db, wanted.email, wanted.password)
    except AppError as error:
        await system_db.rollback()
        return page(
            request,
            "auth/sign_in.html",
            http_status=status_of(error),
            next=target,
            values=forms.values(form),
            errors=forms.errors(error),
        )
    answer = see(target)
    answer.set_cookie(await cookies.open_session(request, system_db, actor))
    return answer


@post("/sign-out", permission=Permission.account)
async def sign_out(db: DB, actor: CurrentActor) -> Answer:
    if actor.session_id is not None:
        await sessions.end(db, actor.session_id, by=actor)
    answer = see("/sign-in", "signed-out")
    answer.delete_cookie(COOKIE)
    return answer


@get("/setup", public=True)
async def set_up_form(request: Request, system_db: SystemDB) -> Answer:
    token = request.query_params.get("token", "")
    keys = request.app.state.settings.folder / "keys"
    spent = not await service.may_set_up(system_db, keys, token)
    return page(
        request,
        "auth/setup.html",
        http_status=410 if spent else 200,
        token=token,
        spent=spent,
        values={},
        errors={},
    )


@post("/setup", public=True)
async def set_up(request: Request, system_db: SystemDB, form: Form) -> Answer:
    token = form.get("token", "")
    keys = request.app.state.settings.folder / "keys"
    try:
        wanted = struct(
            Setup,
            {
                "token": token,
                "email": forms.text(form, "email"),
                "password": form.get("password") or None,
                "name": forms.text(form, "name"),
            },
            also=_differing(form),
        )
        actor = await service.set_up(
            system_db,
            keys,
            token=wanted.token,
            email=wanted.email,
            password=wanted.password,
            name=wanted.name,
        )
    except AppError as error:
        await system_db.rollback()
        spent = not await service.may_set_up(system_db, keys, token)
        return page(
            request,
            "auth/setup.html",
            http_status=410 if spent else status_of(error),
            token=token,
            spent=spent,
            values=forms.values(form),
            errors=forms.errors(error),
        )
    answer = see("/projects")
    answer.set_cookie(await cookies.open_session(request, system_db, actor))
    return answer


def _differing(form: Form) -> list[Problem]:
    """Typed twice, so that a slip does not lock the owner out."""
    if form.get("password", "") == form.get("password_again", ""):
        return []
    return [{"field": "password_again", "message": "The two passwords differ"}]


# A form with a mistake in it stands at the address it was sent to, and can be asked for again.
@get(
    ["/account", "/account/profile", "/account/password", "/account/tokens"],
    permission=Permission.account,
)
async def account(request: Request, db: DB, actor: CurrentActor) -> Answer:
    return await _account(request, db, actor)


async def _account(
    request: Request,
    db: DB,
    actor: Actor,
    *,
    status: int = 200,
    made: TokenOut | None = None,
    values: dict[str, str | bool] | None = None,
    errors: dict[str, str] | None = None,
) -> Answer:
    tokens = [TokenOut.of(row) for row in await service.tokens(db, actor)]
    return page(
        request,
        "auth/account.html",
        http_status=status,
        user=actor,
        tokens=tokens,
        new_token=made.token if made else None,
        new_token_name=made.name if made else None,
        values={"name": actor.name or "", "email": actor.email or ""} | (values or {}),
        errors=errors or {},
    )


@post("/account/profile", permission=Permission.account)
async def change_profile(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    try:
        wanted = struct(
            ProfileChange, {"name": forms.text(form, "name"), "email": forms.text(form, "email")}
        )
        await service.change_profile(db, actor, name=wanted.name, email=wanted.email)
    except AppError as error:
        errors = posts.renamed(forms.errors(error), {"form": "email"})
        return await _refused(request, db, actor, form, error, errors)
    return see("/account", "saved")


@post("/account/password", permission=Permission.account)
async def change_password(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    try:
        wanted = struct(
            PasswordChange,
            {"current": form.get("current_password", ""), "new": form.get("password") or None},
            also=_differing(form),
        )
        await service.change_password(db, actor, current=wanted.current, new=wanted.new)
    except AppError as error:
        names = {"form": "current_password", "current": "current_password", "new": "password"}
        errors = posts.renamed(forms.errors(error), names)
        return await _refused(request, db, actor, form, error, errors)
    return see("/account", "password")


@post("/account/tokens", permission=Permission.account)
async def create_token(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    """The answer is the page itself: the token is shown this once and kept nowhere."""
    try:
        wanted = struct(TokenCreate, {"name": forms.text(form, "token_name")})
        row, token = await service.create_token(db, wanted.name, by=actor)
    except AppError as error:
        errors = posts.renamed(forms.errors(error), {"name": "token_name"})
        return await _refused(request, db, actor, form, error, errors)
    return await _account(request, db, actor, made=TokenOut.of(row, token))


@post("/account/tokens/{token_id:str}/revoke", permission=Permission.account)
async def revoke_token(db: DB, actor: CurrentActor, token_id: FromPath[str]) -> Answer:
    await service.revoke_token(db, ids.private("tok", token_id), by=actor)
    return see("/account", "revoked")


async def _refused(
    request: Request,
    db: DB,
    actor: Actor,
    form: Form,
    error: AppError,
    errors: dict[str, str],
) -> Answer:
    await db.rollback()
    status, values = status_of(error), forms.values(form)
    return await _account(request, db, actor, status=status, values=values, errors=errors)


@post("/account/theme", public=True)
async def choose_theme(request: Request, form: Form) -> Answer:
    """For browsers without scripts; with them the cookie is set in the page."""
    answer = see(local_path(form.get("next")))
    if (theme := form.get("theme")) in THEMES:
        answer.set_cookie(cookies.theme(request, THEME_COOKIE, theme))
    return answer


PAGES = [
    Router(
        "/",
        route_handlers=[
            home,
            sign_in_form,
            sign_in,
            sign_out,
            set_up_form,
            set_up,
            account,
            change_profile,
            change_password,
            create_token,
            revoke_token,
            choose_theme,
        ],
        dependencies={"form": Provide(posts.provide_form)},
        include_in_schema=False,
    )
]
