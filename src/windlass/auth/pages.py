"""Pages of who is not signed in: set up, sign up, sign in; and the way out."""

from litestar import Router, get, post
from litestar.di import Provide

from windlass.auth import (
    account_pages,
    cookies,
    device_pages,
    entering,
    factor_routes,
    joining,
    limiting,
    link_pages,
    passkeys,
    provider_routes,
    second_pages,
    service,
    sessions,
    token_pages,
    ways_pages,
)
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.factor_schemas import Assertion
from windlass.auth.front import COOKIE
from windlass.auth.permissions import Permission
from windlass.auth.schemas import Setup, SignIn, SignUp
from windlass.core import languages
from windlass.core.errors import AppError, Forbidden, Gone
from windlass.core.http import DB, Request
from windlass.core.languages import N_
from windlass.web import forms, posts, speaking
from windlass.web.page import THEME_COOKIE, THEMES, local_path, page
from windlass.web.posts import Answer, Form, Problem, see, struct


@get("/", public=True)
async def home() -> Answer:
    """The projects are the first page; who is not signed in is led to the sign-in from there."""
    return see("/projects")


# `/login?redirect=` is how old links and the documents say it (C-040).
@get(["/sign-in", "/login"], public=True)
async def sign_in_form(request: Request) -> Answer:
    asked = request.query_params
    target = local_path(asked.get("next") or asked.get("redirect"))
    if request.scope["state"].get("actor") is not None:
        return see(target)
    return _sign_in(request, target)


@post("/sign-in", public=True, rate="sign_in")
async def sign_in(request: Request, system_db: SystemDB, form: Form) -> Answer:
    target = local_path(form.get("next"))
    try:
        wanted = struct(
            SignIn,
            {"login": form.get("login", ""), "password": form.get("password") or None},
            also=[] if forms.text(form, "login") else [_NOBODY],
        )
        await limiting.count_sign_in(request, wanted.who.lower())
        actor = await service.sign_in(system_db, wanted.who, wanted.password)
    except AppError as error:
        await system_db.rollback()
        return _sign_in(request, target, form=form, error=error)
    return entering.go_on(await entering.enter(request, system_db, actor), target)


@post("/sign-in/passkey", public=True, rate="sign_in")
async def sign_in_by_passkey(request: Request, system_db: SystemDB, form: Form) -> Answer:
    """A passkey is both factors at once."""
    target = local_path(form.get("next"))
    try:
        credential = passkeys.read(form.get("credential", ""), Assertion)
        user = await factor_routes.owner_of_passkey(request, system_db, credential)
    except AppError as error:
        await system_db.rollback()
        return _sign_in(request, target, error=error)
    actor = service.actor_of(user)
    return entering.go_on(await entering.open_door(request, system_db, actor), target)


_NOBODY: Problem = {"field": "login", "message": N_("User name or e-mail is required")}


def _sign_in(
    request: Request, target: str, *, form: Form | None = None, error: AppError | None = None
) -> Answer:
    return page(
        request,
        "auth/sign_in.html",
        error=error,
        next=target,
        may_sign_up=request.app.state.settings.auth.sign_up == "open",
        ways=provider_routes.ways(request),
        values=forms.values(form or {}),
    )


@get("/sign-up", public=True)
async def sign_up_form(request: Request, system_db: SystemDB) -> Answer:
    target = local_path(request.query_params.get("next"))
    if request.scope["state"].get("actor") is not None:
        return see(target)
    return await _sign_up(
        request, system_db, request.query_params.get("invitation", ""), target=target
    )


