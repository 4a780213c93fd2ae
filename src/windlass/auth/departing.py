"""Leaving: what would go with an account, what stands in the way, and then going (B-021 to B-024).

Areas above say what of theirs belongs to a person. Whatever holds data of its own is deleted along
only when whoever leaves named it after the summary. What happened stays on record (D-01).
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import events, service
from windlass.auth.errors import CannotLeave
from windlass.auth.models import (
    Account,
    Actor,
    Challenge,
    DeviceCode,
    EmailLink,
    Passkey,
    RecoveryCode,
    Session,
    SignUpInvitation,
    Token,
    Totp,
    User,
)
from windlass.core import clock
from windlass.core.events import emit
from windlass.core.idempotency import IdempotentAnswer
from windlass.core.languages import N_

_OWN = (
    Account,
    Challenge,
    DeviceCode,
    EmailLink,
    IdempotentAnswer,
    Passkey,
    RecoveryCode,
    Session,
    Token,
    Totp,
)


class Loss(msgspec.Struct, frozen=True):
    """Things of one kind that go with the account."""

    kind: str
    names: tuple[str, ...]
    needs_consent: bool = False


# All of these get a database that sees everything, because who leaves may not see all they own.
CHECKS: list[Callable[[AsyncSession, UUID], Awaitable[str | None]]] = []
"""What stands in the way: a sentence for people, or None."""
LOSSES: list[Callable[[AsyncSession, UUID], Awaitable[Loss]]] = []
"""What goes with the account."""
STEPS: list[Callable[[AsyncSession, Actor], Awaitable[None]]] = []
"""How it goes, in the transaction of the deletion; each may still refuse with an AppError."""

F = TypeVar("F")


def register(found: list[F]) -> Callable[[F], F]:
    """`@register(departing.CHECKS)` on a function of an area."""

    def add(function: F) -> F:
        found.append(function)
        return function

    return add


class Summary(msgspec.Struct, frozen=True):
    """What would happen, asked before it happens."""

    losses: list[Loss]
    reasons: list[str]


async def summary(db: AsyncSession, user_id: UUID) -> Summary:
    """Everything that goes with an account, and everything that stands in the way."""
    losses = [await find(db, user_id) for find in LOSSES]
    found = [await check(db, user_id) for check in CHECKS]
    return Summary([loss for loss in losses if loss.names], [text for text in found if text])


async def leave(db: AsyncSession, actor: Actor, *, along: tuple[str, ...], is_hard: bool) -> None:
    """Delete an account. Soft: its row stays, without name and address, for what refers to it.
    Hard: the row goes too, now or as soon as what was deleted along is taken down.

    The administrators are held before the own row, as everywhere: two who go at once would wait for
    each other."""
    await service.hold_admins(db)
    user = await db.get_one(User, actor.id, with_for_update=True)
    found = await summary(db, actor.id)
    unnamed = [loss for loss in found.losses if loss.needs_consent and loss.kind not in along]
    reasons = found.reasons + [
        N_("It owns {count} {kind}. Give them to somebody else, or delete them along.").format(
            count=len(loss.names), kind=loss.kind
        )
        for loss in unnamed
    ]
    if reasons:
        raise CannotLeave(why=" ".join(reasons), reasons=reasons)
    for step in STEPS:
        await step(db, actor)
    for kind in _OWN:
        await db.execute(delete(kind).where(kind.user_id == actor.id))
    await db.execute(delete(SignUpInvitation).where(SignUpInvitation.invited_by == actor.id))
    _anonymise(user)
    await db.flush()
    await emit(db, events.AccountDeleted(user_id=actor.id, is_hard=is_hard), by=actor.id)
    if is_hard:
        await erase(db, actor.id)


def _anonymise(user: User) -> None:
    user.email = user.username = user.name = user.image = None
    user.password_hash = user.language = user.email_verified_at = None
    user.is_admin = False
    user.deleted_at = clock.now()


async def erase(db: AsyncSession, user_id: UUID) -> bool:
    """Remove the row of an account that was deleted; False while something still refers to it."""
    query = delete(User).where(User.id == user_id, User.deleted_at.is_not(None))
    try:
        async with db.begin_nested():
            await db.execute(query)
    except IntegrityError:
        return False
    return True


@register(LOSSES)
async def _sessions(db: AsyncSession, user_id: UUID) -> Loss:
    query = select(Session.id).where(Session.user_id == user_id, Session.expires_at > func.now())
    return Loss(N_("sessions"), tuple(str(id)[-8:] for id in await db.scalars(query)))


@register(LOSSES)
async def _tokens(db: AsyncSession, user_id: UUID) -> Loss:
    query = select(Token.name).where(Token.user_id == user_id).order_by(Token.name)
    return Loss(N_("API tokens"), tuple(await db.scalars(query)))


@register(CHECKS)
async def _last_admin(db: AsyncSession, user_id: UUID) -> str | None:
    """An instance without an admin could not be helped by anybody (F-12)."""
    if await service.admins(db) == [user_id]:
        return N_("It is the only administrator of this Windlass. Make somebody else one first.")
    return None
