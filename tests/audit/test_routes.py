"""The log through HTTP: what an entry says, what finds it, and who may see it (B.19)."""

import datetime as dt
from typing import Any

import httpx2
import pytest
from tests import make
from tests.audit.conftest import World, entries
from tests.conftest import PANEL

from windlass.auth.permissions import Role
from windlass.core import ids

pytestmark = pytest.mark.anyio
SENT = {"user-agent": "curl/8.5.0", "x-forwarded-for": "198.51.100.4"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def said(found: list[dict[str, Any]]) -> list[str]:
    return [entry["sentence"] for entry in found]


async def test_an_entry_says_who_did_what_to_whom_when_from_where_and_by_which_request(
    world: World,
) -> None:
    """C-271."""
    ada, bob = await world.person("ada"), await world.person("bob")
    team = await world.team("crew", a=(ada, Role.owner), b=(bob, Role.member))
    id = await world.happened(
        "teams.RoleChanged",
        by=ada,
        user=bob,
        team=team,
        agent=FIREFOX,
        role="ADMIN",
        previous="MEMBER",
        team_id=team.id,
        user_id=bob.id,
    )

    found = await entries(await world.client(ada), action="teams.RoleChanged")

    entry = found[0]
    assert entry.pop("createdAt")
    assert entry == {
        "id": id,
        "type": "teams",
        "action": "teams.RoleChanged",
        "sentence": "Changed the role of bob from member to admin",
        "actor": {"id": ids.public("user", ada.id), "name": "ada"},
        "user": {"id": ids.public("user", bob.id), "name": "bob"},
        "project": None,
        "team": {"id": ids.public("team", team.id), "name": "Crew"},
        "address": "203.0.113.7",
        "userAgent": "Firefox on Linux",
        "requestId": "req_1",
        "metadata": {"role": "ADMIN", "previous": "MEMBER"},
    }


async def test_what_is_done_through_the_api_is_in_the_log_with_its_request(
    world: World,
) -> None:
    """B-144, C-271."""
    client = await world.client(await world.person("ada"))

    made = await client.post("/api/projects", json={"name": "Shop"}, headers=SENT)

    entry = (await entries(client, type="projects"))[0]
    assert entry["sentence"] == "Created the project shop"
    assert entry["requestId"] == made.headers["x-request-id"]
    assert (entry["userAgent"], entry["address"]) == ("curl 8.5.0", "127.0.0.1")
    assert entry["project"] == {"id": made.json()["data"]["id"], "name": "Shop"}


async def test_no_secret_of_a_fact_is_shown_or_can_be_found_by_guessing(world: World) -> None:
    """B-145."""
    ada = await world.person("ada")
    await world.happened(
        "teams.Invited",
        by=ada,
        email="x@y.z",
        token_sealed="s3cr3tvalue",
        password="hunter2",
        invitation_id=ids.uuid7(),
    )
    client = await world.client(ada)

    answer = await client.get("/api/audit", params={"action": "teams.Invited"})

    assert "s3cr3t" not in answer.text
    assert "hunter2" not in answer.text
    assert answer.json()["data"][0]["metadata"].keys() == {"email", "invitationId"}
    assert await entries(client, search="s3cr3t") == []
    assert await entries(client, search="hunter") == []
    assert len(await entries(client, search="X@y")) == 1


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"type": "auth"}, {"in", "out"}),
        ({"action": "auth.SignedOut"}, {"out"}),
        ({"from": "2026-02-11"}, {"out", "made"}),
        ({"to": "2026-02-10"}, {"in"}),
        ({"from": "2026-02-11T00:00:00Z", "to": "2026-02-11T12:00:00+00:00"}, {"out"}),
        ({"search": "SHOP%"}, set()),
        ({"search": "sHoP"}, {"made"}),
        ({"type": "auth", "to": "2026-02-10", "search": "signedin"}, {"in"}),
        ({"type": "projects", "action": "auth.SignedOut"}, set()),
    ],
)
async def test_filters_combine(world: World, asked: dict[str, str], expected: set[str]) -> None:
    ada = await world.person("ada")
    ids_of = {
        "in": await world.happened("auth.SignedIn", by=ada, at=day(10)),
        "out": await world.happened("auth.SignedOut", by=ada, at=day(11)),
        "made": await world.happened("projects.Created", by=ada, at=day(12), slug="shop"),
    }
    client = await world.client(ada)

    found = {entry["id"] for entry in await entries(client, **asked)}

    assert found & set(ids_of.values()) == {ids_of[name] for name in expected}


def day(number: int) -> dt.datetime:
    return dt.datetime(2026, 2, number, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("actor", "'; drop table events; --"),
        ("user", "user_zz"),
        ("project", "depl_00000000000000000000000000000000"),
        ("team", "1 or 1=1"),
        ("from", "yesterday"),
        ("to", "0001-01-01"),
        ("from", "9999-12-31T23:59:59+14:00"),
        ("sort", "createdAt; drop table events"),
        ("limit", "0"),
        ("cursor", "WyJhIl0"),
        ("search", "x" * 201),
    ],
)
async def test_a_filter_that_is_none_is_refused(world: World, name: str, value: str) -> None:
    client = await world.client(await world.person("ada"))

    answer = await client.get("/api/audit", params={name: value})

    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("name", ["type", "action", "search"])
async def test_sql_in_a_text_filter_is_only_text(world: World, name: str) -> None:
    client = await world.client(await world.person("ada"))

    for text in ("' or '1'='1", "%", "_", "\\", "auth' union select null --", "{0}", "%s $1"):
        assert await entries(client, **{name: text}) == []


