"""The queue: who builds next, how many at once, and that nobody waits for ever."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import msgspec
import pytest

from windlass.adapters.postgres import EmbeddedPostgres
from windlass.auth.plans import ALLOWANCES
from windlass.core import ids, loop, migrations
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.db import Database
from windlass.core.live import Live
from windlass.core.settings import Builds, Settings
from windlass.deployments import admission
from windlass.deployments.models import Deployment

pytestmark = pytest.mark.anyio
QUEUE = next(found for found in loop.LOOPS if found.model is Deployment)
FILL = """
insert into deployments (id, project_id, owner_id, source_id, status, site_slug, host, settings,
  created_at, turn_at)
select gen_random_uuid(), p.id, p.owner_id, s.id, 'QUEUED', 'x', 'x', '{}', at,
  at + make_interval(secs => level * 100)
from projects p join users u on u.id = p.owner_id join sources s on s.owner_id = u.id,
  generate_series(1, $1::int) n,
  lateral (select now() - make_interval(secs => (n * 7919 + p.number * 31) % 600) as at,
    (array[0, 5, 10])[1 + (n + p.number) % 3] as level) drawn
"""
PLACE = """
update deployments set created_at = now() - make_interval(secs => $3),
  turn_at = now() - make_interval(secs => $3 - $2::int * 100) where id = $1
"""
END = """
update deployments set status = 'READY', finished_at = now(), lease_token = null,
  lease_until = null, attempt = attempt + 1
where id = $1 and status = 'BUILDING' and lease_token is not null returning owner_id
"""

CANCEL = "update deployments set status = 'CANCELLED', finished_at = now() where id = $1"
BLOCKED = "select 1 from pg_stat_activity where $1 = any(pg_blocking_pids(pid))"
# The rule itself, slowly: of each owner the first that waits, unless the owner's plan is full or
# the project is busy; it stands where its turn says, or where the owner's last one began.
NEXT = """
with busy as (
  select owner_id, project_id from deployments where status in ('BUILDING', 'DEPLOYING')
)
select first.id from users u
cross join lateral (
  select d.id, d.turn_at, d.turn_at - d.created_at as later from deployments d
  where d.owner_id = u.id and d.status = 'QUEUED'
    and d.project_id not in (select project_id from busy) order by d.turn_at, d.id limit 1
) first
where u.is_admin or (select count(*) from busy where busy.owner_id = u.id)
  < (cast($1::text as jsonb) ->> u.plan::text)::int
order by greatest(first.turn_at, first.later + (
  select max(started_at) from deployments d where d.owner_id = u.id
)), first.id limit 1
"""
_DRAWN = (
    "(select id from deployments where status = any({})"
    " order by md5(id::text || $1::float) limit 1)"
)
_ANY, _WAITS, _RUNS = (
    _DRAWN.format(each)
    for each in ("'{QUEUED,BUILDING,DEPLOYING,READY}'", "'{QUEUED}'", "'{BUILDING,DEPLOYING}'")
)
HAPPENINGS = (
    f"update deployments set status = 'READY', finished_at = now() where id = {_RUNS}",
    f"update deployments set status = 'READY', finished_at = now() where id = {_RUNS}",
    f"update deployments set status = 'DEPLOYING' where id = {_RUNS}",
    f"update deployments set status = 'CANCELLED' where id = {_WAITS}",
    f"update deployments set status = 'QUEUED' where id = {_ANY}",
    f"update deployments set turn_at = now() - interval '1 h' * $1 where id = {_WAITS}",
    f"delete from deployments where id = {_ANY}",
    "update users set plan = 'TEAM' where plan = 'FREE' and $1 > 0.9",
    # A project is given away: what waits of it stands in the line of the other one.
    "update projects set owner_id = (select id from users order by md5(id::text || $1::float)"
    " limit 1) where id = (select id from projects order by md5($1::float || id::text) limit 1)",
    "insert into deployments (id, project_id, owner_id, source_id, site_slug, host, settings,"
    " status) select gen_random_uuid(), project_id, owner_id, source_id, 'x', 'x', '{}', 'QUEUED'"
    f" from deployments where id = {_ANY}",
)


async def people(database: Database, plans: list[str], *, projects: int) -> None:
    for number, plan in enumerate(plans):
        user = ids.uuid7()
        await database.fetch(
            "insert into users (id, email, plan) values ($1, $2, $3)", user, f"{number}@x.io", plan
        )
        await database.fetch(
            "insert into sources (id, owner_id, kind, status) values ($1, $2, 'upload', 'READY')",
            ids.uuid7(),
            user,
        )
        for at in range(projects):
            await database.fetch(
                "insert into projects (id, owner_id, name, slug) values ($1, $2, 'X', $3)",
                ids.uuid7(),
                user,
                f"p{number}-{at}",
            )


@pytest.fixture(scope="module")
def queue_url(postgres: EmbeddedPostgres) -> str:
    """A database of its own, where what is written stays."""
    asyncio.run(_create(postgres.url_of("postgres")))
    url = postgres.url_of("queue")
    migrations.alembic(url, "upgrade", "head")
    return url


async def _create(url: str) -> None:
    admin = await asyncpg.connect(url)
    await admin.execute("create database queue")
    await admin.close()


@pytest.fixture
async def apart(queue_url: str, settings: Settings, key_ring: KeyRing) -> AsyncIterator[Ctx]:
    """A worker's view of it, on a machine with memory for all that a test lets in."""
    settings = msgspec.structs.replace(settings, builds=Builds(memory_bytes=1 << 20))
    database = Database(queue_url, pool_size=4)
    await database.fetch("truncate users, queue_line, queue_changes cascade")
    yield Ctx(settings, database, Live(database), key_ring, None)
    await database.close()


