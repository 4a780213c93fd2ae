"""The verbs of teams: make, change, delete; who is in one, and as what.

Whatever could leave a team without an owner holds the team's row first, so two such things at once
come one after the other, and the second sees what the first did.
"""

from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.auth.permissions import Permission, Role
from windlass.core import names
from windlass.core.events import emit
from windlass.core.ids import uuid7
from windlass.teams import events
from windlass.teams.errors import (
    AboveOwnRole,
    AlreadyMember,
    LastOwner,
    MemberNotFound,
    OwnerUntouchable,
    OwnTeamAlready,
    TeamNotFound,
    TeamSlugTaken,
)
from windlass.teams.models import Team, TeamMember
from windlass.teams.schemas import TeamChange, TeamCreate

SLUG_LENGTH = 54
# What stands at that place in the addresses of pages.
RESERVED = frozenset({"new", "invitations"})
_ORDER = list(Role)
_PROJECTS = text("select count(*) from team_projects where team_id = :team")


class Membership(msgspec.Struct, frozen=True):
    """A team, and what the caller is in it."""

    team: Team
    role: Role


async def create(db: AsyncSession, wanted: TeamCreate, *, by: Actor) -> Membership:
    """A new team; who makes it owns it (C-181)."""
    name = names.clean(wanted.name, "Team")
    slug = names.label(wanted.slug or name, most=SLUG_LENGTH, reserved=RESERVED)
    team = Team(id=uuid7(), name=name, slug=slug)
    try:
        async with db.begin_nested():
            # The member first: only then the database lets its owner see the team.
            db.add(TeamMember(team_id=team.id, user_id=by.id, role=Role.owner))
            await db.flush()
            db.add(team)
            await db.flush()
    except IntegrityError as error:
        raise TeamSlugTaken(slug=slug) from error
    await emit(db, events.Created(team_id=team.id, slug=slug), by=by.id)
    return Membership(team, Role.owner)


async def get(db: AsyncSession, id: UUID, permission: Permission, *, by: Actor) -> Membership:
    """The only way to an existing team: one that the caller is not in does not exist (D-23)."""
    return await _allowed(db, Team.id == id, permission, by=by)


async def get_by_slug(
    db: AsyncSession, slug: str, permission: Permission, *, by: Actor
) -> Membership:
    """By the name in addresses of pages."""
    return await _allowed(db, Team.slug == slug, permission, by=by)


async def _allowed(
    db: AsyncSession, which: ColumnElement[bool], permission: Permission, *, by: Actor
) -> Membership:
    found = (
        select(Team, TeamMember.role)
        .join(TeamMember, (TeamMember.team_id == Team.id) & (TeamMember.user_id == by.id))
        .where(which)
    )
    if (row := (await db.execute(found)).one_or_none()) is None:
        raise TeamNotFound()
    team, role = row
    by.require(permission, on=role)
    return Membership(team, role)


async def change(db: AsyncSession, team: Team, wanted: TeamChange, *, by: Actor) -> None:
    """Apply what differs. Links to the old address of a renamed team lead nowhere."""
    given = {
        name: value
        for name, value in msgspec.structs.asdict(wanted).items()
        if value is not msgspec.UNSET
    }
    if isinstance(name := given.get("name"), str):
        given["name"] = names.clean(name, "Team")
    if isinstance(slug := given.get("slug"), str):
        given["slug"] = names.label(slug, most=SLUG_LENGTH, reserved=RESERVED)
    changed = {name: value for name, value in given.items() if getattr(team, name) != value}
    if not changed:
        return
    previous = team.audit_retention_days
    try:
        async with db.begin_nested():
            await db.execute(update(Team).where(Team.id == team.id).values(**changed))
    except IntegrityError as error:
        raise TeamSlugTaken(slug=changed.get("slug")) from error
    await db.refresh(team)
    # Its record is kept longer than that of a new name.
    if days := changed.pop("audit_retention_days", None):
        kept = events.RetentionChanged(team_id=team.id, days=days, previous=previous)
        await emit(db, kept, by=by.id)
    if changed:
        await emit(db, events.Changed(team_id=team.id, fields=tuple(changed)), by=by.id)


async def remove(db: AsyncSession, team: Team, *, by: Actor) -> None:
    """Memberships, invitations and shares go with it; projects stay with their owners (C-187)."""
    await _hold(db, team.id, Permission.team_settings, by=by)
    count = select(func.count()).select_from(TeamMember).where(TeamMember.team_id == team.id)
    event = events.Deleted(
        team_id=team.id,
        slug=team.slug,
        members=await db.scalar(count) or 0,
        projects=await db.scalar(_PROJECTS, {"team": team.id}) or 0,
    )
    await db.execute(delete(Team).where(Team.id == team.id))
    await emit(db, event, by=by.id)


