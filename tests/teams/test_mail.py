"""What people get by mail about teams (C-183, C-184)."""

import email
import email.policy
import re
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update
from tests.conftest import RolledBack
from tests.people import People, Person

from windlass.adapters import mail
from windlass.auth.models import User
from windlass.auth.permissions import Role
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.events import TYPES, EventRow
from windlass.core.live import Live
from windlass.core.queue import subscribers_of
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio
Team = dict[str, Any]


@pytest.fixture
def ctx(settings: Settings, database: RolledBack, key_ring: KeyRing) -> Ctx:
    world = SimpleNamespace(mail=mail.make(settings))
    return Ctx(
        settings=settings, database=database, live=Live(database), keys=key_ring, world=world
    )


async def handle(ctx: Ctx, database: RolledBack, name: str) -> list[EmailMessage]:
    """Let the jobs of the newest such event run; the mails that they sent."""
    async with database.transaction() as db:
        query = select(EventRow.payload).where(EventRow.name == name)
        payload = (await db.scalars(query.order_by(EventRow.id.desc()))).first()
    event = msgspec.convert(payload, TYPES[name])
    before = set((ctx.settings.folder / "mail").glob("*.eml"))
    for subscriber in subscribers_of(type(event)):
        await subscriber.handle(ctx, event)
    new = sorted(set((ctx.settings.folder / "mail").glob("*.eml")) - before)
    found = [email.message_from_bytes(p.read_bytes(), policy=email.policy.default) for p in new]
    return [message for message in found if isinstance(message, EmailMessage)]


def link_in(message: EmailMessage) -> str:
    found = re.search(r"http\S+/(?:invitations|teams)/(\S+)", body_of(message))
    assert found is not None
    return found[1]


def body_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return body.get_content()


async def speaks(database: RolledBack, person: Person, language: str) -> None:
    async with database.transaction() as db:
        await db.execute(update(User).where(User.id == person.id).values(language=language))


async def test_the_mail_of_an_invitation_leads_into_the_team(
    ann: Person, people: People, team: Team, ctx: Ctx, database: RolledBack
) -> None:
    bob = await people.make("bob")
    path = f"/api/teams/{team['id']}/invitations"
    made = await ann.post(path, email=bob.email, role="developer")

    (letter,) = await handle(ctx, database, "teams.Invited")

    assert letter["To"] == "bob@example.com"
    assert letter["Subject"] == "ann invites you to the team Blue Whales"
    first = link_in(letter)
    await ann.post(f"{path}/{made['id']}/resend")
    (again,) = await handle(ctx, database, "teams.InvitationResent")
    assert (await bob.call("POST", f"/api/invitations/{first}/accept")).status_code == 404
    joined = await bob.post(f"/api/invitations/{link_in(again)}/accept")
    assert joined["role"] == "developer"


async def test_letters_speak_the_language_of_who_gets_them(
    ann: Person, people: People, team: Team, ctx: Ctx, database: RolledBack
) -> None:
    """Of somebody without an account, the language of who invites them."""
    bob = await people.make("bob")
    await speaks(database, ann, "de")
    await speaks(database, bob, "zh")
    path = f"/api/teams/{team['id']}/invitations"
    await ann.post(path, email="new@example.com", role="developer")
    (to_new,) = await handle(ctx, database, "teams.Invited")
    made = await ann.post(path, email=bob.email)
    (to_bob,) = await handle(ctx, database, "teams.Invited")
    await bob.post(f"/api/invitations/{made['id']}/accept")
    (to_ann,) = await handle(ctx, database, "teams.InvitationAccepted")

    assert to_new["Subject"] == "ann lädt Sie in das Team Blue Whales ein"
    assert "mit der Rolle Entwickler" in body_of(to_new)
    assert "角色为 成员" in body_of(to_bob)
    assert to_ann["Subject"] == "bob@example.com ist Blue Whales beigetreten"


async def test_no_mail_goes_out_for_what_was_withdrawn(
    ann: Person, team: Team, ctx: Ctx, database: RolledBack
) -> None:
    path = f"/api/teams/{team['id']}/invitations"
    made = await ann.post(path, email="bob@example.com")
    await ann.call("DELETE", f"{path}/{made['id']}")

    assert await handle(ctx, database, "teams.Invited") == []


@pytest.mark.parametrize("answer", ["accept", "decline"])
async def test_owners_hear_the_answer_and_nobody_else(
    ann: Person, people: People, team: Team, ctx: Ctx, database: RolledBack, answer: str
) -> None:
    """C-184."""
    await people.member(team, Role.owner, "zoe")
    await people.member(team, Role.admin, "max")
    bob = await people.make("bob")
    made = await ann.post(f"/api/teams/{team['id']}/invitations", email=bob.email)
    await bob.post(f"/api/invitations/{made['id']}/{answer}")

    name = "Accepted" if answer == "accept" else "Declined"
    letters = await handle(ctx, database, f"teams.Invitation{name}")

    assert {letter["To"] for letter in letters} == {"ann@example.com", "zoe@example.com"}
    verb = "joined" if answer == "accept" else "declined to join"
    assert {letter["Subject"] for letter in letters} == {f"bob@example.com {verb} Blue Whales"}
    assert link_in(letters[0]) == "blue-whales"
