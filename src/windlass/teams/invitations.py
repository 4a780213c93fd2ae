"""Invitations: ask somebody by an address to come; only who has that address can say yes.

The link names the invitation, it does not let anybody in: the address must be the caller's own, and
confirmed. It is made by the job that sends it, so its secret is in the mail and nowhere else.
"""

import datetime as dt
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor, User
from windlass.auth.permissions import Role
from windlass.core import clock, crypto, ids
from windlass.core.errors import AppError
from windlass.core.events import emit
from windlass.teams import events, service
from windlass.teams.errors import (
    AddressNotVerified,
    AlreadyInvited,
    AlreadyMember,
    InvitationExpired,
    InvitationNotFound,
    InvitationUsed,
    OtherAddress,
)
from windlass.teams.models import InvitationStatus, TeamInvitation, TeamMember
from windlass.teams.schemas import InvitationOut
from windlass.teams.service import Membership

DAYS = 7
_TOKEN_PREFIX = "join"
_OF_LINK = text("select id, email from invitation_of(:link)")


async def invite(
    db: AsyncSession, in_team: Membership, email: str, role: Role, *, by: Actor
) -> TeamInvitation:
    """Ask an address; one question is open for each, a refused one may be asked again (C-183)."""
    email = email.strip().lower()
    service.check_grant(in_team.role, role)
    await _refuse_member(db, in_team.team.id, email)
    await _expire(db, in_team.team.id, email)
    row = TeamInvitation(
        id=ids.uuid7(),
        team_id=in_team.team.id,
        email=email,
        role=role,
        digest=_unknown(),
        invited_by=by.id,
        expires_at=_expiry(),
    )
    try:
        async with db.begin_nested():
            db.add(row)
            await db.flush()
    except IntegrityError as error:
        raise AlreadyInvited(email=email) from error
    event = events.Invited(
        team_id=row.team_id,
        invitation_id=row.id,
        email=email,
        role=role,
    )
    await emit(db, event, by=by.id)
    return row


async def add_or_invite(
    db: AsyncSession, in_team: Membership, email: str, role: Role, *, by: Actor
) -> UUID | TeamInvitation:
    """Add the account that has this address, or ask the address to come (E-06)."""
    email = email.strip().lower()
    user_id = await service.add_existing(db, in_team, email, role, by=by)
    if user_id is None:
        return await invite(db, in_team, email, role, by=by)
    await _close_of(db, in_team.team.id, email)
    return user_id


async def get(db: AsyncSession, team_id: UUID, id: UUID) -> TeamInvitation:
    """One of a team's own."""
    query = select(TeamInvitation).where(TeamInvitation.id == id, TeamInvitation.team_id == team_id)
    if (row := await db.scalar(query.with_for_update())) is None:
        raise InvitationNotFound()
    return row


async def resend(db: AsyncSession, in_team: Membership, row: TeamInvitation, *, by: Actor) -> None:
    """A new link for seven more days; the old one leads nowhere from now on."""
    service.check_grant(in_team.role, row.role)
    if row.status in {InvitationStatus.accepted, InvitationStatus.declined}:
        raise InvitationUsed(status=row.status.value.lower())
    row.digest, row.expires_at = _unknown(), _expiry()
    row.status, row.invited_by = InvitationStatus.pending, by.id
    try:
        async with db.begin_nested():
            await db.flush()
    except IntegrityError as error:
        raise AlreadyInvited(email=row.email) from error
    event = events.InvitationResent(
        team_id=row.team_id,
        invitation_id=row.id,
        email=row.email,
    )
    await emit(db, event, by=by.id)


async def revoke(db: AsyncSession, row: TeamInvitation, *, by: Actor) -> None:
    """Withdraw it: the link leads nowhere, and nothing of it is left but the record."""
    if row.status in {InvitationStatus.accepted, InvitationStatus.declined}:
        raise InvitationUsed(status=row.status.value.lower())
    await db.execute(delete(TeamInvitation).where(TeamInvitation.id == row.id))
    event = events.InvitationRevoked(team_id=row.team_id, invitation_id=row.id, email=row.email)
    await emit(db, event, by=by.id)


async def accept(db: AsyncSession, ref: str, *, by: Actor) -> UUID:
    """Come in; returns the team. `ref` is the secret of the link, or the id in one's own list."""
    row = await _open_for(db, ref, by=by)
    # While it is still open: the database lets in only who has an open invitation.
    member = insert(TeamMember).values(
        id=ids.uuid7(), team_id=row.team_id, user_id=by.id, role=row.role
    )
    await db.execute(member.on_conflict_do_nothing())
    await _close(db, row.id, InvitationStatus.accepted)
    event = events.InvitationAccepted(
        team_id=row.team_id, user_id=by.id, invitation_id=row.id, email=row.email, role=row.role
    )
    await emit(db, event, by=by.id)
    return row.team_id


