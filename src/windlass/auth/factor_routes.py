"""JSON: the second half of a sign-in, authenticator app, recovery codes, passkeys."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import challenges, entering, factors, limiting, passkeys, proving, service
from windlass.auth.challenges import Begun
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.entering import challenges_of
from windlass.auth.factor_errors import ChallengeOver
from windlass.auth.factor_schemas import (
    Assertion,
    ChallengeGiven,
    FactorsOut,
    PasskeyChange,
    PasskeyChangedOut,
    PasskeyCreate,
    PasskeyOut,
    PasskeySecond,
    PasskeySignIn,
    Proof,
    RecoveryCodesOut,
    SecondFactor,
    TotpConfirm,
    TotpDisable,
    TotpOut,
)
from windlass.auth.models import Actor, ChallengeKind, Passkey, User
from windlass.auth.passkeys import Site
from windlass.auth.permissions import Permission
from windlass.auth.schemas import SignedInOut
from windlass.core import ids
from windlass.core.http import DB, Envelope, Request
from windlass.core.schemas import Page

SECOND = ChallengeKind.second_factor


# -- the second half of a sign-in --


@post("/second-factor", public=True, rate="second_factor", status_code=200)
async def give_code(
    request: Request, system_db: SystemDB, data: JSONBody[SecondFactor]
) -> Response[SignedInOut]:
    """Go on with a sign-in that was answered with 202, by a code of the app or a recovery code."""
    entered = await second_by_code(request, system_db, data.challenge, data.code)
    return entering.answer(entered, as_token=data.token)


async def second_by_code(
    request: Request, db: AsyncSession, challenge: str, code: str
) -> entering.Entered:
    """Five tries for each challenge, and so many in a minute for each account. Nobody is locked
    out by that: the minute passes, and recovery codes and passkeys are not counted."""
    begun = await challenges_of(request).count_try(SECOND, challenge)
    user_id = _somebody(begun)
    if factors.is_totp(code):
        await limiting.count(request, "second_factor", of=str(user_id))
    await factors.accept(db, request.app.state.key_ring, user_id, code)
    return await _enter_second(request, db, begun)


@post("/second-factor/passkey/options", public=True, status_code=200)
async def begin_second_passkey(
    request: Request, system_db: SystemDB, data: JSONBody[ChallengeGiven]
) -> Response[Any]:
    """What `navigator.credentials.get` needs to go on with a passkey."""
    user_id = await challenges.owner_of(system_db, SECOND, data.challenge)
    return _raw(
        await passkeys.options_to_use(system_db, _site(request), data.challenge, user_id=user_id)
    )


@post("/second-factor/passkey", public=True, rate="second_factor", status_code=200)
async def give_second_passkey(
    request: Request, system_db: SystemDB, data: JSONBody[PasskeySecond]
) -> Response[SignedInOut]:
    """Go on with a sign-in that was answered with 202, by a passkey."""
    entered = await second_by_passkey(request, system_db, data.challenge, data.credential)
    return entering.answer(entered, as_token=data.token)


async def second_by_passkey(
    request: Request, db: AsyncSession, challenge: str, credential: Assertion
) -> entering.Entered:
    begun = await challenges_of(request).count_try(SECOND, challenge)
    await passkeys.use(db, _site(request), challenge, credential, user_id=_somebody(begun))
    return await _enter_second(request, db, begun)


async def _enter_second(request: Request, db: AsyncSession, begun: Begun) -> entering.Entered:
    await challenges.finish(db, begun)
    user = await db.get(User, _somebody(begun))
    if user is None or user.deleted_at is not None:
        raise ChallengeOver()
    return await entering.open_door(request, db, service.actor_of(user))


def _somebody(begun: Begun) -> UUID:
    if begun.user_id is None:
        raise ChallengeOver()
    return begun.user_id


# -- authenticator app and recovery codes --


@get("/factors", permission=Permission.account)
async def show_factors(db: DB, actor: CurrentActor) -> FactorsOut:
    """The second factors of one's account."""
    return FactorsOut.of(await factors.of(db, actor.id), await passkeys.of(db, actor))


@post("/totp", permission=Permission.account)
async def begin_totp(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[Proof]
) -> TotpOut:
    """A secret for an authenticator app. It counts from the first right code on."""
    await prove(request, db, actor, data.password)
    found = await factors.begin_totp(db, request.app.state.key_ring, by=actor)
    return TotpOut(secret=found.secret, uri=found.uri, qr=found.qr)


@post("/totp/confirm", permission=Permission.account, status_code=200)
async def confirm_totp(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[TotpConfirm]
) -> RecoveryCodesOut:
    """The first right code turns the app on; the answer holds ten recovery codes."""
    await limiting.count(request, "second_factor", of=str(actor.id))
    codes = await factors.confirm_totp(db, request.app.state.key_ring, data.code, by=actor)
    return RecoveryCodesOut(recovery_codes=codes)


@post("/totp/disable", permission=Permission.account, status_code=200)
async def disable_totp(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[TotpDisable]
) -> None:
    """Turn the app off. Needs a code, and the password where there is one."""
    await turn_off_totp(request, db, actor, password=data.password, code=data.code)