async def test_what_others_do_is_theirs_alone_whatever_is_asked_for(world: World) -> None:
    """F-14: every filter with the id of somebody else's thing shows nothing."""
    ada, eve = await world.person("ada"), await world.person("eve")
    project = await make.project(world.database, ada)
    team = await world.team("crew", a=(ada, Role.owner))
    id = await world.happened("auth.SignedIn", by=ada, user=ada, project=project, team=team)
    theirs = {
        "actor": ids.public("user", ada.id),
        "user": ids.public("user", ada.id),
        "project": ids.public("proj", project.id),
        "team": ids.public("team", team.id),
        "action": "auth.SignedIn",
        "type": "auth",
        "search": "Signed",
    }
    client, owner = await world.client(eve), await world.client(ada)

    for name, value in theirs.items():
        assert id in [entry["id"] for entry in await entries(owner, **{name: value})]
        for path in ("/api/audit", "/api/auth/activity"):
            assert id not in [e["id"] for e in await entries(client, path, **{name: value})]
    activity = f"/api/projects/{theirs['project']}/activity"
    assert (await client.get(activity)).status_code == 404
    assert (await client.get("/api/admin/audit")).status_code == 403
    assert (await client.get("/api/admin/audit", params=theirs)).status_code == 403


async def test_a_team_is_read_by_its_admins_and_not_by_its_members(world: World) -> None:
    people = {role: await world.person(role.value.lower()) for role in Role}
    team = await world.team("crew", **{r.value: (a, r) for r, a in people.items()})
    await world.happened("teams.Changed", by=people[Role.owner], team=team, fields=["name"])

    for role, person in people.items():
        found = await entries(await world.client(person), action="teams.Changed")
        assert bool(found) is (role in {Role.admin, Role.owner}), role


async def test_a_viewer_reads_what_happens_in_a_project_but_not_from_where_nor_its_variables(
    world: World,
) -> None:
    ada, vic = await world.person("ada"), await world.person("vic")
    project = await make.project(world.database, ada)
    await world.share(project, await world.team("crew", a=(ada, Role.owner), v=(vic, Role.viewer)))
    await world.happened("projects.VariableSet", by=ada, project=project, key="STRIPE_KEY")
    await world.happened("deployments.Queued", by=ada, project=project, agent=FIREFOX)
    activity = f"/api/projects/{ids.public('proj', project.id)}/activity"

    viewer = await entries(await world.client(vic), activity)
    owner = await entries(await world.client(ada), activity)

    assert said(viewer) == ["Started a deployment", "Created the project shop"]
    assert (viewer[0]["address"], viewer[0]["userAgent"]) == (None, None)
    assert viewer[0]["actor"]["name"] == "ada"
    assert len(owner) == 3
    assert (owner[0]["address"], owner[0]["userAgent"]) == ("203.0.113.7", "Firefox on Linux")
    assert await entries(await world.client(vic), search="STRIPE") == []


async def test_ones_own_feed_holds_ones_acts_and_what_was_done_to_one(world: World) -> None:
    """C-270."""
    ada, bob = await world.person("ada"), await world.person("bob")
    project = await make.project(world.database, ada)
    team = await world.team("crew", a=(ada, Role.owner), b=(bob, Role.owner))
    await world.share(project, team)
    mine = await world.happened("deployments.Queued", by=bob, project=project)
    done_to_me = await world.happened("teams.RoleChanged", by=ada, user=bob, team=team)
    other = await world.happened("deployments.Queued", by=ada, project=project)
    client = await world.client(bob)

    feed = {entry["id"] for entry in await entries(client, "/api/auth/activity")}

    assert {mine, done_to_me} <= feed
    assert other not in feed
    assert other in {entry["id"] for entry in await entries(client)}


async def test_who_tried_ones_password_is_seen_by_oneself_with_the_address(world: World) -> None:
    ada = await world.person("ada")
    await world.happened("auth.SignInFailed", user=ada, address="198.51.100.9")

    entry = (await entries(await world.client(ada), action="auth.SignInFailed"))[0]

    assert (entry["actor"], entry["address"]) == (None, "198.51.100.9")
    assert entry["sentence"] == "Sign in failed"


async def test_an_administrator_reads_everything_by_a_route_of_its_own(world: World) -> None:
    ada = await world.person("ada")
    await world.happened("auth.SignedIn", by=ada)
    admin = await world.client(await world.person("root", is_admin=True))
    asked = {"actor": ids.public("user", ada.id), "action": "auth.SignedIn"}

    everything = await entries(admin, "/api/admin/audit", **asked)

    assert [entry["actor"]["name"] for entry in everything] == ["ada"]
    assert everything[0]["address"] == "203.0.113.7"
    assert await entries(admin, **asked) == []


async def test_nobody_reads_the_log_without_signing_in(anonymous: httpx2.AsyncClient) -> None:
    for path in (
        "/api/audit",
        "/api/auth/activity",
        "/api/admin/audit",
        "/api/projects/x/activity",
    ):
        assert (await anonymous.get(PANEL + path)).status_code == 401


async def test_a_token_for_deploying_does_not_read_the_log(world: World) -> None:
    ada = await world.person("ada")
    client = await world.client(ada)
    await world.database.fetch("update tokens set scopes = '{deploy:create,project:read}'")

    assert (await client.get("/api/audit")).status_code == 403
    assert (await client.get("/api/auth/activity")).status_code == 403
