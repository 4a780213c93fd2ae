"""Projects that a team sees, and projects that get another owner (C-057, C-186, E-16, E-20)."""

from typing import Any

import pytest
from sqlalchemy import select, text
from tests import make
from tests.conftest import RolledBack
from tests.people import People, Person, data, message

from windlass.auth.permissions import Role
from windlass.core import ids
from windlass.core.blobs import BlobStore
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.events import EventRow
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects import jobs
from windlass.projects.models import Project
from windlass.teams import events as team_events

pytestmark = pytest.mark.anyio
Row = dict[str, Any]


async def row_of(database: RolledBack, project: Row) -> Project:
    async with database.transaction() as db:
        return await db.get_one(Project, ids.private("proj", project["id"]))


async def deployed(
    database: RolledBack, settings: Settings, project: Row, by: Person
) -> Deployment:
    source = await make.source(database, BlobStore(settings.folder / "blobs"), by.actor)
    row = await row_of(database, project)
    return await make.deployment(
        database, row, source, by.actor, status=Status.ready, is_active=True
    )


async def test_a_shared_project_is_seen_everywhere(
    ann: Person, bob: Person, shop: Row, team: Row, database: RolledBack, settings: Settings
) -> None:
    """C-057, C-186."""
    made = await deployed(database, settings, shop, ann)
    id = ids.public("depl", made.id)
    addresses = [f"/api/projects/{shop['id']}", f"/api/deployments/{id}", f"/deployments/{id}"]
    assert await bob.get("/api/projects") == await bob.get("/api/deployments") == []
    for address in addresses:
        assert (await bob.call("GET", address)).status_code == 404

    await ann.post(f"/api/projects/{shop['id']}/teams", teamId=team["id"])

    (listed,) = await bob.get("/api/projects")
    assert (listed["id"], listed["role"]) == (shop["id"], "developer")
    assert [row["id"] for row in await bob.get("/api/deployments")] == [id]
    for address in addresses:
        assert (await bob.call("GET", address)).status_code == 200
    (found,) = await bob.get("/api/teams")
    assert found["projectCount"] == 1


async def test_whose_project_it_is_and_which_plan_counts_is_said(
    ann: Person, bob: Person, shared: Row
) -> None:
    """E-16: the owner's plan, not that of who looks."""
    theirs = await bob.get(f"/api/projects/{shared['id']}")
    own = await ann.get(f"/api/projects/{shared['id']}")

    assert theirs["owner"] == {"id": ann.public, "name": "ann", "plan": "enterprise"}
    assert (theirs["ref"], own["ref"]) == (shared["id"], "shop")
    assert (theirs["role"], own["role"]) == ("developer", "owner")


async def test_unsharing_takes_the_project_away_at_once(
    ann: Person, bob: Person, shared: Row, team: Row
) -> None:
    """C-186."""
    path = f"/api/projects/{shared['id']}/teams/{team['id']}"
    assert (await bob.call("GET", f"/api/projects/{shared['id']}")).status_code == 200

    assert (await ann.call("DELETE", path)).status_code == 204

    assert (await bob.call("GET", f"/api/projects/{shared['id']}")).status_code == 404
    assert await bob.get("/api/projects") == []
    assert (await ann.call("DELETE", path)).status_code == 404


async def test_a_project_is_shared_with_a_team_once(ann: Person, shared: Row, team: Row) -> None:
    """C-186: unique [team, project]."""
    path = f"/api/projects/{shared['id']}/teams"

    again = await ann.call("POST", path, json={"teamId": team["id"]})

    assert again.status_code == 409
    (found,) = await ann.get(path)
    assert (found["teamId"], found["name"], found["members"]) == (team["id"], "Blue Whales", 1)


async def test_only_a_team_one_is_in_can_be_given_a_project(
    ann: Person, people: People, shop: Row
) -> None:
    """C-186."""
    eve = await people.make("eve")
    foreign = await eve.post("/api/teams", name="Foreign")

    answer = await ann.call(
        "POST", f"/api/projects/{shop['id']}/teams", json={"teamId": foreign["id"]}
    )

    assert answer.status_code == 404
    assert (await eve.call("GET", f"/api/projects/{shop['id']}")).status_code == 404


@pytest.mark.parametrize("role", list(Role))
async def test_who_may_share_it(
    ann: Person, people: People, shared: Row, team: Row, role: Role
) -> None:
    """C-186: the owner of the project, or an admin of it; nobody else."""
    person = await people.member(team, role, "zoe")
    own = await person.post("/api/teams", name="Own")

    answer = await person.call(
        "POST", f"/api/projects/{shared['id']}/teams", json={"teamId": own["id"]}
    )

    if role in {Role.admin, Role.owner}:
        assert answer.status_code == 201
        names = [row["name"] for row in await ann.get(f"/api/projects/{shared['id']}/teams")]
        assert names == ["Blue Whales", "Own"]
        data(await ann.call("DELETE", f"/api/projects/{shared['id']}/teams/{own['id']}"))
    else:
        assert answer.status_code == 403
        assert message(answer) == (
            "This action requires project:settings permission."
            f" Your role ({role.value.lower()}) does not have this permission."
        )


