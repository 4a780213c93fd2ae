"""The queue under 10,000 waiting deployments of 200 owners: what one look for work costs.

Four workers claim and end deployments until none is left. Printed: the time of a claim that
admits, how many an owner had at once against the plan, who waited longest for a first turn, and
that each ended once.

    .venv/bin/python -m benchmarks.queue [--owners 200] [--each 50]
"""

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from uuid import UUID

from windlass.adapters.postgres import EmbeddedPostgres
from windlass.auth.plans import ALLOWANCES
from windlass.core import loop, migrations
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.db import Database
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.deployments import reconcile
from windlass.deployments.models import Deployment

QUEUE = next(found for found in loop.LOOPS if found.step is reconcile.advance)
WORKERS, SLOTS = 4, 4
PEOPLE = """
insert into users (id, email, plan) select gen_random_uuid(), n || '@example.com',
  (array['FREE', 'PRO', 'TEAM', 'ENTERPRISE'])[1 + n % 4] from generate_series(1, $1::int) n
"""
PROJECTS = """
insert into projects (id, owner_id, name, slug) select gen_random_uuid(), u.id, 'X',
  'p' || n || '-' || left(u.id::text, 8) from users u, generate_series(1, 5) n
"""
SOURCES = """
insert into sources (id, owner_id, kind, status)
select gen_random_uuid(), id, 'upload', 'READY' from users
"""
FILL = """
insert into deployments (id, project_id, owner_id, source_id, status, site_slug, host, settings,
  created_at, turn_at)
select gen_random_uuid(), p.id, p.owner_id, s.id, 'QUEUED', 'x', 'x', '{}', at,
  at + make_interval(secs => level * 100)
from projects p join sources s on s.owner_id = p.owner_id, generate_series(1, $1::int) n,
  lateral (select now() - make_interval(secs => random() * 3600 + n) as at,
    (array[0, 5, 10])[1 + (n + p.number) % 3] as level) drawn
"""
END = """
update deployments set status = 'READY', finished_at = now(), build_time_seconds = 1,
  attempt = attempt + 1, lease_token = null, lease_until = null
where id = $1 and status = 'BUILDING'
"""


async def empty(ctx: Ctx, total: int) -> None:
    """Four workers until nothing waits; prints what they saw."""
    rows = await ctx.database.fetch("select id, plan from users")
    limits: dict[UUID, int] = {row["id"]: ALLOWANCES[row["plan"]].concurrent_builds for row in rows}
    running: Counter[UUID] = Counter()
    times: list[float] = []
    order: list[UUID] = []
    most_over = 0
    left = total

    async def work() -> None:
        nonlocal left, most_over
        held: list[Deployment] = []
        while left > 0:
            began = time.perf_counter()
            _, found = await QUEUE.claim(ctx, SLOTS - len(held))
            if found:
                times.append((time.perf_counter() - began) / len(found))
            for row in found:
                running[row.owner_id] += 1
                most_over = max(most_over, running[row.owner_id] - limits[row.owner_id])
                order.append(row.owner_id)
            held += found
            if held:
                row = held.pop(0)
                running[row.owner_id] -= 1
                left -= 1
                await ctx.database.fetch(END, row.id)
            else:
                await asyncio.sleep(0.01)

    began = time.perf_counter()
    # One alone first: what a look costs when nobody else looks.
    alone: list[float] = []
    for _ in range(200):
        at = time.perf_counter()
        _, found = await QUEUE.claim(ctx, 1)
        alone.append(time.perf_counter() - at)
        for row in found:
            await ctx.database.fetch(END, row.id)
            order.append(row.owner_id)
            left -= 1
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    took = time.perf_counter() - began
    first = [order.index(owner) for owner in limits]
    ended = await ctx.database.fetch(
        "select status, attempt, count(*) from deployments group by 1, 2"
    )
    print(f"{total:,} deployments of {len(limits)} owners ended in {took:.1f} s")
    print(f"a look that admits one, alone:    {_shown(alone)}")
    print(f"one admission, {WORKERS} workers at once: {_shown(times)}")
    print(f"most that an owner was over the plan: {max(most_over, 0)}")
    print(f"the last owner to get a first turn was number {max(first) + 1} in order")
    print("ended:", ", ".join(f"{n} {status}, {attempt} time" for status, attempt, n in ended))


def _shown(times: list[float]) -> str:
    p95 = statistics.quantiles(times, n=20)[-1]
    return f"p50 {statistics.median(times) * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms"


async def measure(home: Path, owners: int, each: int, url: str) -> None:
    database = Database(url, pool_size=WORKERS + 1)
    for text, values in ((PEOPLE, (owners,)), (PROJECTS, ()), (SOURCES, ()), (FILL, (each // 5,))):
        await database.fetch(text, *values)
    await database.fetch("analyze")
    keys = home / "keys"
    keys.mkdir()
    ctx = Ctx(Settings(home=str(home)), database, Live(database), KeyRing.load(keys), None)
    await empty(ctx, owners * (each // 5) * 5)
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--owners", type=int, default=200)
    parser.add_argument("--each", type=int, default=50)
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="wlb"))
    postgres = EmbeddedPostgres(home, uid=210_000)
    asyncio.run(postgres.start())
    try:
        migrations.alembic(postgres.url, "upgrade", "head")
        asyncio.run(measure(home, given.owners, given.each, postgres.url))
    finally:
        asyncio.run(postgres.stop())
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
