"""What follows for clusters from facts about teams."""

from sqlalchemy import update

from windlass.clusters.models import Cluster
from windlass.core.context import Ctx
from windlass.core.queue import on
from windlass.teams import events as teams


@on(teams.MemberRemoved)
async def take_clusters_along(ctx: Ctx, event: teams.MemberRemoved) -> None:
    """Who left a team shares nothing with it any more."""
    query = update(Cluster).where(
        Cluster.team_id == event.team_id, Cluster.owner_id == event.user_id
    )
    async with ctx.transaction() as db:
        await db.execute(query.values(team_id=None))