async def test_the_strongest_of_several_roles_counts(
    ann: Person, people: People, shared: Row, team: Row
) -> None:
    zoe = await people.member(team, Role.viewer, "zoe")
    second = await ann.post("/api/teams", name="Second")
    await people.join(second, zoe, Role.admin)
    assert (await zoe.get(f"/api/projects/{shared['id']}"))["role"] == "viewer"

    await ann.post(f"/api/projects/{shared['id']}/teams", teamId=second["id"])

    assert (await zoe.get(f"/api/projects/{shared['id']}"))["role"] == "admin"


async def test_ones_own_project_outranks_every_team_role(
    ann: Person, bob: Person, people: People, team: Row
) -> None:
    """C-051: the owner of a project is more on it than any role in a team."""
    zoe = await people.member(team, Role.viewer, "zoe")
    own = await zoe.post("/api/projects", name="Zoo")
    await zoe.post(f"/api/projects/{own['id']}/teams", teamId=team["id"])

    assert (await zoe.get(f"/api/projects/{own['id']}"))["role"] == "owner"
    assert (await ann.get(f"/api/projects/{own['id']}"))["role"] == "owner"
    assert (await zoe.call("DELETE", f"/api/projects/{own['id']}")).status_code == 204


async def test_a_deleted_team_shows_nothing_and_the_project_stays(
    ann: Person, bob: Person, shared: Row, team: Row
) -> None:
    """C-187."""
    data(await ann.call("DELETE", f"/api/teams/{team['id']}"))

    assert (await bob.call("GET", f"/api/projects/{shared['id']}")).status_code == 404
    assert (await ann.get(f"/api/projects/{shared['id']}"))["id"] == shared["id"]
    assert await ann.get(f"/api/projects/{shared['id']}/teams") == []


async def test_what_somebody_shared_goes_with_them(
    ann: Person, bob: Person, team: Row, database: RolledBack, settings: Settings
) -> None:
    own = await bob.post("/api/projects", name="Own")
    await bob.post(f"/api/projects/{own['id']}/teams", teamId=team["id"])
    await bob.post(f"/api/teams/{team['id']}/leave")
    keys = KeyRing.load(settings.folder / "keys")
    ctx = Ctx(settings=settings, database=database, live=Live(database), keys=keys, world=None)
    gone = team_events.MemberRemoved(
        team_id=ids.private("team", team["id"]), user_id=bob.id, role=Role.developer
    )

    for _ in range(2):
        await jobs.take_projects_along(ctx, gone)

    assert (await ann.call("GET", f"/api/projects/{own['id']}")).status_code == 404
    assert await bob.get(f"/api/projects/{own['id']}/teams") == []


async def test_a_project_changes_hands_with_all_it_has(
    ann: Person, bob: Person, shared: Row, database: RolledBack, settings: Settings
) -> None:
    """E-20, E-16: the new owner's plan counts from now on."""
    made = await deployed(database, settings, shared, ann)

    given = await ann.post(f"/api/projects/{shared['id']}/transfer", userId=bob.public)

    assert given["owner"]["id"] == bob.public
    assert given["role"] == "owner"  # ann owns the team
    assert (await bob.get("/api/projects"))[0]["ref"] == "shop"
    async with database.transaction() as db:
        owner = select(Deployment.owner_id).where(Deployment.id == made.id)
        assert await db.scalar(owner) == bob.id
        query = select(EventRow.actor_id, EventRow.user_id).where(
            EventRow.name == "projects.Transferred"
        )
        # Both find it in what they did and what happened to them.
        assert [tuple(row) for row in await db.execute(query)] == [(ann.id, bob.id)]


async def test_a_project_is_given_only_by_its_owner(
    ann: Person, people: People, shared: Row, team: Row, bob: Person
) -> None:
    """E-20: explicit, by the owner; no role in a team is enough."""
    zoe = await people.member(team, Role.owner, "zoe")
    path = f"/api/projects/{shared['id']}/transfer"

    assert (await zoe.call("POST", path, json={"userId": zoe.public})).status_code == 403
    assert (await bob.call("POST", path, json={"userId": bob.public})).status_code == 403
    await ann.post(path, userId=bob.public)
    again = await ann.call("POST", path, json={"userId": ann.public})
    assert again.status_code == 403
    assert message(again) == "Only the owner of a project can give it away."


async def test_a_project_goes_to_nobody_who_did_not_see_it(
    ann: Person, people: People, shared: Row
) -> None:
    """E-20: a member of a team it is shared with, so that nobody is given what they never saw."""
    eve = await people.make("eve")
    path = f"/api/projects/{shared['id']}/transfer"

    for id in (eve.public, "user_" + "0" * 32, "nobody"):
        assert (await ann.call("POST", path, json={"userId": id})).status_code == 404
    assert (await ann.call("POST", path, json={"userId": ann.public})).status_code == 409


