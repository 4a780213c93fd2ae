"""Pages of the ways into one's account: second factors, recovery codes, passkeys, linked accounts.

All of them ask for a sign-in of the last ten minutes; who came earlier proves once more that it is
them, and comes back.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from litestar import get, post
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import (
    cookies,
    factor_routes,
    factors,
    limiting,
    passkeys,
    provider_routes,
    providers,
    proving,
    sessions,
)
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.factor_errors import PasskeyRefused, ProveAgain
from windlass.auth.factor_schemas import (
    Assertion,
    Attestation,
    FactorsOut,
    PasskeyChange,
    PasskeyCreate,
    TotpConfirm,
    TotpDisable,
)
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.core import ids
from windlass.core.errors import AppError, NotFound
from windlass.core.http import DB, Request
from windlass.web import forms
from windlass.web.page import local_path, page
from windlass.web.posts import Answer, Form, see, struct

HOME = "/account/factors"
_TOTP = HOME + "/totp"
_PROVE = "/account/prove"
Act = Callable[[], Awaitable[object]]


@get(HOME, permission=Permission.account)
async def show_ways(request: Request, db: DB, actor: CurrentActor) -> Answer:
    return await _ways(request, db, actor)


async def _ways(
    request: Request,
    db: AsyncSession,
    actor: Actor,
    *,
    form: Form | None = None,
    error: AppError | None = None,
) -> Answer:
    linked = await provider_routes.accounts_of(request, db, actor)
    known = {account.provider for account in linked}
    return page(
        request,
        "auth/account/ways.html",
        error=error,
        renamed={"name": "passkey_name"},
        user=actor,
        factors=FactorsOut.of(await factors.of(db, actor.id), await passkeys.of(db, actor)),
        linked=linked,
        ways=[way for way in provider_routes.ways(request) if way.name not in known],
        is_fresh=await proving.is_fresh(db, actor),
        has_password=await proving.has_password(db, actor),
        is_last_way=await proving.ways_in(db, actor) <= 1,
        values=forms.values(form or {}),
    )


async def _act(
    request: Request,
    db: AsyncSession,
    actor: Actor,
    act: Act,
    done: Answer,
) -> Answer:
    """Do it for who signed in just now; recovery codes that it makes are shown, this once."""
    try:
        await proving.require(db, actor, None)
        found = await act()
    except ProveAgain:
        return _to_prove()
    except NotFound:
        raise
    except AppError as error:
        await db.rollback()
        return await _ways(request, db, actor, error=error)
    return _codes(request, actor, found) if isinstance(found, list) else done


def _codes(request: Request, actor: Actor, codes: object) -> Answer:
    return page(request, "auth/account/recovery_codes.html", user=actor, codes=codes)


# -- authenticator app and recovery codes --


@post(_TOTP, permission=Permission.account)
async def begin_totp(request: Request, db: DB, actor: CurrentActor) -> Answer:
    async def act() -> None:
        await factors.begin_totp(db, request.app.state.key_ring, by=actor)

    return await _act(request, db, actor, act, see(_TOTP))


@get(_TOTP, permission=Permission.account)
async def show_totp(request: Request, db: DB, actor: CurrentActor) -> Answer:
    return await _totp(request, db, actor)


@post(_TOTP + "/confirm", permission=Permission.account)
async def confirm_totp(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    ring = request.app.state.key_ring
    try:
        wanted = struct(TotpConfirm, {"code": forms.text(form, "code") or ""})
        await limiting.count(request, "second_factor", of=str(actor.id))
        codes = await factors.confirm_totp(db, ring, wanted.code, by=actor)
    except AppError as error:
        await db.rollback()
        return await _totp(request, db, actor, error=error)
    return see(HOME, "totp-on") if codes is None else _codes(request, actor, codes)


async def _totp(
    request: Request, db: AsyncSession, actor: Actor, *, error: AppError | None = None
) -> Answer:
    """The secret, as long as it waits for its first code; only for who signed in just now."""
    if not await proving.is_fresh(db, actor):
        return _to_prove()
    found = await factors.unconfirmed_totp(db, request.app.state.key_ring, by=actor)
    if found is None:
        return see(HOME)
    return page(
        request,
        "auth/account/totp.html",
        error=error,
        renamed={"form": "code"},
        user=actor,
        secret=found.secret,
        uri=found.uri,
        qr=found.qr,
    )


@post(_TOTP + "/off", permission=Permission.account)
async def disable_totp(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    """Asks for a code and the password, whenever the sign-in was."""
    password = form.get("current_password") or None
    try:
        wanted = struct(TotpDisable, {"code": forms.text(form, "code") or "", "password": password})
        await factor_routes.turn_off_totp(
            request, db, actor, password=wanted.password, code=wanted.code
        )
    except AppError as error:
        await db.rollback()
        return await _ways(request, db, actor, form=form, error=error)
    return see(HOME, "totp-off")


@post(HOME + "/recovery-codes", permission=Permission.account)
async def make_codes(request: Request, db: DB, actor: CurrentActor) -> Answer:
    async def act() -> list[str]:
        return await factors.new_codes(db, by=actor)

    return await _act(request, db, actor, act, see(HOME, "saved"))


# -- passkeys --


@post("/account/passkeys", permission=Permission.account)
async def add_passkey(request: Request, db: DB, actor: CurrentActor, form: Form) -> Answer:
    async def act() -> None:
        made = {
            "name": forms.text(form, "passkey_name") or "",
            "credential": passkeys.read(form.get("credential", ""), Attestation),
        }
        wanted = struct(PasskeyCreate, made)
        await factor_routes.keep_passkey(request, db, actor, wanted)

    return await _act(request, db, actor, act, see(HOME, "passkey-added"))


@post("/account/passkeys/{passkey_id:str}/rename", permission=Permission.account)
async def rename_passkey(
    request: Request, db: DB, actor: CurrentActor, passkey_id: FromPath[str], form: Form
) -> Answer:
    id = ids.private("pkey", passkey_id)
    try:
        wanted = struct(PasskeyChange, {"name": forms.text(form, "name") or ""})
        await passkeys.change(db, id, name=wanted.name, is_second_factor=None, by=actor)
    except NotFound:
        raise
    except AppError as error:
        await db.rollback()
        return await _ways(request, db, actor, error=error)
    return see(HOME, "saved")


@post("/account/passkeys/{passkey_id:str}/second", permission=Permission.account)
async def ask_for_passkey(
    request: Request, db: DB, actor: CurrentActor, passkey_id: FromPath[str], form: Form
) -> Answer:
    """Whether it is asked for after a password."""
    id, wanted = ids.private("pkey", passkey_id), forms.checked(form, "wanted")

    async def act() -> list[str] | None:
        _, codes = await passkeys.change(db, id, name=None, is_second_factor=wanted, by=actor)
        return codes

    return await _act(request, db, actor, act, see(HOME, "saved"))


@post("/account/passkeys/{passkey_id:str}/remove", permission=Permission.account)
async def remove_passkey(
    request: Request, db: DB, actor: CurrentActor, passkey_id: FromPath[str]
) -> Answer:
    id = ids.private("pkey", passkey_id)

    async def act() -> None:
        await passkeys.remove(db, id, by=actor)

    return await _act(request, db, actor, act, see(HOME, "passkey-removed"))


# -- linked accounts --


@post("/account/linked/{account_id:str}/unlink", permission=Permission.account)
async def unlink(
    request: Request, db: DB, actor: CurrentActor, account_id: FromPath[str]
) -> Answer:
    id = ids.private("acct", account_id)

    async def act() -> None:
        await providers.unlink(db, id, by=actor)

    return await _act(request, db, actor, act, see(HOME, "unlinked"))


# -- is it still you? --


@get(_PROVE, permission=Permission.account)
async def prove_form(request: Request, db: DB, actor: CurrentActor) -> Answer:
    return await _prove(request, db, actor, local_path(request.query_params.get("next"), HOME))


@post(_PROVE, permission=Permission.account, rate="sign_in")
async def prove(
    request: Request, db: DB, system_db: SystemDB, actor: CurrentActor, form: Form
) -> Answer:
    """A password or a passkey once more begins a new session in place of the old one."""
    target = local_path(form.get("next"), HOME)
    try:
        if actor.session_id is None:
            # An API token and a password do not make a session: that would pass by the factors.
            raise ProveAgain(minutes=proving.FRESH_MINUTES)
        if given := form.get("credential"):
            credential = passkeys.read(given, Assertion)
            await factor_routes.owner_of_passkey(request, system_db, credential, user_id=actor.id)
        else:
            await factor_routes.prove(request, db, actor, form.get("password", ""))
        await sessions.end(system_db, actor.session_id, by=actor)
        answer = see(target)
        answer.set_cookie(await cookies.open_session(request, system_db, actor))
    except AppError as error:
        await db.rollback()
        await system_db.rollback()
        return await _prove(request, db, actor, target, error=error)
    return answer


async def _prove(
    request: Request,
    db: AsyncSession,
    actor: Actor,
    target: str,
    *,
    error: AppError | None = None,
) -> Answer:
    return page(
        request,
        "auth/account/prove.html",
        error=error,
        renamed={} if isinstance(error, PasskeyRefused) else {"form": "password"},
        user=actor,
        next=target,
        has_password=await proving.has_password(db, actor),
        has_passkey=bool(await passkeys.of(db, actor)),
    )


def _to_prove() -> Answer:
    return see(f"{_PROVE}?next={quote(HOME)}")


HANDLERS = [
    show_ways,
    begin_totp,
    show_totp,
    confirm_totp,
    disable_totp,
    make_codes,
    add_passkey,
    rename_passkey,
    ask_for_passkey,
    remove_passkey,
    unlink,
    prove_form,
    prove,
]
