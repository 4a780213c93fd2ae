import httpx2
import pytest

from tests import make
from tests.conftest import PANEL, RolledBack
from windlass.auth import service
from windlass.auth.models import Actor
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio
HERE = {"origin": PANEL}
OWNER = {"login": "owner@example.com", "password": make.PASSWORD}
LONG = "A long enough passw0rd!"


async def test_the_first_page_leads_to_the_projects_and_from_there_to_the_sign_in(
    anonymous: httpx2.AsyncClient,
) -> None:
    assert (await anonymous.get("/")).headers["location"] == "/projects"
    assert (await anonymous.get("/projects")).headers["location"] == "/sign-in?next=/projects"


async def test_signing_in_leads_to_the_page_that_was_asked_for(
    anonymous: httpx2.AsyncClient, owner: Actor
) -> None:
    form = {**OWNER, "next": "/deployments?status=error"}

    answer = await anonymous.post("/sign-in", data=form, headers=HERE)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/deployments?status=error"
    assert "HttpOnly" in answer.headers["set-cookie"]
    page = await anonymous.get("/account")
    assert page.status_code == 200
    assert "owner@example.com" in page.text
    assert (await anonymous.get("/sign-in")).headers["location"] == "/projects"


async def test_signing_in_never_leads_to_another_site(
    anonymous: httpx2.AsyncClient, owner: Actor
) -> None:
    form = {**OWNER, "next": "//evil.example/projects"}

    answer = await anonymous.post("/sign-in", data=form, headers=HERE)

    assert answer.headers["location"] == "/projects"


async def test_a_wrong_password_shows_the_form_again_without_the_password(
    anonymous: httpx2.AsyncClient, owner: Actor
) -> None:
    form = {**OWNER, "password": "not this one"}

    answer = await anonymous.post("/sign-in", data=form, headers=HERE)

    assert answer.status_code == 401
    assert "User name or e-mail, and password, do not match." in answer.text
    assert 'value="owner@example.com"' in answer.text
    assert "not this one" not in answer.text


