"""Passkeys (WebAuthn): added, used to sign in without a name, or asked for after a password.

The secret of the challenge is what the authenticator signs, so it names its row and counts once.
Only the panel's own address is accepted: a passkey made there is worth nothing on another site.
"""

from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import factor_events as events
from windlass.auth import factors, proving
from windlass.auth.challenges import MINUTES, Begun
from windlass.auth.factor_errors import LastWayIn, PasskeyKnown, PasskeyRefused, TooManyPasskeys
from windlass.auth.factor_schemas import Assertion, Attestation
from windlass.auth.models import Actor, Passkey, User
from windlass.core import clock
from windlass.core.errors import NotFound
from windlass.core.events import emit
from windlass.core.languages import gettext
from windlass.core.settings import Settings

C = TypeVar("C", Assertion, Attestation)
MOST = 20
_NAME = "Windlass"
_TIMEOUT_MS = MINUTES * 60_000


class Site(msgspec.Struct, frozen=True):
    """The one place where passkeys of this instance work."""

    id: str
    origin: str

    @classmethod
    def of(cls, settings: Settings) -> "Site":
        parts = urlsplit(settings.panel_url)
        return cls(id=parts.hostname or "", origin=f"{parts.scheme}://{parts.netloc}")


async def of(db: AsyncSession, actor: Actor) -> list[Passkey]:
    """One's passkeys, oldest first."""
    query = select(Passkey).where(Passkey.user_id == actor.id).order_by(Passkey.id)
    return list(await db.scalars(query))


async def options_to_add(db: AsyncSession, site: Site, challenge: str, *, by: Actor) -> bytes:
    """What a browser needs to make a passkey, as JSON (PublicKeyCredentialCreationOptions)."""
    # Imported late here and below: 12 MB that only those who use a passkey need.
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    known = await of(db, by)
    if len(known) >= MOST:
        raise TooManyPasskeys(most=MOST)
    options = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name=_NAME,
        user_id=by.id.bytes,
        user_name=by.email or by.username or "account",
        user_display_name=by.name or by.username or by.email or "account",
        challenge=challenge.encode(),
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(known),
    )
    return webauthn.options_to_json(options).encode()


async def options_to_use(
    db: AsyncSession, site: Site, challenge: str, *, user_id: UUID | None
) -> bytes:
    """What a browser needs to use one: any of this site, or those that an account asks for."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    query = select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)
    known = list(await db.scalars(query)) if user_id is not None else []
    options = webauthn.generate_authentication_options(
        rp_id=site.id,
        challenge=challenge.encode(),
        timeout=_TIMEOUT_MS,
        allow_credentials=_descriptors(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options).encode()


def challenge_in(client_data_json: str) -> str:
    """The challenge that the browser says it was given; what it names is looked up."""
    from webauthn.helpers import base64url_to_bytes

    try:
        found = msgspec.json.decode(base64url_to_bytes(client_data_json), type=_ClientData)
        return base64url_to_bytes(found.challenge).decode("ascii")
    except (ValueError, msgspec.MsgspecError):
        raise _unreadable() from None


def read(given: str, kind: type[C]) -> C:
    """What the browser's own dialog gave, as JSON; raises PasskeyRefused."""
    try:
        return msgspec.json.decode(given, type=kind)
    except msgspec.MsgspecError:
        raise _unreadable() from None


