"""The queue under 10,000 waiting deployments of 200 owners: what one look for work costs.

First one look alone, in turns with the function as it was before the line was kept (it walked over
all owners): the call, its commit, and the whole look of a worker. Then four workers claim and end
deployments until none is left. Printed: the time of a claim that admits, how many an owner had at
once against the plan, who waited longest for a first turn, and that each ended once.

    .venv/bin/python -m benchmarks.queue [--owners 200] [--each 50] [--looks 300]
"""

import argparse
import asyncio
import json
import runpy
import shutil
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

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
CALL = "select * from {}('bench:1:1', $1, interval '15 s', 1, 8, cast($2::text as jsonb))"
PLANS = json.dumps({plan: it.concurrent_builds for plan, it in ALLOWANCES.items()})


async def alone(ctx: Ctx, url: str, looks: int) -> list[UUID]:
    """One look at a time, of both versions in turns; prints them and returns whose began."""
    before = migrations.folder() / "versions" / "2026-11-21-2140_admission.py"
    former: str = runpy.run_path(str(before))["ADMIT"]
    connection = await asyncpg.connect(url, server_settings={"jit": "off"})
    await connection.execute(former.replace("queue_admit", "queue_admit_before", 1))
    calls: dict[str, list[float]] = {"queue_admit_before": [], "queue_admit": []}
    commits: list[float] = []
    whole: list[float] = []
    began: list[UUID] = []
    for _ in range(looks):
        for name, times in calls.items():
            async with connection.transaction():
                at = time.perf_counter()
                found = await connection.fetch(CALL.format(name), uuid4(), PLANS)
                times.append(time.perf_counter() - at)
                at = time.perf_counter()
            commits.append(time.perf_counter() - at)
            for row in found:
                await ctx.database.fetch(END, row["id"])
                began.append(row["owner_id"])
        at = time.perf_counter()
        _, rows = await QUEUE.claim(ctx, 1)
        whole.append(time.perf_counter() - at)
        for row in rows:
            await ctx.database.fetch(END, row.id)
            began.append(row.owner_id)
    await connection.close()
    for name, times in calls.items():
        print(f"{name + ', the call:':34}{_shown(times)}")
    print(f"{'its commit:':34}{_shown(commits)}")
    print(f"{'a whole look of a worker:':34}{_shown(whole)}")
    was, now = (statistics.median(times) for times in calls.values())
    print(f"ratio of the calls: {was / now:.1f}")
    return began


async def empty(ctx: Ctx, left: int, order: list[UUID]) -> None:
    """Four workers until nothing waits; prints what they saw. `order` is who had turns before."""
    rows = await ctx.database.fetch("select id, plan from users")
    limits: dict[UUID, int] = {row["id"]: ALLOWANCES[row["plan"]].concurrent_builds for row in rows}
    running: Counter[UUID] = Counter()
    times: list[float] = []
    most_over = 0

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
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    took = time.perf_counter() - began
    first = [order.index(owner) for owner in limits]
    ended = await ctx.database.fetch(
        "select status, attempt, count(*) from deployments group by 1, 2"
    )
    print(f"the rest of {len(order):,} deployments of {len(limits)} owners ended in {took:.1f} s")
    print(f"one admission, {WORKERS} workers at once: {_shown(times)}")
    print(f"most that an owner was over the plan: {max(most_over, 0)}")
    print(f"the last owner to get a first turn was number {max(first) + 1} in order")
    print("ended:", ", ".join(f"{n} {status}, {attempt} time" for status, attempt, n in ended))


def _shown(times: list[float]) -> str:
    p95 = statistics.quantiles(times, n=20)[-1]
    return f"p50 {statistics.median(times) * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms"


async def measure(home: Path, owners: int, each: int, looks: int, url: str) -> None:
    database = Database(url, pool_size=WORKERS + 1)
    for text, values in ((PEOPLE, (owners,)), (PROJECTS, ()), (SOURCES, ()), (FILL, (each // 5,))):
        await database.fetch(text, *values)
    await database.fetch("analyze")
    keys = home / "keys"
    keys.mkdir()
    ctx = Ctx(Settings(home=str(home)), database, Live(database), KeyRing.load(keys), None)
    began = await alone(ctx, url, looks)
    await empty(ctx, owners * (each // 5) * 5 - len(began), began)
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--owners", type=int, default=200)
    parser.add_argument("--each", type=int, default=50)
    parser.add_argument("--looks", type=int, default=300)
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="wlb"))
    postgres = EmbeddedPostgres(home, uid=210_000)
    asyncio.run(postgres.start())
    try:
        migrations.alembic(postgres.url, "upgrade", "head")
        asyncio.run(measure(home, given.owners, given.each, given.looks, postgres.url))
    finally:
        asyncio.run(postgres.stop())
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
