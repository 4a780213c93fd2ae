"""Teams as a person uses them in a browser (C-181 to C-187)."""

from typing import Any

import httpx2
import pytest
from tests.conftest import RolledBack
from tests.people import People, Person

from windlass.auth.permissions import Role
from windlass.core import ids
from windlass.teams import invitations

pytestmark = pytest.mark.anyio
Team = dict[str, Any]
ORIGIN = {"origin": "http://panel.example"}
PLACES = ("", "/members", "/projects", "/invitations", "/settings")


async def send(by: Person, path: str, **form: str) -> httpx2.Response:
    return await by.client.post(path, data=form, headers=ORIGIN)


async def went(by: Person, path: str, **form: str) -> str:
    """Where a form that worked leads."""
    answer = await send(by, path, **form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_a_team_is_made_and_listed(ann: Person) -> None:
    assert "Work on projects together" in (await ann.call("GET", "/teams")).text

    assert await went(ann, "/teams/new", name="Blue Whales") == "/teams/blue-whales?notice=created"

    assert 'href="/teams/blue-whales"' in (await ann.call("GET", "/teams")).text
    taken = await send(ann, "/teams/new", name="Blue whales")
    assert taken.status_code == 409
    assert "belongs to another team" in taken.text
    assert 'value="Blue whales"' in taken.text
    empty = await send(ann, "/teams/new", name=" ")
    assert empty.status_code == 422
    assert "Name is required" in empty.text


async def test_nobody_else_finds_a_team(
    people: People, team: Team, anonymous: httpx2.AsyncClient
) -> None:
    """D-23."""
    eve = await people.make("eve")

    for place in PLACES:
        assert (await eve.call("GET", f"/teams/blue-whales{place}")).status_code == 404
        assert (await anonymous.get(f"/teams/blue-whales{place}")).status_code == 303
    assert (await send(eve, "/teams/blue-whales/leave")).status_code == 404


@pytest.mark.parametrize("role", list(Role))
async def test_a_page_offers_only_what_the_role_allows(
    people: People, team: Team, role: Role
) -> None:
    """C-053: and what it does not offer is refused in the same words as everywhere."""
    zoe = await people.member(team, role, "zoe")
    needed = {"/invitations": "team:invite", "/settings": "team:settings"}
    allowed = {
        Role.admin: {"team:invite"},
        Role.owner: {"team:invite", "team:settings"},
    }.get(role, set())

    shown = (await zoe.call("GET", "/teams/blue-whales")).text

    for place, permission in needed.items():
        assert (f'href="/teams/blue-whales{place}"' in shown) is (permission in allowed)
        answer = await zoe.call("GET", f"/teams/blue-whales{place}")
        assert answer.status_code == (200 if permission in allowed else 403)
        if permission not in allowed:
            assert (
                f"This action requires {permission} permission. Your role ({role.value.lower()})"
                " does not have this permission." in answer.text
            )
    assert ('action="/teams/blue-whales/members"' in shown) is ("team:invite" in allowed)
    log = f"/audit?team={team['id']}"
    assert (f'href="{log}"' in shown) is ("team:invite" in allowed)
    assert (await zoe.call("GET", log)).status_code == 200


async def test_somebody_is_added_changed_and_removed(
    ann: Person, people: People, team: Team
) -> None:
    """C-185, E-06."""
    bob = await people.make("bob")
    base = "/teams/blue-whales"

    added = await went(ann, f"{base}/members", email=bob.email, role="developer")
    assert added == f"{base}?notice=added"
    assert (await bob.call("GET", base)).status_code == 200
    again = await send(ann, f"{base}/members", email=bob.email, role="developer")
    assert again.status_code == 409
    assert "bob@example.com is already in this team." in again.text

    changed = await went(ann, f"{base}/members/{bob.public}/role", role="viewer")
    assert changed == f"{base}?notice=saved"
    assert (await bob.get("/api/teams"))[0]["role"] == "viewer"

    assert await went(ann, f"{base}/members/{bob.public}/remove") == f"{base}?notice=removed"
    assert (await bob.call("GET", base)).status_code == 404


async def test_an_admin_gets_no_hand_on_an_owner(ann: Person, people: People, team: Team) -> None:
    """C-185."""
    max_ = await people.member(team, Role.admin, "max")
    base = f"/teams/blue-whales/members/{ann.public}"

    shown = (await max_.call("GET", "/teams/blue-whales")).text

    assert f'action="{base}/' not in shown
    assert '<option value="owner"' not in shown
    for verb in ("role", "remove"):
        refused = await send(max_, f"{base}/{verb}", role="viewer")
        assert refused.status_code == 422
        assert "cannot change or remove an owner" in refused.text


async def test_the_last_owner_stays(ann: Person, people: People, team: Team) -> None:
    """C-185."""
    await people.member(team, Role.admin, "max")

    shown = (await ann.call("GET", "/teams/blue-whales")).text
    refused = await send(ann, "/teams/blue-whales/leave")

    assert "You are its last owner." in shown
    assert refused.status_code == 409
    assert "this is the last one" in refused.text


async def test_a_team_is_handed_over(ann: Person, people: People, team: Team) -> None:
    """C-185: one step, after which the first may go."""
    bob = await people.member(team, Role.viewer, "bob")
    eve = await people.make("eve")
    base = "/teams/blue-whales"

    for wrong in (ann, eve):
        refused = await send(ann, f"{base}/transfer", user_id=wrong.public)
        assert refused.status_code in {409, 422}
    assert await went(ann, f"{base}/transfer", user_id=bob.public) == f"{base}?notice=handed-over"

    assert [team["role"] for team in await bob.get("/api/teams")] == ["owner"]
    assert [team["role"] for team in await ann.get("/api/teams")] == ["admin"]
    again = await ann.call("POST", f"/api/teams/{team['id']}/transfer", json={"userId": bob.public})
    assert again.status_code == 403
    back = await bob.post(f"/api/teams/{team['id']}/transfer", userId=ann.public)
    assert back["role"] == "admin"
    assert await went(bob, f"{base}/leave") == "/teams?notice=left"


async def test_settings_are_saved_or_say_what_is_wrong(ann: Person, team: Team) -> None:
    base = "/teams/blue-whales"
    good = {"name": "Grey Whales", "slug": "grey"}

    wrong = await send(ann, f"{base}/settings", **good | {"slug": "no slug"})
    assert wrong.status_code == 422
    assert 'id="e-slug"' in wrong.text
    assert 'value="Grey Whales"' in wrong.text
    assert await went(ann, f"{base}/settings", **good) == "/teams/grey/settings?notice=saved"

    assert 'value="grey"' in (await ann.call("GET", "/teams/grey/settings")).text


async def test_a_team_is_deleted_by_its_typed_name(ann: Person, team: Team) -> None:
    """C-187."""
    wrong = await send(ann, "/teams/blue-whales/delete", confirm="blue whales")

    assert wrong.status_code == 422
    assert "Type Blue Whales to delete it" in wrong.text
    gone = await went(ann, "/teams/blue-whales/delete", confirm="Blue Whales")
    assert gone == "/teams?notice=deleted"
    assert (await ann.call("GET", "/teams/blue-whales")).status_code == 404


async def test_projects_are_shared_from_the_team(ann: Person, people: People, team: Team) -> None:
    """C-186."""
    shop = await ann.post("/api/projects", name="Shop")
    bob = await people.member(team, Role.member, "bob")
    base = "/teams/blue-whales/projects"
    assert "Nothing is shared with this team" in (await bob.call("GET", base)).text

    refused = await send(bob, base, project_id=shop["id"])
    assert refused.status_code == 422
    assert await went(ann, base, project_id=shop["id"]) == f"{base}?notice=shared"

    assert f'href="/projects/{shop["id"]}"' in (await bob.call("GET", base)).text
    assert [found["id"] for found in await bob.get(f"/api/projects?team={team['id']}")] == [
        shop["id"]
    ]
    other = await ann.post("/api/teams", name="Other")
    assert await ann.get(f"/api/projects?team={other['id']}") == []
    nonsense = await ann.call("GET", "/api/projects?team=blue-whales")
    assert nonsense.status_code == 400
    assert nonsense.json()["error"]["details"]["fields"][0]["field"] == "team"
    refused = await send(bob, f"{base}/{shop['id']}/end")
    assert "This action requires project:settings permission." in refused.text
    assert await went(ann, f"{base}/{shop['id']}/end") == f"{base}?notice=unshared"


async def test_invitations_are_listed_sent_again_and_withdrawn(ann: Person, team: Team) -> None:
    base = "/teams/blue-whales"
    invited = await went(ann, f"{base}/members", email="new@example.com", role="viewer")
    assert invited == f"{base}/invitations?notice=invited"
    (made,) = await ann.get(f"/api/teams/{team['id']}/invitations")

    assert "new@example.com" in (await ann.call("GET", f"{base}/invitations")).text
    again = await went(ann, f"{base}/invitations/{made['id']}/resend")
    assert again == f"{base}/invitations?notice=invited"
    gone = await went(ann, f"{base}/invitations/{made['id']}/revoke")
    assert gone == f"{base}/invitations?notice=withdrawn"
    assert "Nobody was asked yet" in (await ann.call("GET", f"{base}/invitations")).text


async def link(database: RolledBack, made: dict[str, Any]) -> str:
    async with database.transaction() as db:
        found = await invitations.new_link(db, ids.private("inv", made["id"]))
    assert found is not None
    return f"/invitations/{found}"


async def test_an_invitation_is_read_by_anybody_and_answered_by_its_address(
    ann: Person,
    people: People,
    team: Team,
    database: RolledBack,
    anonymous: httpx2.AsyncClient,
) -> None:
    """C-184."""
    bob, eve = await people.make("bob", is_verified=False), await people.make("eve")
    made = await ann.post(f"/api/teams/{team['id']}/invitations", email=bob.email)
    path = await link(database, made)

    unknown = await anonymous.get(path)
    assert f"/sign-in?next={path}" in unknown.text
    assert "Join Blue Whales" in unknown.text
    assert (await anonymous.post(f"{path}/accept", headers=ORIGIN)).status_code == 303
    other = await eve.call("GET", path)
    assert other.status_code == 403
    assert "for another e-mail address than yours" in other.text
    unconfirmed = await bob.call("GET", path)
    assert unconfirmed.status_code == 403
    assert "Confirm your e-mail address first" in unconfirmed.text
    assert (await anonymous.get("/invitations/join_nothing")).status_code == 404


async def test_an_invitation_is_accepted_once(
    ann: Person, people: People, team: Team, database: RolledBack
) -> None:
    """C-184."""
    bob = await people.make("bob")
    made = await ann.post(f"/api/teams/{team['id']}/invitations", email=bob.email)
    path = await link(database, made)
    assert "Blue Whales" in (await bob.call("GET", "/teams")).text
    assert f'action="{path}/accept"' in (await bob.call("GET", path)).text

    assert await went(bob, f"{path}/accept") == "/teams/blue-whales?notice=joined"

    over = await bob.call("GET", path)
    assert over.status_code == 410
    assert "already accepted" in over.text
    assert (await send(bob, f"{path}/accept")).status_code == 410


async def test_an_invitation_is_declined_in_the_list(
    ann: Person, people: People, team: Team
) -> None:
    """C-184."""
    bob = await people.make("bob")
    made = await ann.post(f"/api/teams/{team['id']}/invitations", email=bob.email)

    declined = await went(bob, f"/invitations/{made['id']}/decline")

    assert declined == "/teams?notice=declined"
    assert "Waiting for your answer" not in (await bob.call("GET", "/teams")).text
    assert "Declined" in (await ann.call("GET", "/teams/blue-whales/invitations")).text
