"""Passkeys: added, used alone or after a password, and what must not pass for one."""

from typing import Any

import httpx2
import msgspec
import pytest
from sqlalchemy import text
from tests import make
from tests.auth.authenticator import Authenticator, packed
from tests.conftest import PANEL, RolledBack

from windlass.auth.models import Actor
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio
HERE = {"origin": PANEL}
SIGN_IN = {"email": "owner@example.com", "password": make.PASSWORD}
API = "/api/auth"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, limits=make.MANY_TRIES, url=PANEL)


@pytest.fixture
async def home(anonymous: httpx2.AsyncClient, owner: Actor) -> httpx2.AsyncClient:
    """The owner, signed in just now."""
    anonymous.headers.update(HERE)
    assert (await anonymous.post(f"{API}/sign-in", json=SIGN_IN)).status_code == 200
    return anonymous


@pytest.fixture
def key() -> Authenticator:
    return Authenticator("panel.example", PANEL)


async def add(
    home: httpx2.AsyncClient, key: Authenticator, name: str = "laptop"
) -> httpx2.Response:
    options = await home.post(f"{API}/passkeys/options", json={})
    assert options.status_code == 200, options.text
    given = {"name": name, "credential": key.create(options.json()["data"])}
    return await home.post(f"{API}/passkeys", json=given)


async def sign_in(other: httpx2.AsyncClient, key: Authenticator, **changed: Any) -> httpx2.Response:
    options = (await other.post(f"{API}/passkeys/sign-in/options")).json()["data"]
    given = {"credential": key.get(options | changed)}
    return await other.post(f"{API}/passkeys/sign-in", json=given)


async def test_a_passkey_signs_in_without_a_name_or_a_password(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator
) -> None:
    made = await add(home, key)
    assert made.status_code == 201, made.text
    assert made.json()["data"]["name"] == "laptop"

    answer = await sign_in(other, key)

    assert answer.status_code == 200, answer.text
    assert (await other.get(f"{API}/me")).json()["data"]["email"] == "owner@example.com"
    listed = (await home.get(f"{API}/passkeys")).json()["data"]
    assert [row["name"] for row in listed] == ["laptop"]
    assert listed[0]["lastUsedAt"] is not None


async def test_the_options_ask_for_the_person_and_for_a_key_that_knows_its_account(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator
) -> None:
    await add(home, key)
    to_add = (await home.post(f"{API}/passkeys/options", json={})).json()["data"]
    to_use = (await other.post(f"{API}/passkeys/sign-in/options")).json()["data"]

    assert to_add["rp"] == {"id": "panel.example", "name": "Windlass"}
    selection = to_add["authenticatorSelection"]
    assert selection["residentKey"] == selection["userVerification"] == "required"
    assert [row["id"] for row in to_add["excludeCredentials"]] == [packed(key.id)]
    assert to_use["userVerification"] == "required"
    assert to_use["allowCredentials"] == []


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("origin", "https://evil.example"),
        ("origin", "http://panel.example:8001"),
        ("rp_id", "evil.example"),
        ("is_verified", False),
    ],
)
async def test_what_was_signed_elsewhere_or_without_the_person_opens_nothing(
    home: httpx2.AsyncClient,
    other: httpx2.AsyncClient,
    key: Authenticator,
    wrong: str,
    value: object,
) -> None:
    await add(home, key)
    setattr(key, wrong, value)

    used = await sign_in(other, key)
    new = Authenticator("panel.example", PANEL)
    setattr(new, wrong, value)
    added = await add(home, new)

    assert used.status_code == 401
    assert used.json()["error"]["details"]["reason"] == "PASSKEY_REFUSED"
    assert added.status_code == 401


