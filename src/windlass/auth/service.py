"""The verbs of accounts: set up, sign in, sign out, tokens."""

import datetime as dt
import secrets
from pathlib import Path
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import events
from windlass.auth.errors import (
    EmailTaken,
    SetupLinkUsed,
    WrongCurrentPassword,
    WrongPassword,
)
from windlass.auth.models import Actor, Session, Token, User
from windlass.core import clock, crypto
from windlass.core.db import Database
from windlass.core.errors import NotFound
from windlass.core.events import emit

SESSION_DAYS = 7
SESSION_DAYS_ABSOLUTE = 30
CLI_TOKEN = "this machine"
_HASHER = PasswordHasher()
# Verified when the account is unknown, so that both cases take the same time.
_DUMMY = _HASHER.hash(secrets.token_urlsafe(16))

_WITHOUT_PASSWORD = (
    select(User).where(User.password_hash.is_(None)).order_by(User.created_at).limit(1)
)
_BY_SESSION = """
select u.id, u.email, u.name, u.is_admin, s.id as credential,
  s.last_used_at < now() - interval '60 seconds' as stale
from sessions s join users u on u.id = s.user_id
where s.digest = $1 and s.expires_at > now()
"""
_BY_TOKEN = """
select u.id, u.email, u.name, u.is_admin, t.id as credential,
  coalesce(t.last_used_at < now() - interval '60 seconds', true) as stale
from tokens t join users u on u.id = t.user_id where t.digest = $1
"""
_TOUCH_SESSION = text(
    "update sessions set last_used_at = now(), expires_at = least("
    "now() + make_interval(days => :days), created_at + make_interval(days => :absolute))"
    " where id = :id"
)
_TOUCH_TOKEN = text("update tokens set last_used_at = now() where id = :id")


async def identify(database: Database, credential: str, *, is_session: bool) -> Actor | None:
    """Whose cookie or token this is; notes the use at most once a minute (C-031, E-34)."""
    query = _BY_SESSION if is_session else _BY_TOKEN
    rows = await database.fetch(query, crypto.digest(credential))
    if not rows:
        return None
    row = rows[0]
    if row["stale"]:
        await _touch(database, row["credential"], is_session=is_session)
    session_id = row["credential"] if is_session else None
    return Actor(row["id"], row["email"], row["name"], row["is_admin"], session_id)


async def _touch(database: Database, id: UUID, *, is_session: bool) -> None:
    days = {"days": SESSION_DAYS, "absolute": SESSION_DAYS_ABSOLUTE} if is_session else {}
    touch = _TOUCH_SESSION if is_session else _TOUCH_TOKEN
    async with database.transaction() as db:
        await db.execute(touch, {"id": id, **days})


async def ensure_owner(db: AsyncSession, keys: Path) -> str | None:
    """Make the owner on the first start, and this machine's token file.

    Returns the one-time token of the set-up link while no owner has set a password.
    """
    owner = await db.scalar(select(User).order_by(User.created_at).limit(1))
    if owner is None:
        owner = User(is_admin=True)
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
    owner = await db.scalar(_WITHOUT_PASSWORD.with_for_update())
    if owner is None:
        raise SetupLinkUsed()
    owner.email, owner.name = email.strip().lower(), name or email.split("@")[0]
    owner.password_hash = _HASHER.hash(password)
    (keys / "setup.token").unlink(missing_ok=True)
    await emit(db, events.OwnerSetUp(user_id=owner.id), by=owner.id)
    return _actor(owner)


async def may_set_up(db: AsyncSession, keys: Path, token: str) -> bool:
    """Whether the one-time link still works."""
    return _is_setup_token(keys, token) and await db.scalar(_WITHOUT_PASSWORD) is not None


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
    return _actor(user)


async def open_session(db: AsyncSession, actor: Actor, *, user_agent: str, address: str) -> str:
    """A new browser session; returns the cookie's value."""
    token, now = crypto.new_token("ws"), clock.now()
    session = Session(
        user_id=actor.id,
        digest=crypto.digest(token),
        user_agent=user_agent[:300],
        address=address[:64],
        last_used_at=now,
        expires_at=now + dt.timedelta(days=SESSION_DAYS),
    )
    db.add(session)
    await db.flush()
    await db.execute(delete(Session).where(Session.expires_at < func.now()))
    await emit(db, events.SignedIn(user_id=actor.id, session_id=session.id), by=actor.id)
    return token


async def sign_out(db: AsyncSession, session_id: UUID, *, by: Actor) -> None:
    await db.execute(delete(Session).where(Session.id == session_id, Session.user_id == by.id))
    await emit(db, events.SignedOut(session_id=session_id), by=by.id)


async def change_password(db: AsyncSession, actor: Actor, *, current: str, new: str) -> None:
    """Needs the current one; every other session ends (E-34)."""
    user = await db.get_one(User, actor.id)
    try:
        _HASHER.verify(user.password_hash or _DUMMY, current)
    except (VerificationError, InvalidHashError):
        raise WrongCurrentPassword() from None
    user.password_hash = _HASHER.hash(new)
    others = delete(Session).where(Session.user_id == actor.id)
    if actor.session_id is not None:
        others = others.where(Session.id != actor.session_id)
    await db.execute(others)
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
    await emit(db, events.TokenCreated(token_id=row.id, name=name), by=by.id)
    return row, token


async def revoke_token(db: AsyncSession, id: UUID, *, by: Actor) -> None:
    query = delete(Token).where(Token.id == id, Token.user_id == by.id).returning(Token.id)
    if await db.scalar(query) is None:
        raise NotFound()
    await emit(db, events.TokenRevoked(token_id=id), by=by.id)


def _token_row(user_id: UUID, name: str, token: str) -> Token:
    return Token(user_id=user_id, name=name, digest=crypto.digest(token), start=token[:7])


def _actor(user: User) -> Actor:
    return Actor(user.id, user.email, user.name, user.is_admin)
