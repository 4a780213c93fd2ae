"""What administrators of the platform do to accounts.

Whatever could leave the instance without an administrator holds the rows of all of them first, so
two such things at once come one after the other, and the second sees what the first did. Who was an
administrator when the request began may not be one any more: that is asked again then.
"""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.admin import events
from windlass.admin.errors import LastAdmin, OwnAccount, PersonNotFound
from windlass.auth import service as accounts
from windlass.auth.errors import NotAllowed
from windlass.auth.models import Actor, Plan, Session, User
from windlass.auth.permissions import Permission
from windlass.core import clock
from windlass.core.events import emit
from windlass.deployments import service as deployments


async def suspend(db: AsyncSession, user_id: UUID, *, by: Actor) -> None:
    """Nothing of the account opens anything from now on, every session and every build ends. Sites
    stay up: visitors did nothing wrong."""
    await _hold(db, by=by)
    if user_id == by.id:
        raise OwnAccount()
    user = await _person(db, user_id)
    if user.suspended_at is not None:
        return
    user.suspended_at = clock.now()
    await db.flush()
    ended = await _end_sessions(db, user_id)
    stopped = await deployments.stop_all_of(db, user_id, by=by)
    event = events.Suspended(user_id=user_id, sessions=ended, deployments=stopped)
    await emit(db, event, by=by.id)


async def lift(db: AsyncSession, user_id: UUID, *, by: Actor) -> None:
    """They may sign in again, and their tokens work again."""
    await _hold(db, by=by)
    user = await _person(db, user_id)
    if user.suspended_at is None:
        return
    user.suspended_at = None
    await db.flush()
    await emit(db, events.SuspensionLifted(user_id=user_id), by=by.id)


async def sign_out_everywhere(db: AsyncSession, user_id: UUID, *, by: Actor) -> None:
    """End every session of somebody whose browser may be in other hands. Tokens stay."""
    await _hold(db, by=by)
    await _person(db, user_id)
    ended = await _end_sessions(db, user_id)
    await emit(db, events.SignedOutEverywhere(user_id=user_id, sessions=ended), by=by.id)


async def set_plan(db: AsyncSession, user_id: UUID, plan: Plan, *, by: Actor) -> None:
    """Limits follow at once."""
    await _hold(db, by=by)
    user = await _person(db, user_id)
    previous = user.plan
    if previous is plan:
        return
    user.plan = plan
    await db.flush()
    event = events.PlanChanged(user_id=user_id, plan=plan, previous=previous)
    await emit(db, event, by=by.id)


async def set_admin(db: AsyncSession, user_id: UUID, is_admin: bool, *, by: Actor) -> None:
    """Make somebody an administrator, or take that away; the last one stays (B-051, F-12)."""
    admins = await _hold(db, by=by)
    user = await _person(db, user_id)
    if user.is_admin is is_admin:
        return
    if not is_admin and admins == [user_id]:
        raise LastAdmin()
    user.is_admin = is_admin
    await db.flush()
    kind = events.AdminGranted if is_admin else events.AdminRevoked
    await emit(db, kind(user_id=user_id), by=by.id)


async def _hold(db: AsyncSession, *, by: Actor) -> list[UUID]:
    """The administrators there are now, until the transaction ends; the caller is one of them."""
    admins = await accounts.hold_admins(db)
    if by.id not in admins:
        raise NotAllowed(permission=Permission.admin_write.value, role="user")
    return admins


async def _person(db: AsyncSession, user_id: UUID) -> User:
    query = select(User).where(User.id == user_id, User.deleted_at.is_(None)).with_for_update()
    if (user := await db.scalar(query)) is None:
        raise PersonNotFound()
    return user


async def _end_sessions(db: AsyncSession, user_id: UUID) -> int:
    query = delete(Session).where(Session.user_id == user_id).returning(Session.id)
    return len(list(await db.scalars(query)))
