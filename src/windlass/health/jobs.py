"""What is swept up by the clock."""

import datetime as dt

from sqlalchemy import delete

from windlass.core import clock
from windlass.core.context import Ctx
from windlass.core.idempotency import KEPT_HOURS, IdempotentAnswer
from windlass.core.queue import every


@every("23 * * * *")
async def forget_answers(ctx: Ctx) -> None:
    """Answers to an Idempotency-Key are given again for a day."""
    oldest = clock.now() - dt.timedelta(hours=KEPT_HOURS)
    async with ctx.database.transaction() as db:
        await db.execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_at < oldest))
