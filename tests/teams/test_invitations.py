"""Asking people to come, and their answers (C-183, C-184, F-18)."""

from typing import Any

import pytest
from sqlalchemy import select, text, update
from tests.conftest import RolledBack
from tests.people import People, Person, data, message

from windlass.auth.permissions import Role
from windlass.core import ids
from windlass.core.events import EventRow
from windlass.teams import invitations
from windlass.teams.models import TeamInvitation

pytestmark = pytest.mark.anyio
Team = dict[str, Any]
EXPIRE = text("update team_invitations set expires_at = now() - interval '1 minute'")


async def invited(by: Person, team: Team, email: str, role: str = "member") -> dict[str, Any]:
    return await by.post(f"/api/teams/{team['id']}/invitations", email=email, role=role)


async def link(database: RolledBack, made: dict[str, Any]) -> str:
    """The secret in the mail."""
    async with database.transaction() as db:
        found = await invitations.new_link(db, ids.private("inv", made["id"]))
    assert found is not None
    return found


async def test_an_invitation_is_open_for_seven_days_and_shows_no_secret(
    ann: Person, team: Team, database: RolledBack
) -> None:
    """C-183."""
    made = await invited(ann, team, "New@Example.com", "developer")

    assert made["id"].startswith("inv_")
    assert (made["email"], made["role"], made["status"]) == (
        "new@example.com",
        "developer",
        "pending",
    )
    assert made["invitedBy"] == "ann"
    assert await ann.get(f"/api/teams/{team['id']}/invitations") == [made]
    async with database.transaction() as db:
        days = "select extract(day from expires_at - now() + interval '1 hour') from"
        assert await db.scalar(text(f"{days} team_invitations")) == 7
        (payload,) = await db.scalars(
            select(EventRow.payload).where(EventRow.name == "teams.Invited")
        )
    assert set(payload) == {"team_id", "invitation_id", "email", "role"}


async def test_accepting_lets_in_with_the_role_that_was_asked(
    ann: Person, people: People, team: Team, database: RolledBack
) -> None:
    """C-184."""
    bob = await people.make("bob")
    made = await invited(ann, team, bob.email, "developer")
    secret = await link(database, made)
    assert await bob.get("/api/invitations") == [made]

    joined = await bob.post(f"/api/invitations/{secret}/accept")

    assert (joined["id"], joined["role"], joined["memberCount"]) == (team["id"], "developer", 2)
    assert await bob.get("/api/invitations") == []
    (listed,) = await ann.get(f"/api/teams/{team['id']}/invitations")
    assert listed["status"] == "accepted"
    for ref in (secret, made["id"]):
        again = await bob.call("POST", f"/api/invitations/{ref}/accept")
        assert again.status_code == 410
        assert message(again) == "This invitation was already accepted. It works once."


async def test_the_list_of_the_invited_is_enough_without_the_link(
    ann: Person, people: People, team: Team
) -> None:
    bob = await people.make("bob")
    made = await invited(ann, team, bob.email)

    joined = await bob.post(f"/api/invitations/{made['id']}/accept")

    assert joined["id"] == team["id"]


async def test_who_declined_can_be_asked_again(ann: Person, people: People, team: Team) -> None:
    """C-184, F-18: [team, e-mail] is unique among the open ones only."""
    bob = await people.make("bob")
    first = await invited(ann, team, bob.email)
    await bob.post(f"/api/invitations/{first['id']}/decline")
    assert (await bob.call("GET", f"/api/teams/{team['id']}")).status_code == 404

    second = await invited(ann, team, bob.email)
    await bob.post(f"/api/invitations/{second['id']}/decline")
    third = await invited(ann, team, bob.email)

    assert len({first["id"], second["id"], third["id"]}) == 3
    assert (await bob.post(f"/api/invitations/{third['id']}/accept"))["id"] == team["id"]


async def test_one_invitation_is_open_for_an_address(
    ann: Person, people: People, team: Team
) -> None:
    """C-183."""
    await invited(ann, team, "new@example.com")
    path = f"/api/teams/{team['id']}/invitations"

    again = await ann.call("POST", path, json={"email": "NEW@example.com"})
    member = await ann.call("POST", path, json={"email": ann.email})

    assert again.status_code == member.status_code == 409
    assert "was already invited" in message(again)
    assert message(member) == "ann@example.com is already in this team."
    other = await ann.post("/api/teams", name="Other")
    assert (await invited(ann, other, "new@example.com"))["status"] == "pending"


async def test_an_expired_invitation_is_410_and_does_not_block_the_next(
    ann: Person, people: People, team: Team, database: RolledBack
) -> None:
    """C-184, C-074: expired → EXPIRED and 410."""
    bob = await people.make("bob")
    made = await invited(ann, team, bob.email)
    secret = await link(database, made)
    async with database.transaction() as db:
        await db.execute(EXPIRE)

    for verb in ("accept", "decline"):
        for ref in (secret, made["id"]):
            answer = await bob.call("POST", f"/api/invitations/{ref}/{verb}")
            assert answer.status_code == 410
            assert "expired on" in message(answer)
    (listed,) = await ann.get(f"/api/teams/{team['id']}/invitations")
    assert listed["status"] == "expired"
    assert await bob.get("/api/invitations") == []
    fresh = await invited(ann, team, bob.email)
    assert (await bob.post(f"/api/invitations/{fresh['id']}/accept"))["id"] == team["id"]


