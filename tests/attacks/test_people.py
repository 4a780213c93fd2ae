"""Taking what is not one's own: roles, fields, names of others."""

import json
from typing import Any

import httpx2
import pytest

from tests import make
from tests.attacks.conftest import filled, routes
from tests.people import People, data
from windlass.auth.models import Actor
from windlass.auth.permissions import Role

pytestmark = pytest.mark.anyio
MINE: dict[str, Any] = {
    "isAdmin": True,
    "is_admin": True,
    "plan": "ENTERPRISE",
    "role": "owner",
    "ownerId": "user_1",
    "userId": "user_1",
    "id": "user_1",
    "createdAt": "2020-01-01T00:00:00Z",
    "suspendedAt": None,
    "emailVerifiedAt": "2020-01-01T00:00:00Z",
    "passwordHash": "x",
}
# Where a field of that name is what the route is for.
RIGHTLY = {
    ("PATCH", "role"),
    ("POST", "role"),
    ("PUT", "role"),
    ("PATCH", "plan"),
    ("PUT", "plan"),
    ("POST", "plan"),
    ("POST", "userId"),
}


async def test_no_route_takes_a_field_that_nobody_may_set(client: httpx2.AsyncClient) -> None:
    """Mass assignment: unknown fields are refused, never skipped."""
    tried = 0
    for method, path, handler in routes():
        if not path.startswith("/api/") or "data" not in handler.parsed_fn_signature.parameters:
            continue
        kind = handler.parsed_fn_signature.parameters["data"].annotation
        known = {getattr(f, "encode_name", "") for f in _fields(kind)}
        given = {n: v for n, v in MINE.items() if n not in known}
        if path.startswith("/api/admin/"):
            known -= {"isAdmin"}  # Theirs to give, and given only by who has it: tests/admin.
        assert all((method, n) in RIGHTLY for n in MINE if n in known), (method, path)
        answer = await client.request(method, filled(path), json=given)
        assert answer.status_code in {400, 403, 404, 409, 415, 422}, (method, path, answer.text)
        tried += 1
    assert tried > 30


def _fields(kind: Any) -> tuple[Any, ...]:
    import msgspec

    try:
        return msgspec.structs.fields(kind)
    except TypeError:
        return ()


async def test_who_signs_up_is_nobody_special_whatever_the_form_says(
    browser_of: httpx2.AsyncClient, owner: Actor
) -> None:
    form = {
        "email": "eve@example.com",
        "username": "eve",
        "password": make.PASSWORD,
        "isAdmin": "true",
        "is_admin": "true",
        "plan": "ENTERPRISE",
        "role": "OWNER",
        "email_verified_at": "2020-01-01",
    }

    assert (await browser_of.post("/sign-up", data=form)).status_code == 303
    me = (await browser_of.get("/api/auth/account")).json()["data"]
    await browser_of.post("/account/profile", data=form | {"name": "Eve"})

    assert (me["isAdmin"], me["plan"], me["isVerified"]) == (False, "free", False)
    assert (await browser_of.get("/api/auth/account")).json()["data"]["isAdmin"] is False
    assert (await browser_of.get("/api/admin/audit")).status_code == 403


async def test_an_admin_does_not_become_an_owner_by_any_way(people: People) -> None:
    ann = await people.make("ann")
    team = await ann.post("/api/teams", name="Blue Whales")
    admin = await people.member(team, Role.admin)
    eve = await people.make("eve")
    base = f"/api/teams/{team['id']}"

    async def refused(method: str, path: str, **body: Any) -> None:
        answer = await admin.call(method, base + path, json=body or None)
        assert answer.status_code in {403, 404, 405, 409, 422}, (method, path, answer.text)

    await refused("PATCH", f"/members/{admin.public}", role="owner")
    await refused("PATCH", f"/members/{ann.public}", role="viewer")
    await refused("DELETE", f"/members/{ann.public}")
    await refused("POST", "/members", email=eve.email, role="owner")
    await refused("POST", "/members", userId=eve.public, role="owner")
    await refused("POST", "/invitations", email="x@example.com", role="owner")
    await refused("DELETE", "")

    members = await ann.get(f"{base}/members")
    assert sorted(member["role"] for member in members) == ["admin", "owner"]


async def test_the_last_owner_neither_leaves_nor_steps_down_nor_is_thrown_out(
    people: People,
) -> None:
    ann = await people.make("ann")
    team = await ann.post("/api/teams", name="Blue Whales")
    await people.member(team, Role.admin)
    base = f"/api/teams/{team['id']}"

    stepped = await ann.call("PATCH", f"{base}/members/{ann.public}", json={"role": "admin"})
    left = await ann.call("DELETE", f"{base}/members/{ann.public}")
    gone = await ann.call("DELETE", "/api/auth/account", json={"password": make.PASSWORD})

    assert [stepped.status_code, left.status_code, gone.status_code] == [409, 409, 409]
    assert data(await ann.call("GET", base))["role"] == "owner"


@pytest.mark.parametrize(
    "name",
    [
        "\u0430dmin",
        "adm\u0131n",
        "ad\u200bmin",
        "admin\u202e",
        "ADMIN ",
        "ad\u0000min",
        "adm\uff49n",
    ],
)
async def test_nobody_is_somebody_elses_look_alike(
    browser_of: httpx2.AsyncClient, owner: Actor, name: str
) -> None:
    """User names are ASCII in small letters, so that two that look alike are one."""
    first = {"email": "a@example.com", "username": "admin", "password": make.PASSWORD}
    assert (await browser_of.post("/api/auth/sign-up", json=first)).status_code == 201
    browser_of.cookies.clear()

    body = json.dumps(first | {"email": "b@example.com", "username": name})
    headers = {"content-type": "application/json"}
    answer = await browser_of.post("/api/auth/sign-up", content=body, headers=headers)

    assert answer.status_code in {409, 422}, answer.text


async def test_an_address_in_other_letters_is_the_same_or_refused(
    browser_of: httpx2.AsyncClient, owner: Actor
) -> None:
    body = {"username": "eve", "password": make.PASSWORD}
    for email, expected in (
        ("OWNER@example.com", {409}),
        ("owner@EXAMPLE.com", {409}),
        ("owner@ex\u0430mple.com", {422}),
        ("\uff4fwner@example.com", {422, 409}),
        ("owner@example.com\u0000", {422}),
        ("owner@example.com\n", {422}),
        (" owner@example.com", {409, 422}),
    ):
        answer = await browser_of.post("/api/auth/sign-up", json=body | {"email": email})
        assert answer.status_code in expected, (email, answer.text)


async def test_a_name_holds_nothing_invisible(browser_of: httpx2.AsyncClient, owner: Actor) -> None:
    body = {"login": "owner@example.com", "password": make.PASSWORD}
    await browser_of.post("/api/auth/sign-in", json=body)

    for name in ("Ada\u202eBell", "\u200b", "Ada\u0007"):
        answer = await browser_of.patch("/api/auth/account", json={"name": name})
        assert answer.status_code == 422, repr(name)
    wide = await browser_of.patch("/api/auth/account", json={"name": "\uff21da"})
    assert wide.json()["data"]["name"] == "Ada"
