"""Teams and who is in them (C-180 to C-182, C-185, C-187)."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import select, text
from tests.conftest import RolledBack
from tests.people import People, Person, data, message

from windlass.auth.permissions import Role
from windlass.core.events import EventRow

pytestmark = pytest.mark.anyio
Team = dict[str, Any]


async def test_who_makes_a_team_owns_it(ann: Person) -> None:
    """C-181."""
    answer = await ann.call("POST", "/api/teams", json={"name": "  Blue Whales "})

    made = answer.json()["data"]
    assert answer.status_code == 201
    assert made["id"].startswith("team_")
    assert (made["name"], made["slug"], made["role"]) == ("Blue Whales", "blue-whales", "owner")
    assert (made["memberCount"], made["projectCount"]) == (1, 0)
    assert await ann.get(f"/api/teams/{made['id']}") == made


async def test_two_teams_never_have_the_same_address(
    ann: Person, people: People, team: Team
) -> None:
    """C-181, C-022."""
    bob = await people.make("bob")

    answer = await bob.call("POST", "/api/teams", json={"name": "Blue whales!"})

    assert answer.status_code == 409
    assert "blue-whales" in message(answer)
    assert await bob.get("/api/teams") == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "???"}, "name"),
        ({"name": "New"}, "name"),
        ({"name": "a\x07b"}, "name"),
        ({"name": "a", "slug": "A b"}, "slug"),
        ({"name": "a", "isAdmin": True}, "isAdmin"),
        ({}, "name"),
    ],
)
async def test_a_wrong_team_is_refused_by_field(
    ann: Person, body: dict[str, Any], field: str
) -> None:
    """C-072, C-088, C-181."""
    answer = await ann.call("POST", "/api/teams", json=body)

    assert answer.status_code == 422, answer.text
    assert [f["field"] for f in answer.json()["error"]["details"]["fields"]] == [field]


async def test_a_list_shows_ones_own_teams_page_by_page(ann: Person, people: People) -> None:
    """C-182, C-076, C-077."""
    for name in ("Carp", "Bass", "Ape"):
        await ann.post("/api/teams", name=name)
    bob = await people.make("bob")
    await bob.post("/api/teams", name="Foreign")

    first = (await ann.call("GET", "/api/teams?limit=2&sort=name")).json()
    cursor = first["meta"]["pagination"]["cursor"]
    second = (await ann.call("GET", f"/api/teams?limit=2&sort=name&cursor={cursor}")).json()

    assert [team["name"] for team in first["data"]] == ["Ape", "Bass"]
    assert [team["name"] for team in second["data"]] == ["Carp"]
    assert second["meta"]["pagination"] == {"hasMore": False}
    newest = await ann.get("/api/teams")
    assert [team["name"] for team in newest] == ["Ape", "Bass", "Carp"]
    for wrong in ("limit=0", "sort=role", "cursor=nonsense", f"sort=-name&cursor={cursor}"):
        assert (await ann.call("GET", f"/api/teams?{wrong}")).status_code == 400


async def test_a_list_draws_a_few_people_and_tells_no_address(
    ann: Person, people: People, team: Team
) -> None:
    """C-182: at most a few member avatars, no full member records."""
    for number in range(5):
        await people.member(team, Role.viewer, f"member{number}")

    (found,) = await ann.get("/api/teams")

    assert found["memberCount"] == 6
    assert len(found["faces"]) == 4
    assert set(found["faces"][0]) == {"name", "image"}
    assert "@" not in str(found)


async def test_a_team_is_changed_by_its_owner(ann: Person, team: Team) -> None:
    changed = {"name": "Grey Whales", "slug": "grey", "auditRetentionDays": 365}

    answer = await ann.call("PATCH", f"/api/teams/{team['id']}", json=changed)

    assert data(answer).items() >= changed.items()
    await ann.post("/api/teams", name="Other")
    taken = await ann.call("PATCH", f"/api/teams/{team['id']}", json={"slug": "other"})
    assert taken.status_code == 409
    facts = [
        await ann.get(f"/api/audit?action=teams.{name}") for name in ("Changed", "RetentionChanged")
    ]
    assert [found["sentence"] for found in facts[0]] == ["Changed settings of the team: name, slug"]
    assert [found["metadata"] for found in facts[1]] == [{"days": 365, "previous": 90}]
    await ann.call("PATCH", f"/api/teams/{team['id']}", json=changed)
    assert await ann.get("/api/audit?action=teams.Changed") == facts[0]
    short = {"auditRetentionDays": 1}
    assert (await ann.call("PATCH", f"/api/teams/{team['id']}", json=short)).status_code == 422


async def test_a_deleted_team_leaves_nothing_behind(
    ann: Person, people: People, team: Team, database: RolledBack
) -> None:
    """C-187."""
    viewer = await people.member(team, Role.viewer)
    await ann.post(f"/api/teams/{team['id']}/invitations", email="new@example.com")

    assert (await ann.call("DELETE", f"/api/teams/{team['id']}")).status_code == 204

    for person in (ann, viewer):
        assert (await person.call("GET", f"/api/teams/{team['id']}")).status_code == 404
        assert await person.get("/api/teams") == []
    async with database.transaction() as db:
        left = text(
            "select (select count(*) from team_members) + (select count(*) from team_invitations)"
        )
        assert await db.scalar(left) == 0


async def test_members_are_listed_in_the_order_they_came(
    ann: Person, people: People, team: Team
) -> None:
    await people.member(team, Role.viewer)
    await people.member(team, Role.admin)
    path = f"/api/teams/{team['id']}/members"

    found = (await ann.call("GET", f"{path}?limit=2")).json()

    assert {member["role"] for member in found["data"]} <= {"owner", "viewer", "admin"}
    cursor = found["meta"]["pagination"]["cursor"]
    rest = await ann.get(f"{path}?limit=2&cursor={cursor}")
    everybody = [member["id"] for member in found["data"] + rest]
    assert len(everybody) == len(set(everybody)) == 3


async def test_an_account_that_exists_is_added_at_once(
    ann: Person, people: People, team: Team
) -> None:
    """E-06."""
    bob = await people.make("bob")

    added = await ann.post(
        f"/api/teams/{team['id']}/members", email="BOB@example.com", role="developer"
    )

    assert added["outcome"] == "added"
    assert added["invitation"] is None
    assert (added["member"]["id"], added["member"]["role"]) == (bob.public, "developer")
    assert (await bob.get(f"/api/teams/{team['id']}"))["role"] == "developer"
    again = await ann.call(
        "POST", f"/api/teams/{team['id']}/members", json={"email": "bob@example.com"}
    )
    assert again.status_code == 409


@pytest.mark.parametrize("exists", [False, True])
async def test_an_address_that_nobody_confirmed_is_invited(
    ann: Person, people: People, team: Team, exists: bool
) -> None:
    """E-06: somebody may have signed up with an address that is not theirs."""
    if exists:
        await people.make("bob", is_verified=False)

    added = await ann.post(f"/api/teams/{team['id']}/members", email="bob@example.com")

    assert added["outcome"] == "invited"
    assert added["member"] is None
    assert added["invitation"]["email"] == "bob@example.com"
    assert added["invitation"]["status"] == "pending"


async def test_a_role_is_changed_and_the_change_counts_at_once(
    ann: Person, people: People, team: Team
) -> None:
    """C-185."""
    bob = await people.member(team, Role.viewer, "bob")
    path = f"/api/teams/{team['id']}/members/{bob.public}"
    invite = {"email": "x@example.com"}
    assert (
        await bob.call("POST", f"/api/teams/{team['id']}/invitations", json=invite)
    ).status_code == 403

    changed = data(await ann.call("PATCH", path, json={"role": "admin"}))

    assert changed["role"] == "admin"
    await bob.post(f"/api/teams/{team['id']}/invitations", **invite)


async def test_an_admin_makes_no_owner_and_touches_none(
    ann: Person, people: People, team: Team
) -> None:
    """C-183, C-185, F-18."""
    admin = await people.member(team, Role.admin)
    viewer = await people.member(team, Role.viewer)
    base = f"/api/teams/{team['id']}"

    async def refused(method: str, path: str, body: dict[str, str] | None = None) -> str:
        answer = await admin.call(method, base + path, **({"json": body} if body else {}))
        assert answer.status_code == 403, answer.text
        return message(answer)

    grant = "Your role (admin) cannot grant the role owner. An owner of the team can."
    for path in (f"/members/{viewer.public}", f"/members/{admin.public}"):
        assert await refused("PATCH", path, {"role": "owner"}) == grant
    for path in ("/members", "/invitations"):
        assert await refused("POST", path, {"email": "n@example.com", "role": "owner"}) == grant
    touch = "Your role (admin) cannot change or remove an owner. Another owner of the team can."
    assert await refused("PATCH", f"/members/{ann.public}", {"role": "viewer"}) == touch
    assert await refused("DELETE", f"/members/{ann.public}") == touch
    data(await admin.call("PATCH", f"{base}/members/{viewer.public}", json={"role": "admin"}))
    data(await admin.call("DELETE", f"{base}/members/{viewer.public}"))
    assert len(await ann.get(f"{base}/members")) == 2


async def test_the_last_owner_stays(ann: Person, people: People, team: Team) -> None:
    """C-185: neither removed, nor demoted, nor gone."""
    admin = await people.member(team, Role.admin)
    base = f"/api/teams/{team['id']}"
    own = f"{base}/members/{ann.public}"

    answers = [
        await ann.call("PATCH", own, json={"role": "admin"}),
        await ann.call("DELETE", own),
        await ann.call("POST", f"{base}/leave"),
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert "last one" in message(answers[0])
    data(await ann.call("PATCH", f"{base}/members/{admin.public}", json={"role": "owner"}))
    assert (await ann.call("POST", f"{base}/leave")).status_code == 204
    assert (await ann.call("GET", base)).status_code == 404
    assert (await admin.call("POST", f"{base}/leave")).status_code == 409


async def test_who_leaves_or_is_removed_sees_the_team_no_more(
    ann: Person, people: People, team: Team
) -> None:
    viewer = await people.member(team, Role.viewer)
    member = await people.member(team, Role.member)

    await viewer.post(f"/api/teams/{team['id']}/leave")
    data(await ann.call("DELETE", f"/api/teams/{team['id']}/members/{member.public}"))

    for person in (viewer, member):
        assert (await person.call("GET", f"/api/teams/{team['id']}")).status_code == 404
    gone = await ann.call("DELETE", f"/api/teams/{team['id']}/members/{member.public}")
    assert gone.status_code == 404


async def test_every_change_of_a_team_is_on_record(
    ann: Person, people: People, team: Team, database: RolledBack
) -> None:
    """Who, what and which team: that is what an audit log is read by."""
    bob = await people.make("bob")
    base = f"/api/teams/{team['id']}"
    await ann.post(f"{base}/members", email=bob.email)
    data(await ann.call("PATCH", f"{base}/members/{bob.public}", json={"role": "viewer"}))
    await bob.post(f"{base}/leave")
    data(await ann.call("DELETE", base))

    async with database.transaction() as db:
        query = select(EventRow.name, EventRow.actor_id, EventRow.user_id).order_by(EventRow.id)
        rows = (await db.execute(query.where(EventRow.team_id.is_not(None)))).all()
    assert [tuple(row) for row in rows] == [
        ("teams.Created", ann.id, None),
        ("teams.MemberAdded", ann.id, bob.id),
        ("teams.RoleChanged", ann.id, bob.id),
        ("teams.MemberRemoved", bob.id, bob.id),
        ("teams.Deleted", ann.id, None),
    ]


async def test_a_narrowed_token_does_not_do_what_its_owner_may(
    ann: Person, team: Team, database: RolledBack
) -> None:
    """C-055: tokens narrow, never widen."""
    async with database.transaction() as db:
        await db.execute(text("update tokens set scopes = '{team:read}'"))

    assert (await ann.call("GET", f"/api/teams/{team['id']}")).status_code == 200
    answers: list[httpx2.Response] = [
        await ann.call("DELETE", f"/api/teams/{team['id']}"),
        await ann.call("POST", "/api/teams", json={"name": "Another"}),
        await ann.call("GET", "/api/invitations"),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