async def turn_off_totp(
    request: Request, db: AsyncSession, actor: Actor, *, password: str | None, code: str
) -> None:
    await limiting.count_password(request, actor, password)
    await proving.require_password(db, actor, password)
    if factors.is_totp(code):
        await limiting.count(request, "second_factor", of=str(actor.id))
    await factors.accept(db, request.app.state.key_ring, actor.id, code)
    await factors.disable_totp(db, by=actor)


@post("/recovery-codes", permission=Permission.account)
async def make_recovery_codes(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[Proof]
) -> RecoveryCodesOut:
    """Ten new recovery codes, shown this once; the old ones open nothing any more."""
    await prove(request, db, actor, data.password)
    return RecoveryCodesOut(recovery_codes=await factors.new_codes(db, by=actor))


# -- passkeys --


@post("/passkeys/sign-in/options", public=True, status_code=200)
async def begin_passkey_sign_in(request: Request, system_db: SystemDB) -> Response[Any]:
    """What `navigator.credentials.get` needs to sign in without a name."""
    token = await challenges_of(request).begin(
        system_db, ChallengeKind.passkey_sign_in, user_id=None
    )
    return _raw(await passkeys.options_to_use(system_db, _site(request), token, user_id=None))


@post("/passkeys/sign-in", public=True, rate="sign_in", status_code=200)
async def sign_in_by_passkey(
    request: Request, system_db: SystemDB, data: JSONBody[PasskeySignIn]
) -> Response[SignedInOut]:
    """Sign in with a passkey. It proves possession and person at once: no second factor."""
    user = await owner_of_passkey(request, system_db, data.credential)
    entered = await entering.open_door(request, system_db, service.actor_of(user))
    return entering.answer(entered, as_token=data.token)


async def owner_of_passkey(
    request: Request, db: AsyncSession, credential: Assertion, *, user_id: UUID | None = None
) -> User:
    """Who used a passkey just now, by a challenge that anybody may ask for; with `user_id` only
    theirs counts."""
    token = passkeys.challenge_in(credential.response.client_data_json)
    await challenges_of(request).take(ChallengeKind.passkey_sign_in, token)
    return await passkeys.use(db, _site(request), token, credential, user_id=user_id)


@get("/passkeys", permission=Permission.account)
async def list_passkeys(db: DB, actor: CurrentActor) -> Page[PasskeyOut]:
    """One's passkeys."""
    return Page([PasskeyOut.of(row) for row in await passkeys.of(db, actor)])


@post("/passkeys/options", permission=Permission.account, status_code=200)
async def begin_passkey(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[Proof]
) -> Response[Any]:
    """What `navigator.credentials.create` needs to make a passkey."""
    await prove(request, db, actor, data.password)
    token = await challenges_of(request).begin(db, ChallengeKind.passkey_add, user_id=actor.id)
    return _raw(await passkeys.options_to_add(db, _site(request), token, by=actor))


@post("/passkeys", permission=Permission.account)
async def add_passkey(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[PasskeyCreate]
) -> PasskeyOut:
    """Keep a passkey that was made just now."""
    return PasskeyOut.of(await keep_passkey(request, db, actor, data))


async def keep_passkey(
    request: Request, db: AsyncSession, actor: Actor, made: PasskeyCreate
) -> Passkey:
    token = passkeys.challenge_in(made.credential.response.client_data_json)
    begun = await challenges_of(request).take(ChallengeKind.passkey_add, token)
    return await passkeys.add(db, _site(request), begun, made.name, made.credential, by=actor)


@patch("/passkeys/{passkey_id:str}", permission=Permission.account)
async def change_passkey(
    request: Request,
    db: DB,
    actor: CurrentActor,
    passkey_id: FromPath[str],
    data: JSONBody[PasskeyChange],
) -> PasskeyChangedOut:
    """Rename a passkey, or ask for it after a password."""
    if data.is_second_factor is not None:
        await prove(request, db, actor, data.password)
    row, codes = await passkeys.change(
        db,
        ids.private("pkey", passkey_id),
        name=data.name,
        is_second_factor=data.is_second_factor,
        by=actor,
    )
    return PasskeyChangedOut.after(row, codes)


@delete("/passkeys/{passkey_id:str}", permission=Permission.account)
async def remove_passkey(
    request: Request, db: DB, actor: CurrentActor, passkey_id: FromPath[str]
) -> None:
    """Remove a passkey; needs a session of the last ten minutes."""
    await proving.require(db, actor, None)
    await passkeys.remove(db, ids.private("pkey", passkey_id), by=actor)


async def prove(request: Request, db: AsyncSession, actor: Actor, password: str | None) -> None:
    """A password or a fresh session; wrong passwords are counted like those of a sign-in."""
    await limiting.count_password(request, actor, password)
    await proving.require(db, actor, password)


def _site(request: Request) -> Site:
    return Site.of(request.app.state.settings)


def _raw(options: bytes) -> Response[Any]:
    """In the names of the browser's own interface, which no struct of ours repeats."""
    return Envelope(msgspec.Raw(options))


router = Router(
    "/api/auth",
    route_handlers=[
        give_code,
        begin_second_passkey,
        give_second_passkey,
        show_factors,
        begin_totp,
        confirm_totp,
        disable_totp,
        make_recovery_codes,
        begin_passkey_sign_in,
        sign_in_by_passkey,
        list_passkeys,
        begin_passkey,
        add_passkey,
        change_passkey,
        remove_passkey,
    ],
    tags=["Second factors"],
)
