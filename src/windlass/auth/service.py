"""The verbs of accounts: set up, sign in, sign out, tokens."""

import secrets
from pathlib import Path
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import events, sessions
from windlass.auth.errors import (
    EmailTaken,
    SetupLinkUsed,
    WrongCurrentPassword,
    WrongPassword,
)
from windlass.auth.models import Actor, Plan, Token, User
from windlass.core import crypto
from windlass.core.errors import NotFound
from windlass.core.events import emit

CLI_TOKEN = "this machine"
_HASHER = PasswordHasher()
# Verified when the account is unknown, so that both cases take the same time.
_DUMMY = _HASHER.hash(secrets.token_urlsafe(16))

# The owner until the one-time link was used: others without a password have an address.
_NOT_SET_UP = select(User).where(User.is_admin, User.email.is_(None), User.deleted_at.is_(None))


async def ensure_owner(db: AsyncSession, keys: Path) -> str | None:
    """Make the owner on the first start, and this machine's token file.

    Returns the one-time token of the set-up link while no owner has set a password.
    """
    owner = await db.scalar(select(User).order_by(User.created_at).limit(1))
    if owner is None:
        # On one's own machine one is not short of anything.
        owner = User(is_admin=True, plan=Plan.enterprise)
        db.add(owner)
        await db.flush()
    await _ensure_cli_token(db, owner, keys / "cli.token")
    if owner.password_hash is not None:
        return None
    path = keys / "setup.token"
    if not path.exists():
        crypto.write_secret(path, secrets.token_urlsafe(24))
    return path.read_text()


async def _ensure_cli_token(db: AsyncSession, owner: User, path: Path) -> None:
    if path.exists():
        known = select(Token.id).where(Token.digest == crypto.digest(path.read_text().strip()))
        if await db.scalar(known) is not None:
            return
    await db.execute(delete(Token).where(Token.user_id == owner.id, Token.name == CLI_TOKEN))
    token = crypto.new_token("wl")
    db.add(_token_row(owner.id, CLI_TOKEN, token))
    await db.flush()
    crypto.write_secret(path, token)


async def set_up(
    db: AsyncSession, keys: Path, *, token: str, email: str, password: str, name: str | None
) -> Actor:
    """Use the one-time link: the owner gets an e-mail address and a password."""
    if not _is_setup_token(keys, token):
        raise SetupLinkUsed()
    owner = await db.scalar(_NOT_SET_UP.with_for_update())
    if owner is None:
        raise SetupLinkUsed()
    owner.email, owner.name = email.strip().lower(), name or email.split("@")[0]
    owner.password_hash = _HASHER.hash(password)
    (keys / "setup.token").unlink(missing_ok=True)
    await emit(db, events.OwnerSetUp(user_id=owner.id), by=owner.id)
    return actor_of(owner)


async def may_set_up(db: AsyncSession, keys: Path, token: str) -> bool:
    """Whether the one-time link still works."""
    return _is_setup_token(keys, token) and await db.scalar(_NOT_SET_UP) is not None


def _is_setup_token(keys: Path, token: str) -> bool:
    path = keys / "setup.token"
    expected = path.read_text() if path.exists() else ""
    return bool(expected) and secrets.compare_digest(token.encode(), expected.encode())


async def sign_in(db: AsyncSession, email: str, password: str) -> Actor:
    """Check the password; an unknown address takes as long and says the same."""
    user = await db.scalar(select(User).where(User.email == email.strip().lower()))
    hashed = user.password_hash if user and user.password_hash else _DUMMY
    try:
        _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        raise WrongPassword() from None
    if user is None or hashed is _DUMMY:
        raise WrongPassword()
    if _HASHER.check_needs_rehash(hashed):
        user.password_hash = _HASHER.hash(password)
    return actor_of(user)


async def change_password(db: AsyncSession, actor: Actor, *, current: str, new: str) -> None:
    """Needs the current one; every other session ends (E-34)."""
    user = await db.get_one(User, actor.id)
    try:
        _HASHER.verify(user.password_hash or _DUMMY, current)
    except (VerificationError, InvalidHashError):
        raise WrongCurrentPassword() from None
    user.password_hash = _HASHER.hash(new)
    await sessions.end_others(db, by=actor)
    await emit(db, events.PasswordChanged(user_id=actor.id), by=actor.id)


async def change_profile(db: AsyncSession, actor: Actor, *, name: str | None, email: str) -> None:
    """Change what one is called, and the address one signs in with."""
    query = update(User).where(User.id == actor.id)
    try:
        async with db.begin_nested():
            await db.execute(query.values(name=name, email=email.strip().lower()))
    except IntegrityError as error:
        raise EmailTaken() from error
    await emit(db, events.ProfileChanged(user_id=actor.id), by=actor.id)


async def name_of(db: AsyncSession, id: UUID | None) -> str | None:
    """What to call somebody on a page; None when nobody, or no longer there."""
    user = await db.get(User, id) if id is not None else None
    return (user.name or user.email) if user is not None else None


async def tokens(db: AsyncSession, actor: Actor) -> list[Token]:
    query = select(Token).where(Token.user_id == actor.id).order_by(Token.created_at.desc())
    return list(await db.scalars(query))


async def create_token(db: AsyncSession, name: str, *, by: Actor) -> tuple[Token, str]:
    """A new API token and its only clear text."""
    token = crypto.new_token("wl")
    row = _token_row(by.id, name, token)
    db.add(row)
    await db.flush()
    await db.refresh(row)
    await emit(db, events.TokenCreated(user_id=by.id, token_id=row.id, name=name), by=by.id)
    return row, token


async def revoke_token(db: AsyncSession, id: UUID, *, by: Actor) -> None:
    query = delete(Token).where(Token.id == id, Token.user_id == by.id).returning(Token.id)
    if await db.scalar(query) is None:
        raise NotFound()
    await emit(db, events.TokenRevoked(user_id=by.id, token_id=id), by=by.id)


def _token_row(user_id: UUID, name: str, token: str) -> Token:
    return Token(user_id=user_id, name=name, digest=crypto.digest(token), start=token[:7])


def actor_of(user: User) -> Actor:
    """Somebody who just proved who they are, without a session yet."""
    return Actor(
        id=user.id,
        email=user.email,
        username=user.username,
        name=user.name,
        image=user.image,
        plan=user.plan,
        language=user.language,
        is_admin=user.is_admin,
        is_verified=user.email_verified_at is not None,
        is_suspended=user.suspended_at is not None,
    )
