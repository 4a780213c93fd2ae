"""What links in mails do: confirm an address, sign in, choose a new password.

Who asks for a link is told the same whatever address they name, by the same statements: whether
an account has it, only the job knows that sends the mail (B-044, C-033).
"""

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import events, links, passwords, service
from windlass.auth.errors import EmailTaken, LinkSpent
from windlass.auth.models import (
    Account,
    Actor,
    EmailLink,
    Passkey,
    Purpose,
    RecoveryCode,
    Session,
    Token,
    Totp,
    User,
)
from windlass.core import clock
from windlass.core.events import emit


async def ask(db: AsyncSession, email: str, purpose: Purpose) -> None:
    """Ask for a link to sign in or to a new password."""
    await emit(db, events.LinkAsked(email=email.lower(), purpose=purpose), by=None)


async def ask_confirmation(db: AsyncSession, actor: Actor) -> None:
    """Send the link that confirms one's own address once more."""
    if not actor.is_verified:
        await emit(db, events.ConfirmationAsked(user_id=actor.id), by=actor.id)


async def confirm(db: AsyncSession, secret: str) -> None:
    """The address is the caller's: that of the account, or the one it changes to.

    Only signed in, and row security shows nobody another's link: who signed up with a stranger's
    address, or changed to it, must not get it confirmed by a stranger who clicks.
    """
    link = await links.use(db, secret, Purpose.verify_email)
    user = await _of(db, link)
    is_new = user.email != link.email
    try:
        async with db.begin_nested():
            user.email, user.email_verified_at = link.email, clock.now()
            await db.flush()
    except IntegrityError as error:
        raise EmailTaken() from error
    if is_new:
        # Links to the old mailbox must not open the account any more.
        await links.void(db, user.id)
    await emit(db, events.EmailConfirmed(user_id=user.id, is_new=is_new), by=user.id)


async def sign_in(db: AsyncSession, secret: str) -> Actor:
    """Come in by a link, without a password."""
    link = await links.use(db, secret, Purpose.sign_in)
    user = await _of(db, link)
    if user.email != link.email:
        raise LinkSpent()
    return service.actor_of(user)


async def reset_password(db: AsyncSession, secret: str, password: str) -> None:
    """A new password by a link. Every session ends; whoever was in is out (C-034)."""
    await links.look(db, secret, Purpose.reset_password)
    await db.rollback()
    hashed = await passwords.hashed(password)
    link = await links.use(db, secret, Purpose.reset_password)
    user = await _of(db, link)
    if user.email != link.email:
        raise LinkSpent()
    if user.email_verified_at is None:
        await _take_over(db, user)
    user.password_hash = hashed
    ended = list(
        await db.scalars(delete(Session).where(Session.user_id == user.id).returning(Session.id))
    )
    await links.void(db, user.id)
    reset = events.PasswordReset(user_id=user.id, sessions=len(ended))
    await emit(db, reset, by=user.id)


async def _take_over(db: AsyncSession, user: User) -> None:
    """Whoever made this account never showed that the address is theirs; who opened the link did.
    No other way in that was left there stays open."""
    for kind in (Token, Account, Passkey, Totp, RecoveryCode):
        await db.execute(delete(kind).where(kind.user_id == user.id))
    user.email_verified_at = clock.now()


async def _of(db: AsyncSession, link: EmailLink) -> User:
    query = select(User).where(User.id == link.user_id, User.deleted_at.is_(None))
    if (user := await db.scalar(query.with_for_update())) is None:
        raise LinkSpent()
    return user