async def decline(db: AsyncSession, ref: str, *, by: Actor) -> None:
    """Stay out; the team may ask again."""
    row = await _open_for(db, ref, by=by)
    await _close(db, row.id, InvitationStatus.declined)
    event = events.InvitationDeclined(
        team_id=row.team_id, user_id=by.id, invitation_id=row.id, email=row.email
    )
    await emit(db, event, by=by.id)


async def expire_all(db: AsyncSession) -> int:
    """What nobody answered in time; returns how many."""
    query = (
        update(TeamInvitation)
        .where(*_overdue())
        .values(status=InvitationStatus.expired)
        .returning(TeamInvitation)
    )
    rows = list(await db.scalars(query))
    for row in rows:
        event = events.InvitationExpired(team_id=row.team_id, invitation_id=row.id, email=row.email)
        await emit(db, event, by=None)
    return len(rows)


async def new_link(db: AsyncSession, id: UUID) -> str | None:
    """The secret of a link for the mail, the only one that leads to this invitation from now on;
    None when nothing is open any more."""
    token = crypto.new_token(_TOKEN_PREFIX)
    query = update(TeamInvitation).where(
        TeamInvitation.id == id, TeamInvitation.status == InvitationStatus.pending
    )
    found = await db.scalar(query.values(digest=crypto.digest(token)).returning(TeamInvitation.id))
    return token if found is not None else None


async def _close_of(db: AsyncSession, team_id: UUID, email: str) -> None:
    """Somebody with an open invitation was added directly."""
    query = update(TeamInvitation).where(
        TeamInvitation.team_id == team_id,
        TeamInvitation.email == email,
        TeamInvitation.status == InvitationStatus.pending,
    )
    await db.execute(query.values(status=InvitationStatus.accepted))


async def _open_for(db: AsyncSession, ref: str, *, by: Actor) -> TeamInvitation:
    """The invitation to the caller's own confirmed address that waits for an answer."""
    by_id = ref.startswith("inv_")
    if by_id:
        id = ids.private("inv", ref)
    else:
        found = (await db.execute(_OF_LINK, {"link": crypto.digest(ref)})).one_or_none()
        if found is None:
            raise InvitationNotFound()
        if found.email != by.email:
            raise OtherAddress()
        id = found.id
    if not by.is_verified:
        raise InvitationNotFound() if by_id else AddressNotVerified()
    query = select(TeamInvitation).where(TeamInvitation.id == id, TeamInvitation.email == by.email)
    if (row := await db.scalar(query.with_for_update())) is None:
        raise InvitationNotFound()
    is_late = row.status is InvitationStatus.pending and row.expires_at <= clock.now()
    status = InvitationStatus.expired if is_late else row.status
    if (over := _over(status.value.lower(), row.expires_at)) is not None:
        raise over
    return row


def problem(found: InvitationOut, *, by: Actor | None) -> AppError | None:
    """Why whoever holds the link cannot answer; who is not signed in yet may still be right."""
    if (over := _over(found.status, found.expires_at)) is not None:
        return over
    if by is None:
        return None
    if found.email != by.email:
        return OtherAddress()
    return None if by.is_verified else AddressNotVerified()


def _over(status: str, expires_at: dt.datetime) -> AppError | None:
    if status == "pending":
        return None
    if status == "expired":
        return InvitationExpired(day=f"{expires_at:%Y-%m-%d}")
    return InvitationUsed(status=status)


async def _refuse_member(db: AsyncSession, team_id: UUID, email: str) -> None:
    query = select(TeamMember.id).join(User, User.id == TeamMember.user_id)
    if await db.scalar(query.where(TeamMember.team_id == team_id, User.email == email)):
        raise AlreadyMember(email=email)


async def _expire(db: AsyncSession, team_id: UUID, email: str) -> None:
    query = update(TeamInvitation).where(
        TeamInvitation.team_id == team_id, TeamInvitation.email == email, *_overdue()
    )
    await db.execute(query.values(status=InvitationStatus.expired))


async def _close(db: AsyncSession, id: UUID, status: InvitationStatus) -> None:
    await db.execute(update(TeamInvitation).where(TeamInvitation.id == id).values(status=status))


def _overdue() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        TeamInvitation.status == InvitationStatus.pending,
        TeamInvitation.expires_at <= func.now(),
    )


def _expiry() -> dt.datetime:
    return clock.now() + dt.timedelta(days=DAYS)


def _unknown() -> bytes:
    """Of a link that nobody has: the mail brings the first."""
    return crypto.digest(crypto.new_token(_TOKEN_PREFIX))
