"""One-time links in mails: made by the job that sends them, opened once, soon, or never.

The row keeps the SHA-256. Looking at a link changes nothing, because programs that scan mail look
too; only the button on its page uses it.
"""

import datetime as dt
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.errors import LinkSpent
from windlass.auth.models import EmailLink, Purpose
from windlass.core import clock, crypto, ids

LIVES = {
    Purpose.verify_email: dt.timedelta(hours=24),
    Purpose.sign_in: dt.timedelta(minutes=15),
    Purpose.reset_password: dt.timedelta(hours=1),
}
# So that nobody fills somebody's mailbox (C-033), whatever address they ask from.
_MOST, _WINDOW = 3, dt.timedelta(minutes=5)
_KEPT = dt.timedelta(days=7)


async def make(db: AsyncSession, user_id: UUID, email: str, purpose: Purpose) -> str | None:
    """A new link's secret; None when this address was sent enough of them just now."""
    now = clock.now()
    recent = select(func.count()).where(
        EmailLink.email == email,
        EmailLink.purpose == purpose,
        EmailLink.created_at > now - _WINDOW,
    )
    if (await db.scalar(recent) or 0) >= _MOST:
        return None
    secret = crypto.new_token("link")
    row = EmailLink(
        id=ids.uuid7(),
        user_id=user_id,
        email=email,
        purpose=purpose,
        digest=crypto.digest(secret),
        expires_at=now + LIVES[purpose],
    )
    db.add(row)
    await db.flush()
    return secret


async def unmake(db: AsyncSession, secret: str) -> None:
    """The mail did not go out: nobody has this link, and it counts for nothing."""
    await db.execute(delete(EmailLink).where(EmailLink.digest == crypto.digest(secret)))


async def look(db: AsyncSession, secret: str, purpose: Purpose) -> EmailLink:
    """A link that still works; raises LinkSpent."""
    query = select(EmailLink).where(
        EmailLink.digest == crypto.digest(secret),
        EmailLink.purpose == purpose,
        EmailLink.used_at.is_(None),
        EmailLink.expires_at > func.now(),
    )
    if (row := await db.scalar(query)) is None:
        raise LinkSpent()
    return row


async def use(db: AsyncSession, secret: str, purpose: Purpose) -> EmailLink:
    """Open a link: of two at once one does, the other is told that it is spent."""
    query = (
        update(EmailLink)
        .where(
            EmailLink.digest == crypto.digest(secret),
            EmailLink.purpose == purpose,
            EmailLink.used_at.is_(None),
            EmailLink.expires_at > func.now(),
        )
        .values(used_at=func.now())
        .returning(EmailLink)
    )
    row = await db.scalar(query)
    if row is None or row.user_id is None:
        raise LinkSpent()
    await void(db, row.user_id, purpose)
    return row


async def void(db: AsyncSession, user_id: UUID, *purposes: Purpose) -> None:
    """Whatever was sent for this before leads nowhere any more."""
    query = update(EmailLink).where(
        EmailLink.user_id == user_id,
        EmailLink.purpose.in_(purposes or tuple(Purpose)),
        EmailLink.used_at.is_(None),
    )
    await db.execute(query.values(used_at=func.now()))


async def pending_email(db: AsyncSession, user_id: UUID, current: str | None) -> str | None:
    """The address that an account changes to when the link sent there is opened."""
    query = (
        select(EmailLink.email)
        .where(
            EmailLink.user_id == user_id,
            EmailLink.purpose == Purpose.verify_email,
            EmailLink.email != (current or ""),
            EmailLink.used_at.is_(None),
            EmailLink.expires_at > func.now(),
        )
        .order_by(EmailLink.id.desc())
        .limit(1)
    )
    return await db.scalar(query)


async def prune(db: AsyncSession) -> None:
    """Forget links that are long over."""
    await db.execute(delete(EmailLink).where(EmailLink.expires_at < clock.now() - _KEPT))
