"""What administrators of the platform may, and nobody else (C-058, D-33, B-051, B-052)."""

from typing import Any

import httpx2
import pytest
from litestar import Litestar
from sqlalchemy import select, update
from tests import make
from tests.admin.conftest import promoted
from tests.conftest import PANEL, RolledBack, client_of
from tests.people import People, Person, data, message

from windlass.auth.models import User
from windlass.auth.permissions import Permission
from windlass.core import caller
from windlass.core.events import EventRow

pytestmark = pytest.mark.anyio
USERS = "/api/admin/users"
ROUTES = [
    ("GET", "/api/admin/overview", "admin:read"),
    ("GET", USERS, "admin:read"),
    ("GET", USERS + "/{id}", "admin:read"),
    ("PATCH", USERS + "/{id}", "admin:write"),
    ("POST", USERS + "/{id}/suspension", "admin:write"),
    ("DELETE", USERS + "/{id}/suspension", "admin:write"),
    ("DELETE", USERS + "/{id}/sessions", "admin:write"),
    ("GET", "/api/admin/teams", "admin:read"),
    ("GET", "/api/admin/projects", "admin:read"),
]


async def happened(database: RolledBack, name: str) -> list[dict[str, Any]]:
    async with database.transaction() as db:
        query = select(EventRow.payload).where(EventRow.name == name).order_by(EventRow.id)
        return list(await db.scalars(query))


@pytest.mark.parametrize(("method", "path", "permission"), ROUTES)
async def test_nobody_else_gets_in(
    anonymous: httpx2.AsyncClient, bob: Person, method: str, path: str, permission: str
) -> None:
    """D-33: no account is an administrator here, so it is closed to everybody, team owners too."""
    await bob.post("/api/teams", name="Own")
    path = path.format(id=bob.public)

    refused = await bob.call(method, path)

    assert (await anonymous.request(method, path)).status_code == 401
    assert refused.status_code == 403
    assert message(refused) == (
        f"This action requires {permission} permission."
        " Your role (user) does not have this permission."
    )


@pytest.mark.parametrize(("method", "path", "permission"), ROUTES)
async def test_a_narrow_token_of_an_administrator_is_narrow(
    app: Litestar, ada: Person, database: RolledBack, method: str, path: str, permission: str
) -> None:
    narrow = "admin:read" if permission == "admin:write" else "project:read"
    token = await make.token(database, ada.actor, scopes=[Permission(narrow)])

    async with client_of(app, token) as client:
        answer = await client.request(method, path.format(id=ada.public))

    assert answer.status_code == 403


async def test_the_counts(ada: Person, bob: Person, people: People) -> None:
    """B-052."""
    before = await ada.get("/api/admin/overview")
    await bob.post("/api/teams", name="Own")
    await bob.post("/api/projects", name="Shop")
    eve = await people.make("eve")
    await ada.post(f"{USERS}/{eve.public}/suspension")
    await ada.call("PATCH", f"{USERS}/{eve.public}", json={"plan": "free"})

    after = await ada.get("/api/admin/overview")

    changed = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert changed == {
        "totalUsers": 1,
        "suspendedUsers": 1,
        "teams": 1,
        "projects": 1,
        "actionsLast24Hours": 5,
    }
    assert after["activeClusters"] == 0
    assert after["paidSubscriptions"] == 2


async def test_accounts_are_listed_page_by_page(ada: Person, people: People) -> None:
    made = [await people.make(name) for name in ("carl", "dora")]

    first = (await ada.call("GET", f"{USERS}?limit=2")).json()
    cursor = first["meta"]["pagination"]["cursor"]
    second = (await ada.call("GET", f"{USERS}?limit=2&cursor={cursor}")).json()

    everybody = [found["id"] for found in first["data"] + second["data"]]
    assert sorted(everybody) == sorted([ada.public, *(person.public for person in made)])
    forwards = await ada.get(f"{USERS}?sort=createdAt")
    assert [found["id"] for found in forwards] == everybody[::-1]
    for wrong in ("limit=0", "sort=email", "cursor=x", f"sort=createdAt&cursor={cursor}"):
        assert (await ada.call("GET", f"{USERS}?{wrong}")).status_code in {400, 422}


