"""What follows from facts about teams, and what the clock does to invitations."""

from windlass.core.context import Ctx
from windlass.core.queue import every
from windlass.teams import invitations


@every("13 * * * *")
async def expire_invitations(ctx: Ctx) -> None:
    """An invitation that nobody answered within seven days is over (C-184)."""
    async with ctx.transaction() as db:
        await invitations.expire_all(db)
