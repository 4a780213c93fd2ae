"""A long log: paged without gaps or doubles, and always answered by an index."""

import random
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx2
import msgspec
import pytest
from litestar import Litestar
from tests import make
from tests.audit.conftest import World, entries

from windlass.audit import listing
from windlass.audit.listing import Seen
from windlass.auth.models import Actor
from windlass.auth.permissions import Role
from windlass.core import caller, ids
from windlass.core.caller import Caller

pytestmark = pytest.mark.anyio

_MANY = """
insert into events (id, name, request_id, actor_id, user_id, project_id, team_id, payload,
  created_at)
select gen_random_uuid(),
  (array['auth.SignedIn', 'projects.Changed', 'deployments.Queued'])[1 + n % 3], '',
  (array[$1::uuid, $2::uuid, gen_random_uuid()])[1 + n % 3], case when n % 7 = 0 then $1::uuid end,
  case when n % 5 = 0 then $3::uuid end, case when n % 11 = 0 then $4::uuid end,
  '{"slug": "shop"}', now() - (n / 3) * interval '1 second'
from generate_series(1, $5::int) n
"""


async def pages(
    client: httpx2.AsyncClient, path: str, *, sort: str, between: Callable[[], Awaitable[None]]
) -> list[str]:
    """The ids of all pages; something may happen between them."""
    found: list[str] = []
    asked: dict[str, str] = {"sort": sort, "limit": "100"}
    while True:
        answer = await client.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        found += [entry["id"] for entry in answer.json()["data"]]
        pagination = answer.json()["meta"]["pagination"]
        if not pagination["hasMore"]:
            return found
        asked["cursor"] = pagination["cursor"]
        await between()


@pytest.mark.parametrize("sort", ["-createdAt", "createdAt"])
async def test_ten_thousand_entries_are_paged_without_gaps_or_doubles_while_new_ones_come(
    world: World, app: Litestar, sort: str
) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    project = await make.project(world.database, ada)
    team = await world.team("crew", a=(ada, Role.owner), b=(bob, Role.owner))
    await world.database.fetch(_MANY, ada.id, bob.id, project.id, team.id, 18_000)
    before = await world.database.fetch(
        "select id from events where $1 in (actor_id, user_id) or project_id = $2 or team_id = $3",
        ada.id,
        project.id,
        team.id,
    )
    expected = {ids.public("evt", row["id"]) for row in before}
    client = await world.client(ada)
    known = {row["id"] for row in await world.database.fetch("select id from events")}

    async def something_happens() -> None:
        app.state.limiter.reset()
        await world.happened(by=random.choice([ada, bob]), project=project)

    found = await pages(client, "/api/audit", sort=sort, between=something_happens)

    assert len(expected) > 10_000
    assert len(found) == len(set(found))
    old = {ids.public("evt", id) for id in known}
    assert {id for id in found if id in old} >= expected
    if sort == "-createdAt":
        assert {id for id in found if id not in old} == set()


async def test_a_cursor_of_another_list_or_person_is_refused(world: World) -> None:
    ada, eve = await world.person("ada"), await world.person("eve")
    for _ in range(3):
        await world.happened(by=ada)
    client, other = await world.client(ada), await world.client(eve)
    answer = await client.get("/api/audit", params={"limit": 1})
    cursor = answer.json()["meta"]["pagination"]["cursor"]

    assert await entries(client, cursor=cursor, limit=1)
    for who, path, more in (
        (other, "/api/audit", {}),
        (client, "/api/auth/activity", {}),
        (client, "/api/audit", {"sort": "createdAt"}),
        (client, "/api/deployments", {}),
    ):
        answer = await who.get(path, params={"cursor": cursor, **more})
        assert answer.status_code == 400


_COMBINATIONS: list[tuple[str, ...]] = [
    (),
    ("type",),
    ("action",),
    ("actor",),
    ("user",),
    ("project",),
    ("team",),
    ("since", "until"),
    ("search",),
    ("type", "actor", "since", "search"),
]


async def test_two_hundred_thousand_entries_are_answered_by_index(world: World) -> None:
    """No filter, order or page ever reads the table from end to end."""
    ada, bob = await world.person("ada"), await world.person("bob")
    project = await make.project(world.database, ada)
    team = await world.team("crew", a=(ada, Role.owner))
    await world.database.fetch(_MANY, ada.id, bob.id, project.id, team.id, 200_000)
    await world.database.fetch("analyze events")
    values = {
        "type": "projects",
        "action": "projects.Changed",
        "actor": ids.public("user", bob.id),
        "user": ids.public("user", ada.id),
        "project": ids.public("proj", project.id),
        "team": ids.public("team", team.id),
        "since": "2020-01-01",
        "until": "2100-01-01",
        "search": "shop",
    }
    for names in _COMBINATIONS:
        asked = {name: values[name] for name in names}
        for seen in Seen:
            for down in (True, False):
                await _is_by_index(world, ada, asked, seen=seen, down=down)


async def _is_by_index(
    world: World, actor: Actor, asked: dict[str, str], *, seen: Seen, down: bool
) -> None:
    filters = listing.values_of(msgspec.convert(asked, listing.Query))
    text = listing.statement(tuple(filters), seen=seen, down=down, has_cursor=False)
    values: list[UUID | object] = [51, actor.id, *filters.values()]
    if seen is Seen.everything:
        values[1] = None
    caller.enter(Caller(actor.id))
    database = world.database if seen is Seen.everything else world.database.tenants
    await world.database.fetch("set local plan_cache_mode = force_generic_plan")
    begun = time.perf_counter()
    plan = await database.fetch(f"explain (analyze, buffers) {text}", *values)
    seconds = time.perf_counter() - begun
    lines = "\n".join(row[0] for row in plan)
    print(f"{seconds * 1000:8.1f} ms {seen.value:10} {'desc' if down else 'asc':4} {sorted(asked)}")
    assert "Seq Scan on events" not in lines, f"{sorted(asked)} {seen}\n{lines}"
