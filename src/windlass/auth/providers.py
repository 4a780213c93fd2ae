"""Signing in with somebody else's account: who may come in by it, and who may link it.

An identity that is linked opens its account. One that is not is linked by itself only to the
account of the same address, and only when both sides proved that address: the provider says that it
is confirmed, and so was it here. Otherwise somebody could wait at an address for its owner.
"""

import secrets
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.adapters.identity import Asked, Identity, Provider, Tokens
from windlass.auth import events as facts
from windlass.auth import factor_events as events
from windlass.auth import joining, proving, service
from windlass.auth.errors import EmailTaken, InvitationNeeded
from windlass.auth.factor_errors import (
    AddressUnproven,
    IdentityTaken,
    LastWayIn,
    SignInFirst,
)
from windlass.auth.models import Account, Actor, SignUpInvitation, User
from windlass.auth.schemas import Email
from windlass.core import clock, ids
from windlass.core.crypto import KeyRing
from windlass.core.errors import AppError, NotFound
from windlass.core.events import emit
from windlass.core.settings import Auth

# Teams stand above accounts; what they ask of us is in their table.
_ASKED_BY_TEAM = text(
    "select 1 from team_invitations"
    " where email = :email and status = 'PENDING' and expires_at > now() limit 1"
)


class Begun(msgspec.Struct, frozen=True):
    """What a sign-in began with, kept sealed until the browser comes back."""

    provider: str
    nonce: str
    verifier: str
    # Only the browser that began it may end it.
    browser: str
    target: str
    # Whose account the identity shall be linked to; None to sign in.
    link_to: UUID | None = None

    def asked(self, redirect_uri: str) -> Asked:
        return Asked(redirect_uri=redirect_uri, nonce=self.nonce, verifier=self.verifier)


def begin(provider: Provider, target: str, *, link_to: UUID | None = None) -> Begun:
    """New secrets for one sign-in."""
    return Begun(
        provider=provider.name,
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        browser=secrets.token_urlsafe(32),
        target=target,
        link_to=link_to,
    )


class Arrival(msgspec.Struct, frozen=True):
    """Somebody whom a provider vouches for, and what lets us act for them there."""

    provider: str
    label: str
    identity: Identity
    tokens: Tokens


async def arrive(db: AsyncSession, key_ring: KeyRing, rules: Auth, arrival: Arrival) -> Actor:
    """Whose account this identity opens: the linked one, the one with its address, or a new one."""
    linked = await _linked(db, arrival)
    if linked is not None:
        user = await db.get_one(User, linked.user_id)
        await _keep(db, key_ring, arrival, user.id)
        return service.actor_of(user)
    email = _proven_address(arrival)
    query = select(User).where(User.email == email, User.deleted_at.is_(None))
    user = await db.scalar(query.with_for_update())
    if user is None:
        user = await _sign_up(db, rules, email, arrival.identity)
    elif user.email_verified_at is None:
        raise SignInFirst(label=arrival.label)
    await _keep(db, key_ring, arrival, user.id)
    await _say_linked(db, user.id, arrival.provider)
    return service.actor_of(user)


async def link(db: AsyncSession, key_ring: KeyRing, arrival: Arrival, *, user_id: UUID) -> None:
    """Let this identity open the account of who is signed in. `db` sees everything: whether it
    opens another one is to be known."""
    linked = await _linked(db, arrival)
    if linked is not None and linked.user_id != user_id:
        raise IdentityTaken()
    await _keep(db, key_ring, arrival, user_id)
    if linked is None:
        await _say_linked(db, user_id, arrival.provider)


async def of(db: AsyncSession, actor: Actor) -> list[Account]:
    """One's linked identities, oldest first."""
    query = select(Account).where(Account.user_id == actor.id).order_by(Account.id)
    return list(await db.scalars(query))


async def unlink(db: AsyncSession, id: UUID, *, by: Actor) -> None:
    """It opens the account no more. The last way in stays (C-041)."""
    await proving.lock_ways(db, by)
    ways = await proving.ways_in(db, by)
    query = delete(Account).where(Account.id == id, Account.user_id == by.id)
    provider = await db.scalar(query.returning(Account.provider))
    if provider is None:
        raise NotFound()
    if ways <= 1:
        raise LastWayIn()
    await emit(db, events.IdentityUnlinked(user_id=by.id, provider=provider), by=by.id)


