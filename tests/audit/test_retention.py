"""How long the log is kept, and that nothing else ever takes a line out of it (C-273)."""

import datetime as dt
from typing import Any

import asyncpg
import pytest
from litestar import Litestar
from tests.audit.conftest import World, entries
from tests.conftest import RolledBack

from windlass.audit import jobs
from windlass.auth.permissions import Role
from windlass.core import caller, clock, ids
from windlass.core.caller import Caller
from windlass.core.context import Ctx

pytestmark = pytest.mark.anyio


@pytest.fixture
def ctx(app: Litestar, database: RolledBack) -> Ctx:
    state = app.state
    return Ctx(state.settings, database, state.live, state.key_ring, world=None)


def ago(days: float) -> dt.datetime:
    return clock.now() - dt.timedelta(days=days)


async def left(world: World) -> set[str]:
    rows = await world.database.fetch("select id from events")
    return {ids.public("evt", row["id"]) for row in rows}


async def test_each_team_keeps_its_log_as_long_as_it_says(world: World, ctx: Ctx) -> None:
    ada = await world.person("ada")
    short, long = await world.team("short"), await world.team("long")
    await world.database.fetch("update teams set audit_retention_days = 7 where slug = 'short'")
    await world.database.fetch("update teams set audit_retention_days = 2555 where slug = 'long'")
    kept = {
        await world.happened("teams.Changed", by=ada, team=short, at=ago(6.9)),
        await world.happened("teams.Changed", by=ada, team=long, at=ago(2500)),
        await world.happened("projects.Created", by=ada, at=ago(89)),
        # Sensitive (B-144): a short time does not shorten these.
        await world.happened("teams.RoleChanged", by=ada, team=short, at=ago(80)),
        await world.happened("teams.MemberRemoved", by=ada, team=short, at=ago(80)),
        await world.happened("teams.RetentionChanged", by=ada, team=short, at=ago(80)),
        await world.happened("admin.PlanChanged", by=ada, team=short, at=ago(80)),
    }
    gone = {
        await world.happened("teams.Changed", by=ada, team=short, at=ago(7.1)),
        await world.happened("teams.RoleChanged", by=ada, team=short, at=ago(91)),
        await world.happened("teams.Changed", by=ada, team=long, at=ago(2560)),
        await world.happened("auth.SignedIn", by=ada, at=ago(91)),
        # Its team is gone.
        await world.happened("teams.Changed", by=ada, team=ids.uuid7(), at=ago(91)),
    }

    await jobs.shorten(ctx)
    once = await left(world)
    await jobs.shorten(ctx)

    assert kept <= once
    assert once & gone == set()
    assert await left(world) == once


async def test_a_long_log_is_shortened_in_batches(world: World, ctx: Ctx) -> None:
    await world.database.fetch(
        "insert into events (id, name, request_id, payload, created_at)"
        " select gen_random_uuid(), 'a.B', '', '{}',"
        " now() - interval '60 days' - (n / 100) * interval '1 day'"
        " from generate_series(0, 5999) n"
    )

    await jobs.shorten(ctx)

    rows = await world.database.fetch("select count(*) as n from events where name = 'a.B'")
    assert rows[0]["n"] == 3000


async def test_the_owner_sets_it_and_sees_first_what_would_go(world: World) -> None:
    ada, bob, eve = [await world.person(name) for name in ("ada", "bob", "eve")]
    team = await world.team("crew", a=(ada, Role.owner), b=(bob, Role.admin))
    for days in (1, 20, 40):
        await world.happened("teams.Changed", by=ada, team=team, at=ago(days))
    path = f"/api/teams/{ids.public('team', team.id)}/audit-retention"
    owner = await world.client(ada)

    before = (await owner.get(path, params={"days": 30})).json()["data"]
    changed = (await owner.put(path, json={"days": 30})).json()["data"]

    assert (before["days"], before["entries"], before["wouldGo"]) == (90, 3, 1)
    assert (changed["days"], changed["wouldGo"]) == (30, 1)
    entry = (await entries(owner, action="teams.RetentionChanged"))[0]
    assert entry["sentence"] == "Keeps the audit log for 30 days instead of 90"
    for days in (6, 2556, None, "x"):
        assert (await owner.put(path, json={"days": days})).status_code == 422
    admin, stranger = await world.client(bob), await world.client(eve)
    for client, status in ((admin, 403), (stranger, 404)):
        assert (await client.get(path)).status_code == status
        assert (await client.put(path, json={"days": 7})).status_code == status


async def test_the_page_says_what_would_go_before_it_is_decided(world: World) -> None:
    ada = await world.person("ada")
    team = await world.team("crew", a=(ada, Role.owner))
    for days in (1, 20, 40):
        await world.happened("teams.Changed", by=ada, team=team, at=ago(days))
    owner, page = await world.client(ada), "/teams/crew/audit-retention"

    assert "would-go" not in (await owner.get(page)).text
    asked = await owner.get(page, params={"days": "30"})
    assert "1 of 3 entries would be deleted" in asked.text
    assert f"The oldest is from {ago(40).date()}." in asked.text
    assert "Keep it for 30 days" in asked.text
    assert "Nothing of it would be deleted now" in (await owner.get(page, params={"days": 60})).text
    for wrong in ("6", "2556", "many", "", "9" * 30):
        for answer in (
            await owner.get(page, params={"days": wrong}),
            await owner.post(page, data={"days": wrong}),
        ):
            assert answer.status_code == 422, wrong
            assert "Choose a number of days from 7 to 2555" in answer.text
    done = await owner.post(page, data={"days": "30"})
    assert done.headers["location"] == "/teams/crew/settings?notice=saved"
    assert "It is kept for 30 days" in (await owner.get("/teams/crew/settings")).text


@pytest.mark.parametrize("statement", ["update events set name = 'x'", "delete from events"])
@pytest.mark.parametrize("is_web", [True, False])
async def test_the_database_changes_and_deletes_nothing(
    world: World, statement: str, is_web: bool
) -> None:
    """B-144: append-only, for the web process and for the owner of the tables."""
    ada = await world.person("ada")
    await world.happened(by=ada)
    caller.enter(Caller(ada.id))
    database: Any = world.database.tenants if is_web else world.database

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.fetch(statement)


@pytest.mark.parametrize("is_web", [True, False])
async def test_the_database_does_not_empty_the_log(world: World, is_web: bool) -> None:
    await world.database.fetch("select set_config('windlass.retention', 'on', true)")
    database: Any = world.database.tenants if is_web else world.database

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.fetch("truncate events")


async def test_the_flag_of_the_retention_job_is_worth_nothing_to_the_web_process(
    world: World,
) -> None:
    ada = await world.person("ada")
    await world.happened(by=ada)
    caller.enter(Caller(ada.id))
    await world.database.fetch("select set_config('windlass.retention', 'on', true)")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await world.database.tenants.fetch("delete from events")


async def test_nobody_writes_into_the_log_in_the_name_of_another(world: World) -> None:
    ada, eve = await world.person("ada"), await world.person("eve")
    caller.enter(Caller(eve.id))

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await world.database.tenants.fetch(
            "insert into events (id, name, request_id, actor_id, payload)"
            " values ($1, 'a.B', '', $2, '{}')",
            ids.uuid7(),
            ada.id,
        )
