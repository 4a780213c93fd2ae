"""What follows from facts about teams: mails go out, and the clock closes invitations."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from windlass.auth import mailing
from windlass.core.context import Ctx
from windlass.core.queue import every, on
from windlass.teams import events, invitations

_INVITATION = text("""
select t.name as team, i.email, lower(i.role) as role, i.expires_at,
  coalesce(u.name, u.email, 'Somebody') as inviter, coalesce(a.language, u.language) as language
from team_invitations i join teams t on t.id = i.team_id left join users u on u.id = i.invited_by
left join users a on a.email = i.email and a.deleted_at is null
where i.id = :id
""")
_OWNERS = text("""
select t.name as team, t.slug, u.email, u.language
from teams t join team_members m on m.team_id = t.id join users u on u.id = m.user_id
where t.id = :id and m.role = 'OWNER' and u.email is not null and u.deleted_at is null
""")
_INVITED, _ANSWERED = "teams/mail/invitation.html", "teams/mail/answered.html"


@on(events.Invited, events.InvitationResent)
async def mail_invitation(ctx: Ctx, event: events.Invited | events.InvitationResent) -> None:
    """Send the link that leads to the invitation (C-183); it replaces an earlier one."""
    async with ctx.transaction() as db:
        token = await invitations.new_link(db, event.invitation_id)
        row = (await db.execute(_INVITATION, {"id": event.invitation_id})).one_or_none()
    if token is None or row is None:
        return
    link = f"{ctx.settings.panel_url}/invitations/{token}"
    facts = {"inviter": row.inviter, "role": row.role, "day": f"{row.expires_at:%Y-%m-%d}"}
    await mailing.send(ctx, row.email, _INVITED, row.language, link=link, team=row.team, **facts)


@on(events.InvitationAccepted)
async def tell_accepted(ctx: Ctx, event: events.InvitationAccepted) -> None:
    """Owners hear that somebody came (C-184)."""
    await _tell_owners(ctx, event.team_id, email=event.email, is_accepted=True)


@on(events.InvitationDeclined)
async def tell_declined(ctx: Ctx, event: events.InvitationDeclined) -> None:
    """Owners hear that somebody does not come (C-184)."""
    await _tell_owners(ctx, event.team_id, email=event.email, is_accepted=False)


@every("13 * * * *")
async def expire_invitations(ctx: Ctx) -> None:
    """An invitation that nobody answered within seven days is over (C-184)."""
    async with ctx.transaction() as db:
        await invitations.expire_all(db)


async def _tell_owners(ctx: Ctx, team_id: UUID, **facts: Any) -> None:
    async with ctx.transaction() as db:
        owners = (await db.execute(_OWNERS, {"id": team_id})).all()
    for owner in owners:
        link = f"{ctx.settings.panel_url}/teams/{owner.slug}"
        await mailing.send(
            ctx, owner.email, _ANSWERED, owner.language, link=link, team=owner.team, **facts
        )
