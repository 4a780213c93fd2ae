"""Who builds next. The table is the queue, and one statement admits (C-141, C-142, D-44).

Each owner's first waiting deployment stands in the line, unless the plan's number of them builds
already or its project is busy. It stands where its turn says: when it was queued, 100 seconds
later for each level of priority, so that nothing waits for ever behind what is more important. The
next one of an owner counts as queued when their last one started: who sends a thousand waits for
everybody who came meanwhile with one. Admins of the platform are limited by the machine alone.
"""

import os
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.plans import ALLOWANCES
from windlass.core.context import Ctx
from windlass.core.live import announce
from windlass.core.loop import HOLDER
from windlass.core.settings import Builds
from windlass.deployments.models import Deployment

# Two workers that look at the same moment would both see the last free place.
_ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtext('deployments.admission'))"
_LOOK = """
select exists (select from deployments where status = 'QUEUED') as waits, count(*) as running,
  count(*) filter (where started_at > now() - interval '1 minute') as young
from deployments where lease_holder = :holder and status = 'BUILDING'
"""
_PLACES = " ".join(f"when '{plan}' then {it.concurrent_builds}" for plan, it in ALLOWANCES.items())
_ADMIT = f"""
with recursive waiting (owner_id) as (
  (select owner_id from deployments where status = 'QUEUED' order by owner_id limit 1)
  union all
  select (
    select d.owner_id from deployments d
    where d.status = 'QUEUED' and d.owner_id > waiting.owner_id order by d.owner_id limit 1
  ) from waiting where waiting.owner_id is not null
),
busy as materialized (
  select owner_id, project_id from deployments where status in ('BUILDING', 'DEPLOYING')
),
next as (
  select first.id from waiting
  join users u on u.id = waiting.owner_id
  cross join lateral (
    select d.id, d.turn_at, d.turn_at - d.created_at as later from deployments d
    where d.owner_id = waiting.owner_id and d.status = 'QUEUED'
      and d.project_id not in (select project_id from busy)
    order by d.turn_at, d.id limit 1
  ) first
  left join lateral (
    select d.started_at from deployments d
    where d.owner_id = waiting.owner_id and d.started_at is not null
    order by d.started_at desc limit 1
  ) last on true
  where u.is_admin
    or (select count(*) from busy where busy.owner_id = u.id) < case u.plan {_PLACES} end
  order by greatest(first.turn_at, last.started_at + first.later), first.id limit :places
)
update deployments set status = 'BUILDING', started_at = clock_timestamp(),
  lease_token = :token, lease_holder = :holder, check_at = now(),
  lease_until = now() + make_interval(secs => :seconds)
from next where deployments.id = next.id returning deployments.*
"""


async def admit(
    ctx: Ctx, db: AsyncSession, places: int, token: UUID, seconds: float
) -> list[Deployment]:
    """Start up to this many that wait, as this worker's, as far as the machine has room."""
    waits, running, young = (await db.execute(text(_LOOK), {"holder": HOLDER})).one()
    if waits:
        places = min(places, _room(ctx.settings.builds, running, young))
        await db.execute(text(_ONE_AT_A_TIME))
    admitted: list[Deployment] = []
    values = {"token": token, "holder": HOLDER, "seconds": seconds}
    # One of each owner at a time, so that the limits are looked at again.
    while waits and len(admitted) < places:
        query = select(Deployment).from_statement(text(_ADMIT))
        rows = await db.scalars(query, values | {"places": places - len(admitted)})
        found = list(rows)
        waits = bool(found)
        admitted += found
    for deployment in admitted:
        await announce(db, f"deployment:{deployment.id}", f"project:{deployment.project_id}")
    return admitted


def slots(builds: Builds) -> int:
    """Builds that run at the same time on this machine: as it is set, or one for each core."""
    return builds.concurrency or len(os.sched_getaffinity(0))


def _room(builds: Builds, running: int, young: int) -> int:
    """How many more builds the memory of this machine carries, each with all that it may use.

    One that began just now has not taken its memory yet. One alone is always let in: its own limit
    ends it before the machine suffers.
    """
    room = free_memory_bytes() // builds.memory_bytes - young
    return max(room, 0 if running else 1)


def free_memory_bytes() -> int:
    """Memory that this machine can give away now, by the kernel's own estimate."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0
