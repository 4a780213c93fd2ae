"""Is it still them? What could lock somebody out of their account asks again.

A password, or a sign-in of the last minutes, is proof. An API token alone is none. Whoever asks for
a password counts the tries (`limiting.count_password`).
"""

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import passwords
from windlass.auth.errors import SignInAgain, WrongCurrentPassword
from windlass.auth.factor_errors import ProveAgain
from windlass.auth.models import Account, Actor, Passkey, Session, User

FRESH_MINUTES = 10


async def is_fresh(db: AsyncSession, actor: Actor) -> bool:
    """Whether they signed in within the last minutes."""
    if actor.session_id is None:
        return False
    since = func.now() - dt.timedelta(minutes=FRESH_MINUTES)
    query = select(Session.id).where(Session.id == actor.session_id, Session.created_at > since)
    return await db.scalar(query) is not None


async def has_password(db: AsyncSession, actor: Actor) -> bool:
    return await db.scalar(select(User.password_hash).where(User.id == actor.id)) is not None


async def require(db: AsyncSession, actor: Actor, password: str | None) -> None:
    """Either will do: raises ProveAgain without a proof, WrongCurrentPassword with a wrong one."""
    if password is not None:
        await require_password(db, actor, password)
    elif not await is_fresh(db, actor):
        raise ProveAgain(minutes=FRESH_MINUTES)


async def require_password(db: AsyncSession, actor: Actor, password: str | None) -> None:
    """The password once more, or, where there is none, a session that has just begun: for what
    cannot be taken back. Raises WrongCurrentPassword or SignInAgain."""
    known = await db.scalar(select(User.password_hash).where(User.id == actor.id))
    if known is None and not await is_fresh(db, actor):
        raise SignInAgain()
    # Nothing was written yet; somebody else may use the connection meanwhile.
    await db.rollback()
    if known is not None and not await passwords.matches(known, password or ""):
        raise WrongCurrentPassword()


async def ways_in(db: AsyncSession, actor: Actor) -> int:
    """How many ways lead into this account by themselves: password, passkeys, linked accounts.

    Links by mail do not count: who loses the mailbox would lose the account.
    """
    passkeys = select(func.count()).where(Passkey.user_id == actor.id).scalar_subquery()
    accounts = select(func.count()).where(Account.user_id == actor.id).scalar_subquery()
    count = await db.scalar(select(passkeys + accounts)) or 0
    return count + await has_password(db, actor)


async def lock_ways(db: AsyncSession, actor: Actor) -> None:
    """Two requests that each take away one of the last two ways wait for each other."""
    await db.execute(select(User.id).where(User.id == actor.id).with_for_update())