async def add(
    db: AsyncSession, site: Site, begun: Begun, name: str, credential: Attestation, *, by: Actor
) -> Passkey:
    """Keep the public key of a new passkey."""
    import webauthn
    from webauthn.helpers import exceptions

    if begun.user_id != by.id:
        raise PasskeyRefused(why=gettext("It was begun by somebody else."))
    challenge = challenge_in(credential.response.client_data_json)
    try:
        found = webauthn.verify_registration_response(
            credential=msgspec.json.encode(credential).decode(),
            expected_challenge=challenge.encode(),
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except exceptions.WebAuthnException as error:
        raise PasskeyRefused(why=_why(error)) from error
    row = Passkey(
        user_id=by.id,
        credential_id=found.credential_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        name=name,
        transports=credential.response.transports,
    )
    try:
        async with db.begin_nested():
            db.add(row)
    except IntegrityError as error:
        raise PasskeyKnown() from error
    await db.refresh(row)
    await emit(db, events.PasskeyAdded(user_id=by.id, passkey_id=row.id, name=name), by=by.id)
    return row


async def use(
    db: AsyncSession, site: Site, challenge: str, credential: Assertion, *, user_id: UUID | None
) -> User:
    """Whose passkey signed the challenge; raises PasskeyRefused. With `user_id` only theirs."""
    import webauthn
    from webauthn.helpers import base64url_to_bytes, exceptions

    if challenge_in(credential.response.client_data_json) != challenge:
        raise PasskeyRefused(why=gettext("It belongs to another sign-in."))
    try:
        id = base64url_to_bytes(credential.raw_id)
    except ValueError:
        raise _unreadable() from None
    query = select(Passkey, User).join(User, User.id == Passkey.user_id)
    query = query.where(Passkey.credential_id == id, User.deleted_at.is_(None))
    # Two uses of one count wait for each other.
    row = (await db.execute(query.with_for_update(of=Passkey))).one_or_none()
    if row is None or (user_id is not None and row[1].id != user_id):
        raise PasskeyRefused(why=gettext("This Windlass does not know it."))
    passkey, user = row
    handle = credential.response.user_handle
    if handle and handle != _base64url(user.id.bytes):
        raise PasskeyRefused(why=gettext("It belongs to another account."))
    try:
        found = webauthn.verify_authentication_response(
            credential=msgspec.json.encode(credential).decode(),
            expected_challenge=challenge.encode(),
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except exceptions.WebAuthnException as error:
        raise PasskeyRefused(why=_why(error)) from error
    passkey.sign_count, passkey.last_used_at = found.new_sign_count, clock.now()
    await db.flush()
    return user


async def change(
    db: AsyncSession, id: UUID, *, name: str | None, is_second_factor: bool | None, by: Actor
) -> tuple[Passkey, list[str] | None]:
    """Rename it, or ask for it after a password from now on, or no longer."""
    given = {"name": name, "is_second_factor": is_second_factor}
    values = {column: value for column, value in given.items() if value is not None}
    query = select(Passkey).where(Passkey.id == id, Passkey.user_id == by.id)
    if values:
        query = (
            update(Passkey)
            .where(Passkey.id == id, Passkey.user_id == by.id)
            .values(**values)
            .returning(Passkey)
        )
    row = await db.scalar(query)
    if row is None:
        raise NotFound()
    await db.refresh(row)
    changed = events.PasskeyChanged(
        user_id=by.id, passkey_id=id, name=row.name, is_second_factor=row.is_second_factor
    )
    await emit(db, changed, by=by.id)
    if is_second_factor:
        return row, await factors.ensure_codes(db, by=by)
    if is_second_factor is False:
        await factors.drop_codes_of_none(db, by.id)
    return row, None


async def remove(db: AsyncSession, id: UUID, *, by: Actor) -> None:
    """It opens nothing any more. The last way into an account stays."""
    await proving.lock_ways(db, by)
    ways = await proving.ways_in(db, by)
    query = delete(Passkey).where(Passkey.id == id, Passkey.user_id == by.id)
    name = await db.scalar(query.returning(Passkey.name))
    if name is None:
        raise NotFound()
    if ways <= 1:
        raise LastWayIn()
    await emit(db, events.PasskeyRemoved(user_id=by.id, passkey_id=id, name=name), by=by.id)
    await factors.drop_codes_of_none(db, by.id)


class _ClientData(msgspec.Struct):
    challenge: str


def _descriptors(known: list[Passkey]):
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    transports = {transport.value: transport for transport in AuthenticatorTransport}
    return [
        PublicKeyCredentialDescriptor(
            id=row.credential_id,
            transports=[transports[name] for name in row.transports if name in transports],
        )
        for row in known
    ]


def _base64url(value: bytes) -> str:
    from webauthn.helpers import bytes_to_base64url

    return bytes_to_base64url(value)


def _unreadable() -> PasskeyRefused:
    return PasskeyRefused(why=gettext("What the browser sent cannot be read."))


def _why(error: Exception) -> str:
    """What the library says, which names no secret, as a sentence."""
    text = str(error).rstrip(".") or "It could not be checked"
    return f"{text[:1].upper()}{text[1:200]}."
