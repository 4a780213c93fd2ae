"""The verbs of accounts: set up, sign in, change the password."""

import secrets
import unicodedata
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import events, links, passwords, proving, sessions, tokens
from windlass.auth.errors import SetupLinkUsed, WrongPassword
from windlass.auth.models import Actor, Plan, Purpose, Token, User
from windlass.auth.schemas import Setup
from windlass.core import crypto, names
from windlass.core.events import emit

CLI_TOKEN = "this machine"

# The owner until the one-time link was used: others without a password have an address.
_NOT_SET_UP = select(User).where(User.is_admin, User.email.is_(None), User.deleted_at.is_(None))
# In one order, so that two who hold them wait for each other and never in a circle.
_ADMINS = (
    select(User.id)
    .where(User.is_admin, User.deleted_at.is_(None), User.suspended_at.is_(None))
    .order_by(User.id)
)


async def ensure_owner(db: AsyncSession, keys: Path) -> str | None:
    """Make the owner on the first start, and this machine's token file.

    Returns the one-time token of the set-up link while no owner has set a password.
    """
    admins = select(User).where(User.is_admin, User.deleted_at.is_(None))
    owner = await db.scalar(admins.order_by(User.created_at).limit(1))
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
    db.add(tokens.row_of(owner.id, CLI_TOKEN, token))
    await db.flush()
    crypto.write_secret(path, token)


async def set_up(db: AsyncSession, keys: Path, wanted: Setup) -> Actor:
    """Use the one-time link: the owner gets an address, a user name and a password."""
    if not _is_setup_token(keys, wanted.token):
        raise SetupLinkUsed()
    hashed = await passwords.hashed(wanted.password)
    owner = await db.scalar(_NOT_SET_UP.with_for_update())
    if owner is None:
        raise SetupLinkUsed()
    owner.email = wanted.email.lower()
    owner.username = wanted.username.lower() if wanted.username else None
    owner.name = clean_name(wanted.name) or wanted.username or wanted.email.split("@")[0]
    owner.password_hash = hashed
    (keys / "setup.token").unlink(missing_ok=True)
    await db.flush()
    await emit(db, events.OwnerSetUp(user_id=owner.id), by=owner.id)
    await emit(db, events.ConfirmationAsked(user_id=owner.id), by=owner.id)
    return actor_of(owner)


async def is_set_up(db: AsyncSession) -> bool:
    """Whether somebody owns this instance; before that nobody else may have an account."""
    owner = select(User.id).where(User.is_admin, User.email.is_not(None), User.deleted_at.is_(None))
    return await db.scalar(owner.limit(1)) is not None


async def may_set_up(db: AsyncSession, keys: Path, token: str) -> bool:
    """Whether the one-time link still works."""
    return _is_setup_token(keys, token) and await db.scalar(_NOT_SET_UP) is not None


def _is_setup_token(keys: Path, token: str) -> bool:
    path = keys / "setup.token"
    expected = path.read_text() if path.exists() else ""
    return bool(expected) and secrets.compare_digest(token.encode(), expected.encode())


async def sign_in(db: AsyncSession, login: str, password: str) -> Actor:
    """Check a password, for a user name or an e-mail address (D-42).

    Somebody who does not exist takes as long and is told the same.
    """
    login = login.lower()
    which = User.email == login if "@" in login else User.username == login
    query = select(User.id, User.password_hash).where(which, User.deleted_at.is_(None))
    found = (await db.execute(query)).one_or_none()
    # The hash takes its time: meanwhile somebody else may have this connection.
    await db.rollback()
    known = found.password_hash if found else None
    if not await passwords.matches(known, password) or found is None or known is None:
        raise WrongPassword()
    fresh = await passwords.hashed(password) if passwords.is_outdated(known) else None
    user = await db.scalar(select(User).where(User.id == found.id, User.password_hash == known))
    if user is None or user.deleted_at is not None:
        raise WrongPassword()
    user.password_hash = fresh or known
    return actor_of(user)


async def change_password(db: AsyncSession, actor: Actor, *, current: str, new: str) -> None:
    """Needs the current one; every other session, and every link in a mail, ends (E-34)."""
    await proving.require_password(db, actor, current)
    hashed = await passwords.hashed(new)
    user = await db.get_one(User, actor.id)
    user.password_hash = hashed
    await sessions.end_others(db, by=actor)
    await links.void(db, actor.id, Purpose.reset_password, Purpose.sign_in, Purpose.verify_email)
    await emit(db, events.PasswordChanged(user_id=actor.id), by=actor.id)


def clean_name(name: str | None) -> str | None:
    """A name as it is kept: letters that look alike are alike, nothing in it is invisible."""
    return names.clean(unicodedata.normalize("NFKC", name), "Your") if name else None


async def name_of(db: AsyncSession, id: UUID | None) -> str | None:
    """What to call somebody on a page; None when nobody, or no longer there."""
    user = await db.get(User, id) if id is not None else None
    return (user.name or user.email) if user is not None else None


async def admins(db: AsyncSession) -> list[UUID]:
    """The administrators who can act."""
    return list(await db.scalars(_ADMINS))


async def hold_admins(db: AsyncSession) -> list[UUID]:
    """The same, until the transaction ends. Whatever could leave the instance without one asks here
    before it holds any other account, so the second of two such things sees what the first did."""
    return list(await db.scalars(_ADMINS.with_for_update()))


async def is_suspended(db: AsyncSession, id: UUID) -> bool:
    """Whether an administrator of the platform took somebody's account out of use."""
    return await db.scalar(select(User.suspended_at).where(User.id == id)) is not None


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
