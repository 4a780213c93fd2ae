"""Who builds next. The table is the queue, and one statement admits (C-141, C-142, D-44): it is
the function `queue_admit` of the database.

Each owner's first waiting deployment stands in the line, unless the plan's number of them builds
already or its project is busy. It stands where its turn says: when it was queued, 100 seconds
later for each level of priority, so that nothing waits for ever behind what is more important. The
next one of an owner counts as queued when their last one started: who sends a thousand waits for
everybody who came meanwhile with one. Admins of the platform are limited by the machine alone.

That line is a table, `queue_line`. Who queues, cancels or ends a deployment only notes whose place
may be another now (a trigger writes `queue_changes`); whoever admits looks at those owners again
and takes the first. So a look costs what has changed, however many wait. What is kept may be wrong
after hands in the database, or a backup that was brought back in parts: a worker that starts has
everybody looked at.
"""

import json
import os
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.plans import ALLOWANCES
from windlass.core.context import Ctx
from windlass.core.loop import HOLDER
from windlass.core.settings import Builds
from windlass.deployments.models import Deployment

_ADMIT = text(
    "select * from queue_admit(:holder, :token, make_interval(secs => :seconds), :places, :room,"
    " cast(:plans as jsonb))"
)
_PLANS = json.dumps({plan: it.concurrent_builds for plan, it in ALLOWANCES.items()})


async def admit(
    ctx: Ctx, db: AsyncSession, places: int, token: UUID, seconds: float
) -> list[Deployment]:
    """Start up to this many that wait, as this worker's, as far as the machine has room.

    A build that began just now has not taken its memory yet: the statement counts it off. One
    alone is always let in: its own limit ends it before the machine suffers.
    """
    values = {
        "holder": HOLDER,
        "token": token,
        "seconds": seconds,
        "places": places,
        "room": free_memory_bytes() // ctx.settings.builds.memory_bytes,
        "plans": _PLANS,
    }
    return list(await db.scalars(select(Deployment).from_statement(_ADMIT), values))


_EVERYBODY = text(
    "insert into queue_changes (owner_id)"
    " select owner_id from deployments where status = 'QUEUED'"
    " union select owner_id from queue_line"
)


async def look_again(db: AsyncSession) -> None:
    """Whoever admits next makes the line anew, of everybody who waits or stands in it."""
    await db.execute(_EVERYBODY)


def slots(builds: Builds) -> int:
    """Builds that run at the same time on this machine: as it is set, or one for each core."""
    return builds.concurrency or len(os.sched_getaffinity(0))


def free_memory_bytes() -> int:
    """Memory that this machine can give away now, by the kernel's own estimate."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0