async def test_an_account_is_found_by_what_one_knows_of_it(ada: Person, bob: Person) -> None:
    for known in ("bob", "BOB@exam", bob.public, "ob"):
        assert [found["email"] for found in await ada.get(f"{USERS}?search={known}")] == [bob.email]
    for unknown in ("%25", "_", "' or true --", "bob%25", ada.public + "x"):
        assert await ada.get(f"{USERS}?search={unknown}") == []
    assert [found["id"] for found in await ada.get(f"{USERS}?status=admin")] == [ada.public]
    assert await ada.get(f"{USERS}?status=suspended") == []


async def test_an_account_tells_no_secret(ada: Person, bob: Person) -> None:
    await bob.post("/api/projects", name="Shop")

    found = await ada.get(f"{USERS}/{bob.public}")

    assert set(found) == {
        "id", "username", "email", "name", "plan", "isAdmin", "isVerified", "suspendedAt",
        "createdAt", "lastSeenAt", "sessionCount", "teamCount", "projectCount",
    }  # fmt: skip
    assert found["projectCount"] == 1
    assert (await ada.call("GET", f"{USERS}/user_nothing")).status_code == 404


async def test_a_suspended_account_is_out_at_once(
    app: Litestar, ada: Person, bob: Person, database: RolledBack
) -> None:
    """Every session ends; what else carries the account opens nothing."""
    async with client_of(app) as browser:
        login = {"login": bob.email, "password": make.PASSWORD}
        data(await browser.post("/api/auth/sign-in", json=login))
        assert (await browser.get("/api/auth/me")).status_code == 200

        shown = await ada.post(f"{USERS}/{bob.public}/suspension")

        assert shown["suspendedAt"] is not None
        assert shown["sessionCount"] == 0
        assert (await browser.get("/api/auth/me")).status_code == 401
        refused = await bob.call("GET", "/api/auth/me")
        assert refused.status_code == 403
        assert "suspended" in message(refused)
        again = await ada.post(f"{USERS}/{bob.public}/suspension")
        assert again["suspendedAt"] == shown["suspendedAt"]
        (event,) = await happened(database, "admin.Suspended")
        assert event["sessions"] == 1

        assert (await ada.call("DELETE", f"{USERS}/{bob.public}/suspension")).status_code == 204
        assert (await bob.call("GET", "/api/auth/me")).status_code == 200
        assert len(await happened(database, "admin.SuspensionLifted")) == 1


async def test_a_suspended_administrator_administers_nothing(
    ada: Person, bob: Person, database: RolledBack
) -> None:
    await promoted(bob, database)
    assert (await bob.call("GET", USERS)).status_code == 200

    await ada.post(f"{USERS}/{bob.public}/suspension")

    assert (await bob.call("DELETE", f"{USERS}/{bob.public}/suspension")).status_code == 403


async def test_nobody_suspends_themselves(ada: Person) -> None:
    answer = await ada.call("POST", f"{USERS}/{ada.public}/suspension")

    assert answer.status_code == 409
    assert message(answer) == ("You cannot suspend your own account. Another administrator can.")


async def test_the_last_administrator_stays(
    ada: Person, bob: Person, people: People, database: RolledBack
) -> None:
    """B-051, F-12. One that is suspended does not count."""
    carl = await promoted(await people.make("carl"), database)
    await ada.post(f"{USERS}/{carl.public}/suspension")
    step_down = {"isAdmin": False}

    refused = await ada.call("PATCH", f"{USERS}/{ada.public}", json=step_down)

    assert refused.status_code == 409
    assert "this is the last one" in message(refused)
    made = await ada.call("PATCH", f"{USERS}/{bob.public}", json={"isAdmin": True})
    assert data(made)["isAdmin"] is True
    assert (
        data(await ada.call("PATCH", f"{USERS}/{ada.public}", json=step_down))["isAdmin"] is False
    )
    assert (await ada.call("GET", USERS)).status_code == 403
    assert len(await happened(database, "admin.AdminGranted")) == 1
    assert len(await happened(database, "admin.AdminRevoked")) == 1