async def test_an_answer_cannot_be_sent_again(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator
) -> None:
    await add(home, key)
    options = (await other.post(f"{API}/passkeys/sign-in/options")).json()["data"]
    given = {"credential": key.get(options)}
    first = await other.post(f"{API}/passkeys/sign-in", json=given)

    again = await other.post(f"{API}/passkeys/sign-in", json=given)
    # A new signature of the old challenge, too.
    newer = await other.post(f"{API}/passkeys/sign-in", json={"credential": key.get(options)})

    assert first.status_code == 200
    assert (again.status_code, newer.status_code) == (410, 410)


async def test_a_challenge_is_used_up_by_a_wrong_answer_as_well(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator
) -> None:
    await add(home, key)
    options = (await other.post(f"{API}/passkeys/sign-in/options")).json()["data"]
    stranger = Authenticator("panel.example", PANEL)
    wrong = {"credential": stranger.get(options)}
    assert (await other.post(f"{API}/passkeys/sign-in", json=wrong)).status_code == 401

    right = await other.post(f"{API}/passkeys/sign-in", json={"credential": key.get(options)})

    assert right.status_code == 410


async def test_a_copied_key_is_found_out_by_its_count(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator
) -> None:
    await add(home, key)
    key.count = 7
    assert (await sign_in(other, key)).status_code == 200
    key.count = 3

    assert (await sign_in(other, key)).status_code == 401


async def test_a_key_that_names_another_account_is_refused(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator, stranger: object
) -> None:
    await add(home, key)
    key.user_handle = bytes(16)

    assert (await sign_in(other, key)).status_code == 401


async def test_a_signature_of_somebody_elses_key_is_refused(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator
) -> None:
    await add(home, key)
    forged = Authenticator("panel.example", PANEL)
    forged.id, forged.user_handle = key.id, key.user_handle

    assert (await sign_in(other, forged)).status_code == 401


async def test_a_challenge_to_add_is_only_for_whom_it_was_made(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator, database: RolledBack
) -> None:
    await make.user(database, email="mallory@example.com", is_admin=False)
    await other.post(f"{API}/sign-in", json=SIGN_IN | {"email": "mallory@example.com"})
    options = (await other.post(f"{API}/passkeys/options", json={})).json()["data"]
    to_use = (await other.post(f"{API}/passkeys/sign-in/options")).json()["data"]

    given = {"name": "x", "credential": key.create(options)}
    crossed = await home.post(f"{API}/passkeys", json=given)
    options["challenge"] = to_use["challenge"]
    of_other_kind = await home.post(
        f"{API}/passkeys", json={"name": "x", "credential": key.create(options)}
    )

    assert (crossed.status_code, of_other_kind.status_code) == (401, 410)


async def test_after_a_password_the_passkey_that_was_marked_is_asked_for(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator
) -> None:
    id = (await add(home, key)).json()["data"]["id"]
    # By itself it is not asked for.
    assert (await other.post(f"{API}/sign-in", json=SIGN_IN)).status_code == 200
    marked = await home.patch(f"{API}/passkeys/{id}", json={"isSecondFactor": True})
    assert marked.status_code == 200, marked.text
    assert len(marked.json()["data"]["recoveryCodes"]) == 10
    other.cookies.clear()

    begun = (await other.post(f"{API}/sign-in", json=SIGN_IN)).json()["data"]
    assert begun["methods"] == ["passkey", "recoveryCode"]
    challenge = {"challenge": begun["challenge"]}
    options = await other.post(f"{API}/second-factor/passkey/options", json=challenge)
    assert [row["id"] for row in options.json()["data"]["allowCredentials"]] == [packed(key.id)]
    given = challenge | {"credential": key.get(options.json()["data"])}
    entered = await other.post(f"{API}/second-factor/passkey", json=given)
    again = await other.post(f"{API}/second-factor/passkey", json=given)

    assert entered.status_code == 200, entered.text
    assert (await other.get(f"{API}/me")).status_code == 200
    assert again.status_code == 410


