"""JSON: teams, who is in them, who was asked to come, and the answers of those."""

from uuid import UUID

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission, Role
from windlass.core import ids
from windlass.core.http import DB
from windlass.core.schemas import CursorText, Limit, Page
from windlass.teams import invitations, listing, service
from windlass.teams.deps import InTeam
from windlass.teams.listing import LIMIT, Query
from windlass.teams.schemas import (
    Added,
    HandOver,
    InvitationOut,
    Invite,
    MemberOut,
    RoleChange,
    TeamChange,
    TeamCreate,
    TeamOut,
)


@get("/", permission=Permission.team_read)
async def list_teams(
    db: DB,
    actor: CurrentActor,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
    sort: FromQuery[str] = "-createdAt",
) -> Page[TeamOut]:
    """The teams that you are in (C-182)."""
    return await listing.teams(db, Query(limit=limit, cursor=cursor, sort=sort), by=actor)


@post("/", permission=Permission.team_settings)
async def create_team(db: DB, actor: CurrentActor, data: JSONBody[TeamCreate]) -> TeamOut:
    """A new team, which you own (C-181)."""
    made = await service.create(db, data, by=actor)
    return await listing.team(db, made.team.id, by=actor)


@get("/{team_id:str}", permission=Permission.team_read)
async def get_team(db: DB, actor: CurrentActor, team: InTeam) -> TeamOut:
    """One team."""
    return await listing.team(db, team.team.id, by=actor)


@patch("/{team_id:str}", permission=Permission.team_settings)
async def change_team(
    db: DB, actor: CurrentActor, team: InTeam, data: JSONBody[TeamChange]
) -> TeamOut:
    """Change what is given."""
    await service.change(db, team.team, data, by=actor)
    return await listing.team(db, team.team.id, by=actor)


@delete("/{team_id:str}", permission=Permission.team_settings)
async def delete_team(db: DB, actor: CurrentActor, team: InTeam) -> None:
    """Delete a team; projects that were shared with it stay with their owners (C-187)."""
    await service.remove(db, team.team, by=actor)


@get("/{team_id:str}/members", permission=Permission.team_read)
async def list_members(
    db: DB,
    team: InTeam,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[MemberOut]:
    """Who is in the team, in the order they came."""
    return await listing.members(db, team.team.id, Query(limit=limit, cursor=cursor))


@post("/{team_id:str}/members", permission=Permission.team_invite)
async def add_member(db: DB, actor: CurrentActor, team: InTeam, data: JSONBody[Invite]) -> Added:
    """Add an account that exists, or ask its address to come; the answer says which (E-06)."""
    role = Role(data.role.upper())
    found = await invitations.add_or_invite(db, team, data.email, role, by=actor)
    if isinstance(found, UUID):
        return Added(outcome="added", member=await listing.member(db, team.team.id, found))
    return Added(outcome="invited", invitation=await listing.invitation(db, found.id))


@patch("/{team_id:str}/members/{user_id:str}", permission=Permission.team_invite)
async def change_member(
    db: DB,
    actor: CurrentActor,
    team: InTeam,
    user_id: FromPath[str],
    data: JSONBody[RoleChange],
) -> MemberOut:
    """Change somebody's role (C-185)."""
    id = ids.private("user", user_id)
    await service.change_role(db, team.team, id, Role(data.role.upper()), by=actor)
    return await listing.member(db, team.team.id, id)


@delete("/{team_id:str}/members/{user_id:str}", permission=Permission.team_remove)
async def remove_member(db: DB, actor: CurrentActor, team: InTeam, user_id: FromPath[str]) -> None:
    """Take somebody out of the team."""
    await service.remove_member(db, team.team, ids.private("user", user_id), by=actor)


@post("/{team_id:str}/leave", permission=Permission.team_read, status_code=204)
async def leave_team(db: DB, actor: CurrentActor, team: InTeam) -> None:
    """Leave the team; its last owner cannot."""
    await service.leave(db, team.team, by=actor)


@post("/{team_id:str}/transfer", permission=Permission.team_settings, status_code=200)
async def transfer_team(
    db: DB, actor: CurrentActor, team: InTeam, data: JSONBody[HandOver]
) -> TeamOut:
    """Make a member the owner in your place; you stay as an admin."""
    await service.hand_over(db, team.team, ids.private("user", data.user_id), by=actor)
    return await listing.team(db, team.team.id, by=actor)


@get("/{team_id:str}/invitations", permission=Permission.team_invite)
async def list_invitations(
    db: DB,
    team: InTeam,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[InvitationOut]:
    """Who was asked to come, newest first."""
    return await listing.invitations(db, team.team.id, Query(limit=limit, cursor=cursor))


@post("/{team_id:str}/invitations", permission=Permission.team_invite)
async def invite(
    db: DB, actor: CurrentActor, team: InTeam, data: JSONBody[Invite]
) -> InvitationOut:
    """Ask somebody to come, by e-mail; for seven days (C-183)."""
    role = Role(data.role.upper())
    row = await invitations.invite(db, team, data.email, role, by=actor)
    return await listing.invitation(db, row.id)


@delete(
    "/{team_id:str}/invitations/{invitation_id:str}",
    permission=Permission.team_invite,
)
async def revoke_invitation(
    db: DB, actor: CurrentActor, team: InTeam, invitation_id: FromPath[str]
) -> None:
    """Withdraw an invitation; its link leads nowhere."""
    row = await invitations.get(db, team.team.id, ids.private("inv", invitation_id))
    await invitations.revoke(db, row, by=actor)


@post(
    "/{team_id:str}/invitations/{invitation_id:str}/resend",
    permission=Permission.team_invite,
    status_code=200,
)
async def resend_invitation(
    db: DB, actor: CurrentActor, team: InTeam, invitation_id: FromPath[str]
) -> InvitationOut:
    """Send it again with a new link, for seven more days."""
    row = await invitations.get(db, team.team.id, ids.private("inv", invitation_id))
    await invitations.resend(db, team, row, by=actor)
    return await listing.invitation(db, row.id)


@get("/", permission=Permission.account)
async def my_invitations(
    db: DB,
    actor: CurrentActor,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[InvitationOut]:
    """Teams that wait for your answer."""
    return await listing.invitations_to(db, Query(limit=limit, cursor=cursor), by=actor)


@post("/{invitation:str}/accept", permission=Permission.account, status_code=200)
async def accept_invitation(db: DB, actor: CurrentActor, invitation: FromPath[str]) -> TeamOut:
    """Join the team, by the link's secret or the id in your list (C-184)."""
    team_id = await invitations.accept(db, invitation, by=actor)
    return await listing.team(db, team_id, by=actor)


@post("/{invitation:str}/decline", permission=Permission.account, status_code=204)
async def decline_invitation(db: DB, actor: CurrentActor, invitation: FromPath[str]) -> None:
    """Stay out of the team; its owners are told."""
    await invitations.decline(db, invitation, by=actor)


router = Router(
    "/api/teams",
    route_handlers=[
        list_teams,
        create_team,
        get_team,
        change_team,
        delete_team,
        list_members,
        add_member,
        change_member,
        remove_member,
        leave_team,
        transfer_team,
        list_invitations,
        invite,
        revoke_invitation,
        resend_invitation,
    ],
    tags=["Teams"],
)
invited_router = Router(
    "/api/invitations",
    route_handlers=[my_invitations, accept_invitation, decline_invitation],
    tags=["Teams"],
)
