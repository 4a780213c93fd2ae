"""What follows for projects from facts about teams."""

from windlass.core.context import Ctx
from windlass.core.queue import on
from windlass.projects import sharing
from windlass.teams import events as teams


@on(teams.MemberRemoved)
async def take_projects_along(ctx: Ctx, event: teams.MemberRemoved) -> None:
    """Who left a team shares nothing with it any more."""
    async with ctx.transaction() as db:
        await sharing.unshare_of_owner(db, event.team_id, event.user_id)