async def add_existing(
    db: AsyncSession, in_team: Membership, email: str, role: Role, *, by: Actor
) -> UUID | None:
    """Add the account that has this address; None when none has it, confirmed (E-06)."""
    check_grant(in_team.role, role)
    user_id: UUID | None = await db.scalar(select(func.account_at(email)))
    if user_id is None:
        return None
    try:
        async with db.begin_nested():
            db.add(TeamMember(team_id=in_team.team.id, user_id=user_id, role=role))
            await db.flush()
    except IntegrityError as error:
        raise AlreadyMember(email=email) from error
    event = events.MemberAdded(team_id=in_team.team.id, user_id=user_id, role=role)
    await emit(db, event, by=by.id)
    return user_id


async def change_role(
    db: AsyncSession, team: Team, user_id: UUID, role: Role, *, by: Actor
) -> None:
    """Make somebody something else; the last owner stays one (C-185)."""
    own = await _hold(db, team.id, Permission.team_invite, by=by)
    previous = await _role_of(db, team.id, user_id)
    _check_touch(own, previous)
    check_grant(own, role)
    if previous is role:
        return
    if previous is Role.owner:
        await _check_another_owner(db, team.id)
    await db.execute(update(TeamMember).where(*_is(team.id, user_id)).values(role=role))
    event = events.RoleChanged(team_id=team.id, user_id=user_id, role=role, previous=previous)
    await emit(db, event, by=by.id)


async def remove_member(db: AsyncSession, team: Team, user_id: UUID, *, by: Actor) -> None:
    """Take somebody out; what is shared with the team is gone for them at once."""
    own = await _hold(db, team.id, Permission.team_remove, by=by)
    role = await _role_of(db, team.id, user_id)
    _check_touch(own, role)
    await _take_out(db, team.id, user_id, role, by=by)


async def leave(db: AsyncSession, team: Team, *, by: Actor) -> None:
    """Go. Everybody may, except the last owner."""
    role = await _hold(db, team.id, Permission.team_read, by=by)
    await _take_out(db, team.id, by.id, role, by=by)


async def hand_over(db: AsyncSession, team: Team, user_id: UUID, *, by: Actor) -> None:
    """Somebody else owns it, and who did is an admin: one step, never without an owner."""
    await _hold(db, team.id, Permission.team_settings, by=by)
    if user_id == by.id:
        raise OwnTeamAlready()
    await change_role(db, team, user_id, Role.owner, by=by)
    await change_role(db, team, by.id, Role.admin, by=by)


async def _take_out(
    db: AsyncSession, team_id: UUID, user_id: UUID, role: Role, *, by: Actor
) -> None:
    if role is Role.owner:
        await _check_another_owner(db, team_id)
    await db.execute(delete(TeamMember).where(*_is(team_id, user_id)))
    await emit(db, events.MemberRemoved(team_id=team_id, user_id=user_id, role=role), by=by.id)


def grantable(own: Role) -> list[Role]:
    """What somebody can make others, weakest first."""
    return _ORDER[: _ORDER.index(own) + 1]


def check_grant(own: Role, wanted: Role) -> None:
    """Nobody makes another more than they are themselves (C-183)."""
    if wanted not in grantable(own):
        raise AboveOwnRole(role=own.value.lower(), wanted=wanted.value.lower())


def _check_touch(own: Role, other: Role) -> None:
    if other is Role.owner and own is not Role.owner:
        raise OwnerUntouchable(role=own.value.lower())


async def _hold(db: AsyncSession, team_id: UUID, permission: Permission, *, by: Actor) -> Role:
    """Have the team to oneself until the transaction ends; what the caller is in it now."""
    await db.scalar(select(Team.id).where(Team.id == team_id).with_for_update())
    query = select(TeamMember.role).where(*_is(team_id, by.id))
    if (role := await db.scalar(query)) is None:
        raise TeamNotFound()
    by.require(permission, on=role)
    return role


async def _role_of(db: AsyncSession, team_id: UUID, user_id: UUID) -> Role:
    role = await db.scalar(select(TeamMember.role).where(*_is(team_id, user_id)))
    if role is None:
        raise MemberNotFound()
    return role


async def is_last_owner(db: AsyncSession, in_team: Membership) -> bool:
    """Whether the caller cannot go."""
    return in_team.role is Role.owner and await _owners(db, in_team.team.id) < 2


async def _check_another_owner(db: AsyncSession, team_id: UUID) -> None:
    if await _owners(db, team_id) < 2:
        raise LastOwner()


async def _owners(db: AsyncSession, team_id: UUID) -> int:
    query = select(func.count()).where(TeamMember.team_id == team_id, TeamMember.role == Role.owner)
    return await db.scalar(query) or 0


def _is(team_id: UUID, user_id: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return TeamMember.team_id == team_id, TeamMember.user_id == user_id
