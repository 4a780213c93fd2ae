"""What follows from facts about accounts: mails go out, old links and deleted accounts go.

A link is made by the job that sends it, so its secret is in the mail and nowhere else. While the
mail server is away the job is tried again, with a new link each time.
"""

from urllib.parse import quote

from sqlalchemy import select

from windlass.adapters.mail import MailFailed
from windlass.auth import departing, events, joining, links, mailing
from windlass.auth.models import Purpose, SignUpInvitation, User
from windlass.core import clock, crypto, log
from windlass.core.context import Ctx
from windlass.core.events import emit
from windlass.core.queue import every, on

_PATHS = {
    Purpose.verify_email: "/verify-email",
    Purpose.sign_in: "/sign-in/link",
    Purpose.reset_password: "/reset-password",
}
_LETTERS = {Purpose.sign_in: "sign_in", Purpose.reset_password: "reset"}


class NotYet(Exception):
    """Something else has to end first; the job is tried again."""


@on(events.ConfirmationAsked)
async def confirm_address(ctx: Ctx, event: events.ConfirmationAsked) -> None:
    """Send the link that confirms the address of a new account."""
    async with ctx.transaction() as db:
        user = await db.get(User, event.user_id)
    if user is None or user.email is None or user.email_verified_at is not None:
        return
    await _send_link(ctx, user, user.email, Purpose.verify_email, "verify")


@on(events.EmailChangeAsked)
async def confirm_new_address(ctx: Ctx, event: events.EmailChangeAsked) -> None:
    """Send the link that changes the address of an account, to the new address."""
    async with ctx.transaction() as db:
        user = await db.get(User, event.user_id)
        if user is None or user.deleted_at is not None:
            return
        # Only the last one asked for counts.
        await links.void(db, user.id, Purpose.verify_email)
    await _send_link(ctx, user, event.email, Purpose.verify_email, "new_address")


@on(events.EmailChangeAsked)
async def warn_old_address(ctx: Ctx, event: events.EmailChangeAsked) -> None:
    """Tell the address that the account still has: somebody else may have asked."""
    async with ctx.transaction() as db:
        user = await db.get(User, event.user_id)
    if user is not None and user.email is not None and user.email != event.email:
        await _send(ctx, user.email, "address_leaving", user.language, link=None, email=event.email)


@on(events.LinkAsked)
async def send_link(ctx: Ctx, event: events.LinkAsked) -> None:
    """Send a link to sign in or to a new password, if an account has that address.

    An address that nobody confirmed gets the link that confirms it instead of one that signs in:
    whoever made the account may not be whose address it is.
    """
    query = select(User).where(User.email == event.email, User.deleted_at.is_(None))
    async with ctx.transaction() as db:
        user = await db.scalar(query)
    if user is None or user.email is None:
        return
    purpose, letter = event.purpose, _LETTERS.get(event.purpose, "verify")
    if purpose is Purpose.sign_in and user.email_verified_at is None:
        purpose, letter = Purpose.verify_email, "verify"
    await _send_link(ctx, user, user.email, purpose, letter)


@on(events.PasswordChanged, events.PasswordReset)
async def tell_password(ctx: Ctx, event: events.PasswordChanged | events.PasswordReset) -> None:
    """Whoever changed it: its owner should know."""
    async with ctx.transaction() as db:
        user = await db.get(User, event.user_id)
    if user is not None and user.email is not None:
        link = f"{ctx.settings.panel_url}/forgot-password"
        await _send(ctx, user.email, "password_changed", user.language, link=link)


@on(events.SignUpInvited)
async def send_invitation(ctx: Ctx, event: events.SignUpInvited) -> None:
    """Send the link that lets somebody sign up."""
    secret = crypto.new_token("invite")
    query = select(SignUpInvitation, User).join(User, User.id == SignUpInvitation.invited_by)
    async with ctx.transaction() as db:
        found = (
            await db.execute(
                query.where(
                    SignUpInvitation.id == event.invitation_id,
                    SignUpInvitation.used_at.is_(None),
                    SignUpInvitation.expires_at > clock.now(),
                )
            )
        ).one_or_none()
        if found is None:
            return
        invitation, inviter = found
        invitation.digest = crypto.digest(secret)
    link = f"{ctx.settings.panel_url}/sign-up?invitation={quote(secret)}"
    who = inviter.name or inviter.email
    await _send(
        ctx,
        invitation.email,
        "invitation",
        inviter.language,
        link=link,
        inviter=who,
        days=joining.DAYS,
    )


@on(events.AccountDeleted)
async def erase_account(ctx: Ctx, event: events.AccountDeleted) -> None:
    """The row of a deleted account goes when what it owned has been taken down."""
    if not event.is_hard:
        return
    async with ctx.transaction() as db:
        is_erased = await departing.erase(db, event.user_id)
    if not is_erased:
        raise NotYet("what it owned is being taken down")


@every("41 * * * *")
async def prune_links(ctx: Ctx) -> None:
    """Forget links that are long over."""
    async with ctx.transaction() as db:
        await links.prune(db)


async def _send_link(ctx: Ctx, user: User, email: str, purpose: Purpose, letter: str) -> None:
    async with ctx.transaction() as db:
        secret = await links.make(db, user.id, email, purpose)
    if secret is None:
        log.get().info("mail.enough", purpose=purpose.value, user_id=str(user.id))
        return
    life = links.LIVES[purpose]
    try:
        is_sent = await _send(
            ctx,
            email,
            letter,
            user.language,
            link=f"{ctx.settings.panel_url}{_PATHS[purpose]}?token={quote(secret)}",
            user_name=user.username,
            minutes=int(life.total_seconds() // 60),
            hours=int(life.total_seconds() // 3600),
        )
    except MailFailed:
        async with ctx.transaction() as db:
            await links.unmake(db, secret)
        raise
    if is_sent:
        async with ctx.transaction() as db:
            await emit(db, events.LinkSent(user_id=user.id, purpose=purpose), by=None)


async def _send(ctx: Ctx, to: str, letter: str, language: str | None, **facts: object) -> bool:
    return await mailing.send(ctx, to, f"auth/mail/{letter}.html", language, **facts)