async def test_nobody_is_over_the_limit_and_nobody_starves_whoever_looks_at_once(
    apart: Ctx,
) -> None:
    """C-142, C-143: four workers, each row ended once."""
    plans = ["FREE", "PRO", "TEAM", "ENTERPRISE", "FREE", "FREE", "PRO", "FREE"]
    await people(apart.database, plans, projects=3)
    await apart.database.fetch(FILL, 20)
    limits = {
        row["id"]: ALLOWANCES[row["plan"]].concurrent_builds
        for row in await apart.database.fetch("select id, plan from users")
    }
    running: Counter[UUID] = Counter()
    owners: dict[UUID, UUID] = {}
    order: list[UUID] = []
    ended: list[UUID] = []

    async def work(seed: int) -> None:
        drawn = random.Random(seed)
        held: list[UUID] = []
        while len(ended) < 480:
            _, rows = await QUEUE.claim(apart, 3 - len(held))
            for row in rows:
                owners[row.id] = row.owner_id
                running[row.owner_id] += 1
                assert running[row.owner_id] <= limits[row.owner_id]
                order.append(row.owner_id)
            held += [row.id for row in rows]
            for id in drawn.sample(held, min(len(held), drawn.randint(0, 2))):
                running[owners[id]] -= 1
                held.remove(id)
                assert len(await apart.database.fetch(END, id)) == 1
                ended.append(id)

    await asyncio.wait_for(asyncio.gather(*(work(seed) for seed in range(4))), 60)

    assert len(set(ended)) == len(ended) == 480
    attempts = await apart.database.fetch("select distinct status, attempt from deployments")
    assert [tuple(row) for row in attempts] == [("READY", 1)]
    # All eight get turns from the beginning, however many somebody else's wait.
    assert set(order[:40]) == set(limits)


async def test_who_sends_a_thousand_waits_for_who_came_with_one(apart: Ctx) -> None:
    await people(apart.database, ["FREE", "FREE"], projects=1)
    await apart.database.fetch(FILL, 500)
    many, one = await apart.database.fetch("select id from users order by email")
    kept = await apart.database.fetch(
        "select id from deployments where owner_id = $1 limit 1", one["id"]
    )
    await apart.database.fetch(PLACE, kept[0]["id"], 0, 5.0)
    await apart.database.fetch(
        "delete from deployments where owner_id = $1 and id <> $2", one["id"], kept[0]["id"]
    )
    served: list[UUID] = []

    for _ in range(3):
        _, [row] = await QUEUE.claim(apart, 1)
        served.append(row.owner_id)
        await apart.database.fetch(END, row.id)

    assert served[1] == one["id"]
    assert Counter(served) == {many["id"]: 2, one["id"]: 1}


async def test_production_goes_first_and_what_is_less_important_is_not_forgotten(
    apart: Ctx,
) -> None:
    """C-141, D-44: a level waits 100 seconds longer, not for ever."""
    await people(apart.database, ["FREE"], projects=1)
    await apart.database.fetch(FILL, 3)
    levels = [(10, 1500), (0, 100), (5, 550)]
    rows = await apart.database.fetch("select id from deployments")
    for row, (level, ago) in zip(rows, levels, strict=True):
        await apart.database.fetch(PLACE, row["id"], level, float(ago))
    order: list[int] = []
    for _ in rows:
        _, [found] = await QUEUE.claim(apart, 1)
        order.append(round((found.turn_at - found.created_at).total_seconds() / 100))
        await apart.database.fetch(END, found.id)

    # The low one has waited 25 minutes; the preview nine, which is not enough.
    assert order == [10, 0, 5]


