"""New accounts: who may make one, and that two at once do not make the same.

Nobody joins before the instance has its owner: a stranger could take a fresh one. By invitation
means the secret of a link that was sent to the address, by an admin or by a team, so the address
is confirmed with it.
"""

import datetime as dt
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import events, passwords, service
from windlass.auth.errors import (
    EmailTaken,
    InvitationForOther,
    InvitationNeeded,
    InvitationSpent,
    NotSetUp,
    SignUpClosed,
    UsernameTaken,
)
from windlass.auth.models import Actor, SignUpInvitation, User
from windlass.auth.schemas import SignUp
from windlass.core import clock, crypto, ids, languages
from windlass.core.errors import NotFound
from windlass.core.events import emit
from windlass.core.paging import LIMIT, newest
from windlass.core.settings import Auth

DAYS = 7
# Teams stand above accounts; what they ask of us is in their table.
_OF_TEAM = text(
    "select email from team_invitations"
    " where digest = :digest and status = 'PENDING' and expires_at > now()"
)


async def sign_up(db: AsyncSession, rules: Auth, wanted: SignUp) -> Actor:
    """A new account. Of two at once with one address or name, one is told which is taken."""
    email, username = wanted.email.lower(), wanted.username.lower()
    await check_open(db, rules, wanted.invitation)
    await db.rollback()
    hashed = await passwords.hashed(wanted.password)
    user = User(
        id=ids.uuid7(),
        email=email,
        username=username,
        name=service.clean_name(wanted.name),
        # What the page was read in; the language of the mails to come.
        language=None if languages.current() == languages.DEFAULT else languages.current(),
        password_hash=hashed,
    )
    if wanted.invitation is not None:
        invited = await _use(db, wanted.invitation)
        if invited != email:
            raise InvitationForOther()
        user.email_verified_at = clock.now()
    await _insert(db, user)
    is_invited = user.email_verified_at is not None
    joined = events.SignedUp(user_id=user.id, username=username, invited=is_invited)
    await emit(db, joined, by=user.id)
    if not is_invited:
        await emit(db, events.ConfirmationAsked(user_id=user.id), by=user.id)
    return service.actor_of(user)


async def check_open(db: AsyncSession, rules: Auth, invitation: str | None) -> None:
    """Refuse with the reason where nobody, or not everybody, may sign up."""
    if not await service.is_set_up(db):
        raise NotSetUp()
    if rules.sign_up == "closed":
        raise SignUpClosed()
    if rules.sign_up == "invitation" and invitation is None:
        raise InvitationNeeded()


async def invited_email(db: AsyncSession, secret: str) -> str:
    """Whom an invitation is for; raises InvitationSpent."""
    digest = crypto.digest(secret)
    own = select(SignUpInvitation.email).where(
        SignUpInvitation.digest == digest,
        SignUpInvitation.used_at.is_(None),
        SignUpInvitation.expires_at > clock.now(),
    )
    email = await db.scalar(own) or await db.scalar(_OF_TEAM, {"digest": digest})
    if email is None:
        raise InvitationSpent()
    return str(email)


async def _use(db: AsyncSession, secret: str) -> str:
    """The same, and an admin's invitation is used up. A team's is answered by its new member."""
    email = await invited_email(db, secret)
    query = select(SignUpInvitation).where(SignUpInvitation.digest == crypto.digest(secret))
    if (row := await db.scalar(query.with_for_update())) is not None:
        if row.used_at is not None:
            raise InvitationSpent()
        row.used_at = clock.now()
    return email


async def _insert(db: AsyncSession, user: User) -> None:
    try:
        async with db.begin_nested():
            db.add(user)
            await db.flush()
    except IntegrityError as error:
        raise UsernameTaken() if "uq_users_username" in str(error) else EmailTaken() from error
    await db.refresh(user)


async def invite(db: AsyncSession, email: str, *, by: Actor) -> SignUpInvitation:
    """Let an address sign up; asked again, the time begins anew and the old link is void."""
    email = email.lower()
    if await db.scalar(select(User.id).where(User.email == email)) is not None:
        raise EmailTaken()
    given = {
        # Nobody knows it: the job that sends the mail makes the link.
        "digest": crypto.digest(crypto.new_token("invite")),
        "invited_by": by.id,
        "expires_at": clock.now() + dt.timedelta(days=DAYS),
        "used_at": None,
    }
    query = insert(SignUpInvitation).values(id=ids.uuid7(), email=email, **given)
    query = query.on_conflict_do_update(index_elements=["email"], set_=given)
    row = (await db.scalars(query.returning(SignUpInvitation))).one()
    await emit(db, events.SignUpInvited(invitation_id=row.id, email=email), by=by.id)
    return row


async def invitations(
    db: AsyncSession, *, limit: int = LIMIT, cursor: str | None = None
) -> tuple[list[SignUpInvitation], str | None]:
    """Who was invited to sign up, the newest first."""
    query = select(SignUpInvitation)
    return await newest(db, query, SignUpInvitation.id, limit=limit, cursor=cursor)


async def revoke_invitation(db: AsyncSession, id: UUID, *, by: Actor) -> None:
    """The link in the mail leads nowhere any more."""
    query = delete(SignUpInvitation).where(SignUpInvitation.id == id)
    email = await db.scalar(query.returning(SignUpInvitation.email))
    if email is None:
        raise NotFound()
    gone = events.SignUpInvitationRevoked(invitation_id=id, email=email)
    await emit(db, gone, by=by.id)