async def _linked(db: AsyncSession, arrival: Arrival) -> Account | None:
    query = select(Account).where(
        Account.provider == arrival.provider,
        Account.provider_account_id == arrival.identity.subject,
    )
    return await db.scalar(query)


def _proven_address(arrival: Arrival) -> str:
    """An address that the provider says is confirmed, in the form that accounts have."""
    identity = arrival.identity
    try:
        email = msgspec.convert((identity.email or "").lower(), Email)
    except msgspec.ValidationError:
        raise AddressUnproven(label=arrival.label) from None
    if not identity.is_verified:
        raise AddressUnproven(label=arrival.label)
    return email


async def _sign_up(db: AsyncSession, rules: Auth, email: str, identity: Identity) -> User:
    """A new account, where the instance lets this address make one."""
    is_invited = await _use_invitation(db, email)
    try:
        await joining.check_open(db, rules, None)
    except InvitationNeeded:
        if not is_invited:
            raise
    user = User(id=ids.uuid7(), email=email, email_verified_at=clock.now(), name=_name_of(identity))
    try:
        async with db.begin_nested():
            db.add(user)
    except IntegrityError:
        # Somebody made it in this moment; the next try finds it.
        raise EmailTaken() from None
    await db.refresh(user)
    joined = facts.SignedUp(user_id=user.id, username="", invited=is_invited)
    await emit(db, joined, by=user.id)
    return user


async def _use_invitation(db: AsyncSession, email: str) -> bool:
    """Whether this address was asked to come; the provider proved that it is theirs."""
    query = (
        update(SignUpInvitation)
        .where(
            SignUpInvitation.email == email,
            SignUpInvitation.used_at.is_(None),
            SignUpInvitation.expires_at > func.now(),
        )
        .values(used_at=clock.now())
    )
    if await db.scalar(query.returning(SignUpInvitation.id)) is not None:
        return True
    return await db.scalar(_ASKED_BY_TEAM, {"email": email}) is not None


def _name_of(identity: Identity) -> str | None:
    """What they are called there, if it can be a name here."""
    try:
        return service.clean_name((identity.name or "").strip()[:100] or None)
    except AppError:
        return None


async def _keep(db: AsyncSession, key_ring: KeyRing, arrival: Arrival, user_id: UUID) -> None:
    """The row of this identity, with the newest address and tokens; the tokens sealed (B-032)."""
    tokens, identity = arrival.tokens, arrival.identity
    values: dict[str, object] = {
        "email": identity.email,
        "scope": tokens.scope,
        "expires_at": tokens.expires_at,
        "access_token_sealed": _sealed(key_ring, "access", arrival, tokens.access),
    }
    if tokens.refresh is not None:
        values["refresh_token_sealed"] = _sealed(key_ring, "refresh", arrival, tokens.refresh)
    query = update(Account).where(
        Account.provider == arrival.provider,
        Account.provider_account_id == identity.subject,
        Account.user_id == user_id,
    )
    if await db.scalar(query.values(**values).returning(Account.id)) is not None:
        return
    row = Account(
        user_id=user_id, provider=arrival.provider, provider_account_id=identity.subject, **values
    )
    try:
        async with db.begin_nested():
            db.add(row)
    except IntegrityError as error:
        raise IdentityTaken() from error


def _sealed(key_ring: KeyRing, kind: str, arrival: Arrival, token: str) -> bytes:
    context = token_context(kind, arrival.provider, arrival.identity.subject)
    return key_ring.seal(token.encode(), context=context)


def token_context(kind: str, provider: str, subject: str) -> str:
    """What a sealed token is and whose, to open it again."""
    return f"accounts.{kind}_token:{provider}:{subject}"


async def _say_linked(db: AsyncSession, user_id: UUID, provider: str) -> None:
    await emit(db, events.IdentityLinked(user_id=user_id, provider=provider), by=user_id)