@post("/sign-up", public=True, rate="sign_in")
async def sign_up(request: Request, system_db: SystemDB, form: Form) -> Answer:
    target = local_path(form.get("next"))
    invitation = form.get("invitation", "")
    try:
        wanted = struct(
            SignUp,
            {
                "username": forms.text(form, "username"),
                "email": forms.text(form, "email"),
                "name": forms.text(form, "name"),
                "password": form.get("password") or None,
                "invitation": invitation or None,
            },
        )
        actor = await joining.sign_up(system_db, request.app.state.settings.auth, wanted)
    except AppError as error:
        await system_db.rollback()
        return await _sign_up(request, system_db, invitation, target=target, form=form, error=error)
    return entering.go_on(await entering.enter(request, system_db, actor), target)


async def _sign_up(
    request: Request,
    system_db: SystemDB,
    invitation: str,
    *,
    target: str,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    """The form, or the reason why there is none."""
    refused, email = None, ""
    try:
        rules = request.app.state.settings.auth
        await joining.check_open(system_db, rules, invitation or None)
        email = await joining.invited_email(system_db, invitation) if invitation else ""
    except (Forbidden, Gone) as found:
        refused = found
    return page(
        request,
        "auth/sign_up.html",
        error=error,
        http_status=refused.status if refused else None,
        next=target,
        invitation=invitation,
        refused=refused.message if refused else None,
        is_invited=bool(email),
        values={"email": email, **forms.values(form or {})},
    )


@post("/sign-out", permission=Permission.account, suspended_too=True)
async def sign_out(db: DB, actor: CurrentActor) -> Answer:
    if actor.session_id is not None:
        await sessions.end(db, actor.session_id, by=actor)
    answer = see("/sign-in", "signed-out")
    answer.delete_cookie(COOKIE)
    return answer


@get("/setup", public=True)
async def set_up_form(request: Request, system_db: SystemDB) -> Answer:
    return await _set_up(request, system_db, request.query_params.get("token", ""))


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
                "username": forms.text(form, "username"),
                "password": form.get("password") or None,
                "name": forms.text(form, "name"),
            },
            also=posts.differing(form),
        )
        actor = await service.set_up(system_db, keys, wanted)
    except AppError as error:
        await system_db.rollback()
        return await _set_up(request, system_db, token, form=form, error=error)
    return entering.go_on(await entering.enter(request, system_db, actor), "/projects")


async def _set_up(
    request: Request,
    system_db: SystemDB,
    token: str,
    *,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    keys = request.app.state.settings.folder / "keys"
    spent = not await service.may_set_up(system_db, keys, token)
    return page(
        request,
        "auth/setup.html",
        error=error,
        http_status=410 if spent else None,
        token=token,
        spent=spent,
        values=forms.values(form or {}),
    )


@post("/account/theme", public=True)
async def choose_theme(request: Request, form: Form) -> Answer:
    """For browsers without scripts; with them the cookie is set in the page."""
    answer = see(local_path(form.get("next")))
    if (theme := form.get("theme")) in THEMES:
        answer.set_cookie(cookies.theme(request, THEME_COOKIE, theme))
    return answer


@post("/language", public=True)
async def choose_language(request: Request, form: Form) -> Answer:
    """Of this browser, for who is not signed in. The page stays; its address keeps its form."""
    target = local_path(form.get("next"), "/sign-in")
    language = languages.known(form.get("language"))
    if language is None:
        return see(target)
    if form.get("prefixed") == "true":
        target = f"/{language}{target}"
    answer = see(target)
    answer.set_cookie(speaking.cookie(language, has_tls=cookies.has_tls(request)))
    return answer


PAGES = [
    Router(
        "/",
        route_handlers=[
            home,
            sign_in_form,
            sign_in,
            sign_in_by_passkey,
            sign_up_form,
            sign_up,
            sign_out,
            set_up_form,
            set_up,
            choose_theme,
            choose_language,
            *link_pages.HANDLERS,
            *account_pages.HANDLERS,
            *second_pages.HANDLERS,
            *ways_pages.HANDLERS,
            *token_pages.HANDLERS,
            *device_pages.HANDLERS,
        ],
        dependencies={"form": Provide(posts.provide_form)},
        include_in_schema=False,
    )
]
