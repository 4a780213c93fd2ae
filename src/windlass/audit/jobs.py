"""By the clock: the log is shortened."""

from windlass.audit import retention
from windlass.audit.retention import Position
from windlass.core import log
from windlass.core.context import Ctx
from windlass.core.queue import every

_BATCH = 1000


@every("41 3 * * *")
async def shorten(ctx: Ctx) -> None:
    """Delete what was kept long enough, in short transactions (C-273)."""
    position: Position | None = Position()
    total = 0
    while position is not None:
        async with ctx.transaction() as db:
            gone, position = await retention.shorten(db, position, batch=_BATCH)
        total += gone
    log.get().info("audit.shortened", entries=total)