async def test_a_passkey_of_somebody_else_is_no_second_factor(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator, database: RolledBack
) -> None:
    id = (await add(home, key)).json()["data"]["id"]
    await home.patch(f"{API}/passkeys/{id}", json={"isSecondFactor": True})
    await make.user(database, email="mallory@example.com", is_admin=False)
    await other.post(f"{API}/sign-in", json=SIGN_IN | {"email": "mallory@example.com"})
    theirs = Authenticator("panel.example", PANEL)
    assert (await add(other, theirs)).status_code == 201

    begun = (await other.post(f"{API}/sign-in", json=SIGN_IN)).json()["data"]
    challenge = {"challenge": begun["challenge"]}
    options = await other.post(f"{API}/second-factor/passkey/options", json=challenge)
    given = challenge | {"credential": theirs.get(options.json()["data"])}
    # An answer to another challenge does not count for this one either.
    own = (await other.post(f"{API}/passkeys/sign-in/options")).json()["data"]
    moved = challenge | {"credential": key.get(own)}

    assert (await other.post(f"{API}/second-factor/passkey", json=given)).status_code == 401
    assert (await other.post(f"{API}/second-factor/passkey", json=moved)).status_code == 401


async def test_passkeys_have_names_and_belong_to_one_person(
    home: httpx2.AsyncClient, stranger: httpx2.AsyncClient, key: Authenticator
) -> None:
    id = (await add(home, key)).json()["data"]["id"]

    renamed = await home.patch(f"{API}/passkeys/{id}", json={"name": "Phone"})
    foreign = await stranger.patch(f"{API}/passkeys/{id}", json={"name": "Mine"})

    assert renamed.json()["data"]["name"] == "Phone"
    assert foreign.status_code == 404
    assert (await stranger.get(f"{API}/passkeys")).json()["data"] == []


async def test_the_same_key_is_registered_once(
    home: httpx2.AsyncClient, key: Authenticator
) -> None:
    await add(home, key)

    assert (await add(home, key)).status_code == 409


async def test_a_removed_passkey_opens_nothing_and_the_last_way_in_stays(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator, database: RolledBack
) -> None:
    second = Authenticator("panel.example", PANEL)
    first_id = (await add(home, key)).json()["data"]["id"]
    second_id = (await add(home, second, "phone")).json()["data"]["id"]
    async with database.transaction() as db:
        await db.execute(text("update users set password_hash = null where email like 'owner%'"))

    gone = await home.delete(f"{API}/passkeys/{first_id}")
    last = await home.delete(f"{API}/passkeys/{second_id}")

    assert gone.status_code == 204
    assert last.status_code == 409
    assert last.json()["error"]["details"]["reason"] == "LAST_WAY_IN"
    assert (await sign_in(other, key)).status_code == 401
    assert (await sign_in(other, second)).status_code == 200


async def test_adding_and_removing_needs_a_fresh_sign_in(
    home: httpx2.AsyncClient, key: Authenticator, database: RolledBack
) -> None:
    id = (await add(home, key)).json()["data"]["id"]
    async with database.transaction() as db:
        await db.execute(text("update sessions set created_at = now() - interval '11 minutes'"))

    added = await home.post(f"{API}/passkeys/options", json={})
    proved = await home.post(f"{API}/passkeys/options", json={"password": make.PASSWORD})
    removed = await home.delete(f"{API}/passkeys/{id}")

    assert (added.status_code, proved.status_code, removed.status_code) == (403, 200, 403)


@pytest.mark.parametrize("data", ["", "AAAA", packed(b"{}"), packed(b'{"challenge": "%%%"}')])
async def test_what_is_no_answer_of_a_browser_is_refused(
    other: httpx2.AsyncClient, key: Authenticator, data: str
) -> None:
    options = (await other.post(f"{API}/passkeys/sign-in/options")).json()["data"]
    credential = key.get(options)
    credential["response"]["clientDataJSON"] = data

    answer = await other.post(f"{API}/passkeys/sign-in", json={"credential": credential})

    assert answer.status_code in {401, 410, 422}
