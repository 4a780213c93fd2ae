"""Administration as a person does it in a browser (C-058, D-33, B-052)."""

import html
import re

import httpx2
import pytest
from tests import make
from tests.admin.conftest import promoted
from tests.conftest import RolledBack
from tests.people import People, Person

pytestmark = pytest.mark.anyio
ORIGIN = {"origin": "http://panel.example"}
PAGES = ["", "/users", "/users/{id}", "/teams", "/projects", "/invitations"]


async def send(by: Person, path: str, **form: str) -> httpx2.Response:
    return await by.client.post(path, data=form, headers=ORIGIN)


async def went(by: Person, path: str, **form: str) -> str:
    """Where a form that worked leads."""
    answer = await send(by, path, **form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_is_for_administrators(
    anonymous: httpx2.AsyncClient, ada: Person, bob: Person, page: str
) -> None:
    path = "/admin" + page.format(id=bob.public)

    assert (await anonymous.get(path)).status_code == 303
    refused = await bob.call("GET", path)
    assert refused.status_code == 403
    assert "This action requires admin:read permission." in refused.text
    assert (await ada.call("GET", path)).status_code == 200


async def test_only_administrators_see_the_way_there(ada: Person, bob: Person) -> None:
    for place in ("/admin", "/status"):
        assert f'href="{place}"' in (await ada.call("GET", "/teams")).text
        assert f'href="{place}"' not in (await bob.call("GET", "/teams")).text


@pytest.mark.parametrize("verb", ["suspend", "lift", "sign-out", "plan", "admin"])
async def test_nobody_else_changes_an_account(ada: Person, bob: Person, verb: str) -> None:
    refused = await send(bob, f"/admin/users/{ada.public}/{verb}", plan="free", is_admin="")

    assert refused.status_code == 403
    assert "This action requires admin:write permission." in refused.text


async def test_the_overview_counts(ada: Person, bob: Person) -> None:
    """B-052."""
    await bob.post("/api/projects", name="Shop")

    shown = (await ada.call("GET", "/admin")).text

    for name in ("Users", "Actions in 24 hours", "Paid plans", "Active clusters"):
        assert f"<dt>{name}</dt>" in shown


async def test_the_log_of_everything_is_found_from_administration(ada: Person) -> None:
    assert 'href="/admin/audit"' in (await ada.call("GET", "/admin")).text


async def test_the_next_page_asks_the_same(ada: Person, database: RolledBack) -> None:
    for number in range(21):
        await make.user(database, email=f"crew{number}@example.com", is_admin=False)
    first = (await ada.call("GET", "/admin/users?search=crew&status=active")).text
    (link,) = re.findall(r'hx-get="(\?cursor=[^"]+)"', first)

    second = (await ada.call("GET", f"/admin/users{html.unescape(link)}")).text

    assert link.endswith("&amp;search=crew&amp;status=active")
    assert (first.count('class="cover"'), second.count('class="cover"')) == (20, 1)
    assert "Load more" not in second


async def test_users_are_found_and_suspended(ada: Person, bob: Person) -> None:
    base = f"/admin/users/{bob.public}"
    listed = (await ada.call("GET", "/admin/users?search=bob")).text
    assert f'href="{base}"' in listed
    assert ada.email not in listed.split("<table")[1]
    assert "None of these" in (await ada.call("GET", "/admin/users?status=suspended")).text

    assert await went(ada, f"{base}/suspend") == f"{base}?notice=suspended"

    assert (await bob.call("GET", "/projects")).status_code == 403
    assert "This account is suspended" in (await ada.call("GET", base)).text
    assert f'href="{base}"' in (await ada.call("GET", "/admin/users?status=suspended")).text
    assert await went(ada, f"{base}/lift") == f"{base}?notice=lifted"
    assert (await bob.call("GET", "/projects")).status_code == 200


async def test_one_cannot_suspend_oneself_nor_be_the_last_to_go(ada: Person) -> None:
    base = f"/admin/users/{ada.public}"

    suspended = await send(ada, f"{base}/suspend")
    stepped_down = await send(ada, f"{base}/admin", is_admin="")

    assert suspended.status_code == stepped_down.status_code == 409
    assert "You cannot suspend your own account." in suspended.text
    assert "this is the last one" in stepped_down.text


async def test_administration_is_given_and_taken(
    ada: Person, people: People, bob: Person, database: RolledBack
) -> None:
    await promoted(await people.make("carl"), database)
    base = f"/admin/users/{bob.public}"

    assert await went(ada, f"{base}/admin", is_admin="true") == f"{base}?notice=saved"
    assert (await bob.call("GET", "/admin")).status_code == 200
    assert await went(bob, f"/admin/users/{ada.public}/admin", is_admin="") != "/projects"
    assert (await ada.call("GET", "/admin")).status_code == 403
    assert await went(bob, f"{base}/admin", is_admin="") == "/projects?notice=saved"


async def test_a_plan_is_chosen(ada: Person, bob: Person) -> None:
    base = f"/admin/users/{bob.public}"

    assert await went(ada, f"{base}/plan", plan="pro") == f"{base}?notice=saved"

    assert (await bob.get("/api/auth/me"))["plan"] == "pro"
    assert (await send(ada, f"{base}/plan", plan="gold")).status_code == 422


async def test_somebody_is_signed_out_everywhere(ada: Person, bob: Person) -> None:
    base = f"/admin/users/{bob.public}"

    assert await went(ada, f"{base}/sign-out") == f"{base}?notice=signed-out-everywhere"


async def test_teams_and_projects_are_listed(ada: Person, bob: Person) -> None:
    await bob.post("/api/teams", name="Whales")
    await bob.post("/api/projects", name="Shop")

    assert "Whales" in (await ada.call("GET", "/admin/teams?search=WHA")).text
    assert "None of these" in (await ada.call("GET", "/admin/teams?search=sharks")).text
    assert "shop.localhost" in (await ada.call("GET", "/admin/projects")).text


async def test_an_address_is_invited_to_sign_up(ada: Person, bob: Person) -> None:
    path = "/admin/invitations"
    assert await went(ada, path, email="new@example.com") == f"{path}?notice=invited"
    (made,) = await ada.get("/api/auth/invitations")

    assert "new@example.com" in (await ada.call("GET", path)).text
    taken = await send(ada, path, email=bob.email)
    assert taken.status_code == 409
    assert "Another account has this e-mail address." in taken.text
    assert await went(ada, f"{path}/{made['id']}/revoke") == f"{path}?notice=withdrawn"
    assert "new@example.com" not in (await ada.call("GET", path)).text
    assert (await send(bob, path, email="x@example.com")).status_code == 403