async def test_the_last_administrator_does_not_delete_their_account(
    ada: Person, people: People, database: RolledBack
) -> None:
    """F-12. One that is suspended does not count, and may go."""
    carl = await promoted(await people.make("carl"), database)
    await ada.post(f"{USERS}/{carl.public}/suspension")
    gone = {"json": {"password": make.PASSWORD}}

    refused = await ada.call("DELETE", "/api/auth/account", **gone)

    assert refused.status_code == 409
    assert "It is the only administrator of this Windlass." in message(refused)
    assert (await carl.call("DELETE", "/api/auth/account", **gone)).status_code == 200


async def test_who_lost_the_right_meanwhile_changes_nothing(
    app: Litestar, ada: Person, bob: Person, database: RolledBack
) -> None:
    """The identity of a request may be seconds old; the database is asked once more."""
    from windlass.admin import service
    from windlass.auth.errors import NotAllowed

    caller.enter(caller.NOBODY)
    async with database.transaction() as db:
        await db.execute(update(User).where(User.id == ada.id).values(is_admin=False))
        with pytest.raises(NotAllowed):
            await service.suspend(db, bob.id, by=ada.actor)


async def test_a_plan_is_changed_and_both_are_on_record(
    ada: Person, bob: Person, database: RolledBack
) -> None:
    answer = await ada.call("PATCH", f"{USERS}/{bob.public}", json={"plan": "pro"})

    assert data(answer)["plan"] == "pro"
    assert (await bob.get("/api/auth/me"))["plan"] == "pro"
    (event,) = await happened(database, "admin.PlanChanged")
    assert (event["plan"], event["previous"]) == ("PRO", "ENTERPRISE")
    for wrong in ({"plan": "gold"}, {"email": "x@example.com"}, {"isAdmin": "yes"}):
        refused = await ada.call("PATCH", f"{USERS}/{bob.public}", json=wrong)
        assert refused.status_code == 422


async def test_somebody_is_signed_out_everywhere(
    app: Litestar, ada: Person, bob: Person, database: RolledBack
) -> None:
    async with client_of(app) as browser:
        login = {"login": bob.email, "password": make.PASSWORD}
        data(await browser.post("/api/auth/sign-in", json=login, headers={"origin": PANEL}))

        assert (await ada.call("DELETE", f"{USERS}/{bob.public}/sessions")).status_code == 204

        assert (await browser.get("/api/auth/me")).status_code == 401
    assert (await bob.call("GET", "/api/auth/me")).status_code == 200


async def test_teams_and_projects_are_listed_whoever_has_them(ada: Person, bob: Person) -> None:
    team = await bob.post("/api/teams", name="Whales")
    shop = await bob.post("/api/projects", name="Shop")
    await bob.post(f"/api/projects/{shop['id']}/teams", teamId=team["id"])

    (found,) = await ada.get("/api/admin/teams?search=whal")
    assert (found["id"], found["owners"]) == (team["id"], [bob.email])
    assert (found["memberCount"], found["projectCount"]) == (1, 1)
    (found,) = await ada.get("/api/admin/projects?search=bob@")
    assert (found["id"], found["owner"]) == (shop["id"], bob.email)
    assert (found["isLive"], found["deploymentCount"]) == (False, 0)
    # To see that it exists is not to see it.
    assert (await ada.call("GET", f"/api/projects/{shop['id']}")).status_code == 404
    assert (await ada.call("GET", f"/api/teams/{team['id']}")).status_code == 404