async def test_empty_fields_are_named(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.post("/sign-in", data={}, headers=HERE)

    assert answer.status_code == 422
    assert "User name or e-mail is required" in answer.text
    assert "Password is required" in answer.text


async def test_the_sixth_try_says_how_long_to_wait(
    anonymous: httpx2.AsyncClient, owner: Actor
) -> None:
    form = {**OWNER, "password": "not this one"}
    for _ in range(5):
        await anonymous.post("/sign-in", data=form, headers=HERE)

    answer = await anonymous.post("/sign-in", data=OWNER, headers=HERE)

    assert answer.status_code == 429
    assert "Too many tries. Try again in" in answer.text


async def test_signing_out_ends_the_session(anonymous: httpx2.AsyncClient, owner: Actor) -> None:
    await anonymous.post("/sign-in", data=OWNER, headers=HERE)
    cookie = anonymous.cookies["windlass_session"]

    answer = await anonymous.post("/sign-out", headers=HERE)

    assert answer.headers["location"] == "/sign-in?notice=signed-out"
    anonymous.cookies.set("windlass_session", cookie)
    assert (await anonymous.get("/account")).status_code == 303


@pytest.mark.parametrize(
    ("sender", "back"),
    [
        (f"{PANEL}/projects/shop/settings?tab=a&notice=saved", "/projects/shop/settings%3Ftab%3Da"),
        (f"{PANEL}//evil.example", "/projects"),
        ("http://evil.example/projects/shop", "/projects"),
        ("", "/projects"),
    ],
)
async def test_a_form_sent_after_the_session_ended_leads_to_the_sign_in_and_back_to_its_page(
    anonymous: httpx2.AsyncClient, sender: str, back: str
) -> None:
    headers = HERE | ({"referer": sender} if sender else {})

    answer = await anonymous.post("/projects/shop/settings", data={"name": "x"}, headers=headers)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={back}&notice=expired"
    assert "nothing was saved" in (await anonymous.get(answer.headers["location"])).text


async def test_htmx_is_told_to_leave_the_page_when_the_session_has_ended(
    anonymous: httpx2.AsyncClient,
) -> None:
    """What it would follow it would swap into the middle of the page."""
    here = f"{PANEL}/deployments/depl_1"
    asked = {"HX-Request": "true", "HX-Current-URL": here, **HERE}

    sent = await anonymous.post("/deployments/depl_1/promote", headers=asked)
    polled = await anonymous.get("/deployments/depl_1", headers=asked)
    link = await anonymous.get("/projects?cursor=x", headers={**asked, "HX-Boosted": "true"})

    there = "/sign-in?next=/deployments/depl_1"
    assert (sent.status_code, sent.headers["hx-redirect"]) == (401, f"{there}&notice=expired")
    assert (polled.status_code, polled.headers["hx-redirect"]) == (401, there)
    assert link.headers["hx-redirect"] == "/sign-in?next=/projects%3Fcursor%3Dx"


@pytest.mark.parametrize("path", ["/sign-in", "/account/theme", "/setup"])
async def test_a_form_of_another_site_is_refused(anonymous: httpx2.AsyncClient, path: str) -> None:
    headers = {"origin": "http://evil.example"}

    assert (await anonymous.post(path, data={}, headers=headers)).status_code == 403


async def test_the_one_time_link_makes_the_owner_and_signs_in(
    anonymous: httpx2.AsyncClient, database: RolledBack, settings: Settings
) -> None:
    async with database.transaction() as db:
        token = await service.ensure_owner(db, settings.folder / "keys")
    assert (await anonymous.get(f"/setup?token={token}")).status_code == 200
    form = {"token": token or "", "email": "Me@Example.com", "name": "Me"}

    wrong = await anonymous.post(
        "/setup", data={**form, "email": "me", "password": "short"}, headers=HERE
    )
    passwords = {"password": LONG, "password_again": LONG}
    right = await anonymous.post("/setup", data=form | passwords, headers=HERE)

    assert wrong.status_code == 422
    assert "This is not an e-mail address" in wrong.text
    assert "Use 8 characters or more" in wrong.text
    assert "The two passwords differ" in wrong.text
    assert right.headers["location"] == "/projects"
    assert (await anonymous.get("/projects")).status_code == 200
    again = await anonymous.get(f"/setup?token={token}")
    assert again.status_code == 410
    assert "This link has been used" in again.text
    spent = await anonymous.post("/setup", data=form | passwords, headers=HERE)
    assert spent.status_code == 410


async def test_the_profile_is_saved_and_another_address_needs_the_password(
    client: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    """K-014, C-039."""
    asked = {"name": "Ada", "email": "Ada@b.example"}
    right = {"current_password": make.PASSWORD}

    picture = {"image": "https://pictures.example/ada.png"}
    saved = await client.post(
        "/account/profile", data={"name": "Ada", "username": "Ada_1"} | picture
    )
    shown = await client.get("/account")
    script = await client.post("/account/profile", data={"image": "javascript:alert(1)"})
    without = await client.post("/account/profile", data=asked)
    wrong = await client.post("/account/profile", data={**asked, "current_password": "no"})
    asked_for = await client.post("/account/profile", data=asked | right)
    other = await stranger.post("/account/profile", data={"email": "owner@example.com"} | right)
    same_name = await stranger.post("/account/profile", data={"username": "ADA_1"})

    assert saved.headers["location"] == "/account?notice=saved"
    assert without.status_code == wrong.status_code == 422
    assert 'id="e-current_password">Another e-mail address needs the current' in without.text
    assert 'id="e-current_password">The current password is wrong.' in wrong.text
    assert asked_for.headers["location"] == "/account?notice=new-email"
    page = await client.get("/account?notice=saved")
    assert "Saved." in page.text
    assert 'value="ada_1"' in page.text
    assert f'value="{picture["image"]}"' in shown.text
    assert script.status_code == 422
    assert 'id="e-image">Use the address of a picture' in script.text
    assert 'value="owner@example.com"' in page.text
    # Nobody learns here who has an account: only the mailbox does.
    assert other.headers["location"] == asked_for.headers["location"]
    assert same_name.status_code == 409
    assert 'id="e-username">Another account has this user name.' in same_name.text


async def test_changing_the_password_needs_the_current_one(client: httpx2.AsyncClient) -> None:
    new = {"password": LONG, "password_again": LONG}

    wrong = await client.post("/account/password", data={"current_password": "no", **new})
    differing = await client.post(
        "/account/password",
        data={"current_password": make.PASSWORD, "password": LONG, "password_again": "x"},
    )
    right = await client.post("/account/password", data={"current_password": make.PASSWORD, **new})

    assert wrong.status_code == 422
    assert 'id="e-current_password">The current password is wrong.' in wrong.text
    assert "The two passwords differ" in differing.text
    assert right.headers["location"] == "/account/security?notice=password"


async def test_a_token_is_shown_once_and_can_be_revoked(client: httpx2.AsyncClient) -> None:
    made = await client.post("/account/tokens", data={"token_name": "laptop"})

    assert made.status_code == 200
    assert "wl_" in made.text
    later = await client.get("/account/tokens")
    assert "laptop" in later.text
    assert 'data-copy="wl_' not in later.text
    rows = (await client.get("/api/auth/tokens")).json()["data"]
    token = next(row["id"] for row in rows if row["name"] == "laptop")
    revoked = await client.post(f"/account/tokens/{token}/revoke")
    assert revoked.headers["location"] == "/account/tokens?notice=revoked"
    assert (await client.post(f"/account/tokens/{token}/revoke")).status_code == 404


async def test_a_token_needs_a_name(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/account/tokens", data={"token_name": "  "})

    assert answer.status_code == 422
    assert 'id="e-token_name">Name is required' in answer.text


async def test_the_theme_is_kept_by_the_browser(anonymous: httpx2.AsyncClient) -> None:
    form = {"theme": "dark", "next": "/sign-in"}

    answer = await anonymous.post("/account/theme", data=form, headers=HERE)

    assert answer.headers["location"] == "/sign-in"
    assert 'data-theme="dark"' in (await anonymous.get("/sign-in")).text
    await anonymous.post("/account/theme", data={**form, "theme": "pink"}, headers=HERE)
    assert 'data-theme="dark"' in (await anonymous.get("/sign-in")).text


@pytest.mark.parametrize("body", [b"email=%ff", b"email=a%00b", b"\xff\xfe", b"a=1&" * 5000])
async def test_a_broken_form_is_a_page_that_says_so(
    anonymous: httpx2.AsyncClient, body: bytes
) -> None:
    headers = {**HERE, "content-type": "application/x-www-form-urlencoded"}

    answer = await anonymous.post("/sign-in", content=body, headers=headers)

    assert answer.status_code == 400
    assert "The form came broken" in answer.text


async def test_pages_are_not_kept_and_allow_no_other_host(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.get("/sign-in")

    assert answer.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
