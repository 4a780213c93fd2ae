"""The pages of the second half of a sign-in: a code, a recovery code, or a passkey."""

from urllib.parse import quote

from litestar import get, post

from windlass.auth import challenges, cookies, entering, factor_routes, factors, passkeys
from windlass.auth.deps import SystemDB
from windlass.auth.factor_errors import ChallengeOver, PasskeyRefused
from windlass.auth.factor_routes import SECOND
from windlass.auth.factor_schemas import Assertion, SecondFactor
from windlass.auth.passkeys import Site
from windlass.core.errors import AppError
from windlass.core.http import Request
from windlass.web import forms
from windlass.web.page import local_path, page
from windlass.web.posts import Answer, Form, see, struct


@get("/sign-in/second", public=True)
async def second_form(request: Request, system_db: SystemDB) -> Answer:
    return await _second(request, system_db, local_path(request.query_params.get("next")))


@post("/sign-in/second", public=True, rate="second_factor")
async def second(request: Request, system_db: SystemDB, form: Form) -> Answer:
    """A code that was typed."""
    target, challenge = local_path(form.get("next")), _challenge(request)
    try:
        wanted = struct(
            SecondFactor, {"challenge": challenge, "code": forms.text(form, "code") or ""}
        )
        entered = await factor_routes.second_by_code(request, system_db, challenge, wanted.code)
    except AppError as error:
        await system_db.rollback()
        return await _second(request, system_db, target, error=error)
    return _in(entered, target)


@post("/sign-in/second/passkey", public=True, rate="second_factor")
async def second_passkey(request: Request, system_db: SystemDB, form: Form) -> Answer:
    target, challenge = local_path(form.get("next")), _challenge(request)
    try:
        entered = await factor_routes.second_by_passkey(
            request, system_db, challenge, passkeys.read(form.get("credential", ""), Assertion)
        )
    except AppError as error:
        await system_db.rollback()
        return await _second(request, system_db, target, error=error)
    return _in(entered, target)


async def _second(
    request: Request, system_db: SystemDB, target: str, *, error: AppError | None = None
) -> Answer:
    """What the account asks for; back to the beginning when it is too late."""
    challenge = _challenge(request)
    try:
        user_id = await challenges.owner_of(system_db, SECOND, challenge)
        if user_id is None:
            raise ChallengeOver()
    except ChallengeOver:
        return see(f"/sign-in?next={quote(target)}&notice=second-over")
    found = await factors.of(system_db, user_id)
    options = None
    if found.passkeys:
        site = Site.of(request.app.state.settings)
        options = await passkeys.options_to_use(system_db, site, challenge, user_id=user_id)
    return page(
        request,
        "auth/second.html",
        error=error,
        renamed={} if isinstance(error, PasskeyRefused) else {"form": "code"},
        next=target,
        methods=found.methods,
        passkey_options=options.decode() if options else None,
    )


def _challenge(request: Request) -> str:
    return request.cookies.get(cookies.SECOND_FACTOR, "")


def _in(entered: entering.Entered, target: str) -> Answer:
    answer = entering.go_on(entered, target)
    answer.delete_cookie(cookies.SECOND_FACTOR, path=cookies.SECOND_FACTOR_PATH)
    return answer


HANDLERS = [second_form, second, second_passkey]
