"""By the clock: deliveries are remembered for as long as a host may send them again."""

from sqlalchemy import delete, func

from windlass.core.context import Ctx
from windlass.core.queue import every
from windlass.webhooks.models import Delivery

DAYS = 30


@every("23 4 * * *")
async def forget_deliveries(ctx: Ctx) -> None:
    """No host sends a delivery again after so long."""
    async with ctx.transaction() as db:
        old = Delivery.created_at < func.now() - func.make_interval(0, 0, 0, DAYS)
        await db.execute(delete(Delivery).where(old))
