"""Nobody leaves a team without an owner, not even by deleting their account (E-23)."""

from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from windlass.auth import departing
from windlass.auth.departing import Loss
from windlass.auth.models import Actor
from windlass.auth.permissions import Role
from windlass.core.languages import N_
from windlass.teams import service
from windlass.teams.models import Team, TeamMember


@departing.register(departing.CHECKS)
async def refuse_last_owner(db: AsyncSession, user_id: UUID) -> str | None:
    """Every team of which this person is the only owner, by name."""
    owner = aliased(TeamMember)
    owners = (
        select(func.count())
        .where(owner.team_id == Team.id, owner.role == Role.owner)
        .scalar_subquery()
    )
    query = _teams(user_id).where(TeamMember.role == Role.owner, owners == 1)
    names = [team.name for team in await db.scalars(query)]
    if not names:
        return None
    which = ", ".join(names)
    return N_(
        "It is the last owner of {which}. Make somebody else an owner, or delete the team."
    ).format(which=which)


@departing.register(departing.LOSSES)
async def find(db: AsyncSession, user_id: UUID) -> Loss:
    """The teams one is in; they stay, without this member."""
    return Loss(N_("memberships"), tuple(team.name for team in await db.scalars(_teams(user_id))))


@departing.register(departing.STEPS)
async def leave_all(db: AsyncSession, actor: Actor) -> None:
    """As if they had left each by themselves; of two last owners who go at once one stays."""
    for team in list(await db.scalars(_teams(actor.id))):
        await service.leave(db, team, by=actor)


def _teams(user_id: UUID) -> Select[Team]:
    mine = select(Team).join(TeamMember, TeamMember.team_id == Team.id)
    return mine.where(TeamMember.user_id == user_id).order_by(Team.name, Team.id)