async def test_a_name_in_the_way_is_said(
    ann: Person, bob: Person, shared: Row, database: RolledBack
) -> None:
    """E-20: a slug is unique among the projects of one owner."""
    other = await bob.post("/api/projects", name="Other")
    async with database.transaction() as db:
        values = {"id": ids.private("proj", other["id"])}
        await db.execute(text("update projects set slug = 'shop' where id = :id"), values)

    answer = await ann.call(
        "POST", f"/api/projects/{shared['id']}/transfer", json={"userId": bob.public}
    )

    assert answer.status_code == 409
    assert "bob already has a project with the name shop" in message(answer)
    assert (await ann.get(f"/api/projects/{shared['id']}"))["owner"]["id"] == ann.public


async def test_a_page_of_anothers_project_has_its_id_in_the_address(
    ann: Person, bob: Person, shared: Row, database: RolledBack, settings: Settings
) -> None:
    """Two people may call their projects the same."""
    async with database.transaction() as db:
        mine = await bob.post("/api/projects", name="Mine")
        values = {"id": ids.private("proj", mine["id"])}
        await db.execute(text("update projects set slug = 'shop' where id = :id"), values)
    await deployed(database, settings, shared, ann)

    for address in ("/projects", "/deployments"):
        listed = (await bob.call("GET", address)).text
        assert f'href="/projects/{shared["id"]}"' in listed
    foreign = await bob.call("GET", f"/projects/{shared['id']}")
    own = await bob.call("GET", "/projects/shop")
    assert "<h1>Shop" in foreign.text
    assert "<h1>Mine" in own.text


@pytest.mark.parametrize(
    ("role", "seen", "hidden"),
    [
        (Role.viewer, [], ["/deploy", "/environment", "/settings"]),
        (Role.developer, ["/deploy"], ["/environment", "/settings"]),
        (Role.admin, ["/deploy", "/environment", "/settings"], []),
    ],
)
async def test_a_page_offers_only_what_the_role_allows(
    ann: Person,
    people: People,
    shared: Row,
    team: Row,
    role: Role,
    seen: list[str],
    hidden: list[str],
) -> None:
    person = await people.member(team, role, "zoe")

    page = (await person.call("GET", f"/projects/{shared['id']}")).text

    base = f"/projects/{shared['id']}"
    assert [path for path in seen if f'href="{base}{path}"' not in page] == []
    assert [path for path in hidden if f'href="{base}{path}"' in page] == []


@pytest.mark.parametrize("role", list(Role))
async def test_a_deployments_page_offers_only_what_the_role_allows(
    ann: Person,
    people: People,
    shared: Row,
    team: Row,
    role: Role,
    database: RolledBack,
    settings: Settings,
) -> None:
    first = await deployed(database, settings, shared, ann)
    person = await people.member(team, role, "zoe")
    base = f"/deployments/{ids.public('depl', first.id)}"

    page = (await person.call("GET", base)).text

    offered = {
        verb
        for verb in ("redeploy", "rollback", "promote", "note", "delete")
        if f'action="{base}/{verb}"' in page
    }
    expected: dict[Role, set[str]] = {
        Role.viewer: set(),
        Role.member: set(),
        Role.developer: {"redeploy", "note", "delete"},
    }
    offered.discard("rollback" if "promote" in offered else "promote")
    assert offered - {"promote", "rollback"} == expected.get(role, {"redeploy", "note", "delete"})
    assert bool(offered & {"promote", "rollback"}) is (role in {Role.admin, Role.owner})


async def test_the_page_of_sharing_shares_ends_and_gives_away(
    ann: Person, bob: Person, shop: Row, team: Row
) -> None:
    """C-186, E-20, as a person does it."""
    page = await ann.call("GET", "/projects/shop/sharing")
    assert "Nobody else sees it." in page.text
    origin = {"origin": "http://panel.example"}

    async def send(path: str, **form: str) -> str:
        answer = await ann.client.post(f"/projects/shop/{path}", data=form, headers=origin)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    assert await send("sharing", team_id=team["id"]) == "/projects/shop/sharing?notice=shared"
    assert (await bob.call("GET", f"/projects/{shop['id']}")).status_code == 200
    ended = await send(f"sharing/{team['id']}/end")
    assert ended == "/projects/shop/sharing?notice=unshared"
    assert (await bob.call("GET", f"/projects/{shop['id']}")).status_code == 404
    await send("sharing", team_id=team["id"])
    wrong = await ann.client.post(
        "/projects/shop/transfer", data={"user_id": bob.public, "confirm": "shop"}, headers=origin
    )
    assert wrong.status_code == 422
    assert "Type Shop to give it away" in wrong.text
    given = await send("transfer", user_id=bob.public, confirm="Shop")
    assert given == "/projects?notice=transferred"
    assert (await bob.call("GET", "/projects/shop")).status_code == 200