async def test_a_dead_worker_gives_its_place_back(apart: Ctx) -> None:
    """C-144: when its lease is over, somebody else goes on with the same deployment."""
    await people(apart.database, ["FREE"], projects=2)
    await apart.database.fetch(FILL, 1)
    _, [taken] = await QUEUE.claim(apart, 5)
    assert (await QUEUE.claim(apart, 5))[1] == []

    await apart.database.fetch("update deployments set lease_until = now() - interval '1 s'")

    _, again = await QUEUE.claim(apart, 5)
    assert [row.id for row in again] == [taken.id]


async def test_a_machine_without_memory_builds_one_at_a_time(
    apart: Ctx, settings: Settings
) -> None:
    """A build may use all of its limit; more of them than fit would take the host down."""
    huge = msgspec.structs.replace(settings, builds=Builds(memory_bytes=1 << 50, concurrency=8))
    small = Ctx(huge, apart.database, apart.live, apart.keys, None)
    await people(apart.database, ["ENTERPRISE", "ENTERPRISE"], projects=4)
    await apart.database.fetch(FILL, 1)

    first = (await QUEUE.claim(small, 8))[1]
    second = (await QUEUE.claim(small, 8))[1]

    assert (len(first), second) == (1, [])
    assert len((await QUEUE.claim(apart, 3))[1]) == 3


async def test_one_that_is_cancelled_at_this_moment_is_not_begun(apart: Ctx) -> None:
    """The worker chose it, waits for who cancels it, and leaves it alone then."""
    await people(apart.database, ["FREE", "FREE"], projects=1)
    await apart.database.fetch(FILL, 1)
    first, other = await apart.database.fetch("select id from deployments order by turn_at, id")
    person = await asyncpg.connect(apart.database.url)
    cancelling = person.transaction()
    await cancelling.start()
    await person.execute(CANCEL, first["id"])

    claim = asyncio.create_task(QUEUE.claim(apart, 1))
    async with asyncio.timeout(60):
        while not await apart.database.fetch(BLOCKED, person.get_server_pid()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await cancelling.commit()
        _, rows = await claim
    await person.close()

    assert [row.id for row in rows] == [other["id"]]
    rows = await apart.database.fetch("select status from deployments where id = $1", first["id"])
    assert rows[0]["status"] == "CANCELLED"


@pytest.mark.parametrize("seed", range(2))
async def test_the_line_is_what_a_look_at_all_owners_would_say(apart: Ctx, seed: int) -> None:
    """Whatever happens to deployments: who is let in is the first by the rule, each time."""
    drawn = random.Random(seed)
    await people(apart.database, ["FREE", "PRO", "FREE", "TEAM", "PRO"], projects=2)
    await apart.database.fetch("update users set is_admin = true where email = '0@x.io'")
    await apart.database.fetch(FILL, 4)
    plans = json.dumps({plan: it.concurrent_builds for plan, it in ALLOWANCES.items()})
    let_in = 0
    for _ in range(120):
        await apart.database.fetch(drawn.choice(HAPPENINGS), drawn.random())
        expected = await apart.database.fetch(NEXT, plans)
        _, rows = await QUEUE.claim(apart, 1)
        assert [row.id for row in rows] == [row["id"] for row in expected]
        let_in += len(rows)
    assert let_in


@pytest.mark.parametrize(
    "wrong",
    [
        "delete from queue_line",
        "update queue_line set deployment_id = gen_random_uuid()",
        "update queue_line set stands_at = stands_at + interval '1 y' * random()",
    ],
)
async def test_a_line_that_is_wrong_is_made_anew_when_a_worker_starts(
    apart: Ctx, wrong: str
) -> None:
    """As after a backup that was brought back in parts."""
    await people(apart.database, ["FREE", "PRO", "FREE"], projects=2)
    await apart.database.fetch(FILL, 2)
    plans = json.dumps({plan: it.concurrent_builds for plan, it in ALLOWANCES.items()})
    assert len((await QUEUE.claim(apart, 2))[1]) == 2
    await apart.database.fetch(wrong)
    await apart.database.fetch("delete from queue_changes")

    async with apart.transaction() as db:
        await admission.look_again(db)

    for _ in range(2):
        expected = await apart.database.fetch(NEXT, plans)
        _, rows = await QUEUE.claim(apart, 1)
        assert [row.id for row in rows] == [row["id"] for row in expected]
    assert rows