async def test_the_clock_closes_what_nobody_answered(
    ann: Person, team: Team, database: RolledBack
) -> None:
    await invited(ann, team, "late@example.com")
    async with database.transaction() as db:
        await db.execute(EXPIRE)
    await invited(ann, team, "new@example.com")

    async with database.transaction() as db:
        assert await invitations.expire_all(db) == 1
        assert await invitations.expire_all(db) == 0
        query = select(TeamInvitation.status).order_by(TeamInvitation.email)
        assert [status.value for status in await db.scalars(query)] == ["EXPIRED", "PENDING"]


async def test_an_invitation_is_for_one_address(
    ann: Person, people: People, team: Team, database: RolledBack
) -> None:
    """C-184: the e-mail must match."""
    eve = await people.make("eve")
    made = await invited(ann, team, "bob@example.com")
    secret = await link(database, made)

    for verb in ("accept", "decline"):
        by_link = await eve.call("POST", f"/api/invitations/{secret}/{verb}")
        assert by_link.status_code == 403
        assert "bob" not in by_link.text
        by_id = await eve.call("POST", f"/api/invitations/{made['id']}/{verb}")
        assert by_id.status_code == 404
    assert await eve.get("/api/invitations") == []


async def test_an_address_that_is_not_confirmed_opens_nothing(
    ann: Person, people: People, team: Team, database: RolledBack
) -> None:
    """C-184: anybody can sign up with somebody's address."""
    bob = await people.make("bob", is_verified=False)
    made = await invited(ann, team, bob.email)
    secret = await link(database, made)

    by_link = await bob.call("POST", f"/api/invitations/{secret}/accept")

    assert by_link.status_code == 403
    assert "Confirm your e-mail address" in message(by_link)
    assert (await bob.call("POST", f"/api/invitations/{made['id']}/accept")).status_code == 404
    assert await bob.get("/api/invitations") == []


async def test_a_withdrawn_invitation_leads_nowhere(
    ann: Person, people: People, team: Team, database: RolledBack
) -> None:
    bob = await people.make("bob")
    made = await invited(ann, team, bob.email)
    secret = await link(database, made)
    path = f"/api/teams/{team['id']}/invitations/{made['id']}"

    assert (await ann.call("DELETE", path)).status_code == 204

    for ref in (secret, made["id"]):
        assert (await bob.call("POST", f"/api/invitations/{ref}/accept")).status_code == 404
    assert (await ann.call("DELETE", path)).status_code == 404


async def test_sending_again_makes_a_new_link_for_seven_more_days(
    ann: Person, people: People, team: Team, database: RolledBack
) -> None:
    bob = await people.make("bob")
    made = await invited(ann, team, bob.email)
    old = await link(database, made)
    async with database.transaction() as db:
        await db.execute(EXPIRE)

    path = f"/api/teams/{team['id']}/invitations/{made['id']}/resend"
    sent = await ann.post(path)

    new = await link(database, made)
    assert sent["status"] == "pending"
    assert new != old
    assert (await bob.call("POST", f"/api/invitations/{old}/accept")).status_code == 404
    assert (await bob.post(f"/api/invitations/{new}/accept"))["id"] == team["id"]
    answered = await ann.call("POST", path)
    assert answered.status_code == 410


async def test_only_an_owner_sends_an_owners_invitation_again(
    ann: Person, people: People, team: Team
) -> None:
    admin = await people.member(team, Role.admin)
    made = await invited(ann, team, "new@example.com", "owner")

    path = f"/api/teams/{team['id']}/invitations/{made['id']}/resend"

    assert (await admin.call("POST", path)).status_code == 403
    assert (await ann.call("POST", path)).status_code == 200


async def test_adding_directly_answers_the_open_invitation(
    ann: Person, people: People, team: Team, database: RolledBack
) -> None:
    bob = await people.make("bob", is_verified=False)
    made = await invited(ann, team, bob.email)
    async with database.transaction() as db:
        await db.execute(text("update users set email_verified_at = now()"))

    await ann.post(f"/api/teams/{team['id']}/members", email=bob.email)

    answer = await bob.call("POST", f"/api/invitations/{made['id']}/accept")
    assert answer.status_code == 410


@pytest.mark.parametrize("ref", ["nonsense", "inv_1", "inv_" + "0" * 32, "join_%00", "%F0%9F"])
async def test_what_is_no_invitation_is_not_found(people: People, ref: str) -> None:
    bob = await people.make("bob")

    assert (await bob.call("POST", f"/api/invitations/{ref}/accept")).status_code == 404


async def test_an_invitation_ends_with_its_team(ann: Person, people: People, team: Team) -> None:
    bob = await people.make("bob")
    made = await invited(ann, team, bob.email)
    data(await ann.call("DELETE", f"/api/teams/{team['id']}"))

    assert (await bob.call("POST", f"/api/invitations/{made['id']}/accept")).status_code == 404


async def test_an_invitation_of_another_team_is_not_found(
    ann: Person, people: People, team: Team, database: RolledBack
) -> None:
    """C-060."""
    made = await invited(ann, team, "new@example.com")
    eve = await people.make("eve")
    own = await eve.post("/api/teams", name="Own")

    base = f"/api/teams/{own['id']}/invitations/{made['id']}"

    assert (await eve.call("DELETE", base)).status_code == 404
    assert (await eve.call("POST", f"{base}/resend")).status_code == 404
    async with database.transaction() as db:
        query = update(TeamInvitation).returning(TeamInvitation.id).values(email="new@example.com")
        assert list(await db.scalars(query)) == [ids.private("inv", made["id"])]
