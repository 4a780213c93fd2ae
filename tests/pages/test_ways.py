"""Pages of second factors, passkeys and linked accounts, and of the second half of a sign-in."""

import json
import re
import time

import httpx2
import msgspec
import pytest
from pyotp.totp import TOTP
from sqlalchemy import text

from tests import make
from tests.auth.authenticator import Authenticator
from tests.conftest import PANEL, RolledBack
from windlass.auth.models import Account, Actor
from windlass.core.settings import GitHub, Providers, Settings

pytestmark = pytest.mark.anyio
HERE = {"origin": PANEL}
SIGN_IN = {"login": "owner@example.com", "password": make.PASSWORD}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    providers = Providers(github=GitHub(client_id="windlass", client_secret="s"))
    return msgspec.structs.replace(settings, limits=make.MANY_TRIES, url=PANEL, providers=providers)


@pytest.fixture
async def home(anonymous: httpx2.AsyncClient, owner: Actor) -> httpx2.AsyncClient:
    """The owner's browser, signed in just now."""
    anonymous.headers.update(HERE)
    assert (await anonymous.post("/sign-in", data=SIGN_IN)).status_code == 303
    return anonymous


@pytest.fixture
def key() -> Authenticator:
    return Authenticator("panel.example", PANEL)


async def test_a_passkey_that_cannot_be_read_is_refused_in_the_language_of_the_page(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient
) -> None:
    for browser, path in ((other, "/sign-in/passkey"), (home, "/account/passkeys")):
        browser.cookies.set("windlass_language", "de")
        given = {"credential": "{", "passkey_name": "laptop"}
        answer = await browser.post(path, data=given)
        assert 'lang="de"' in answer.text
        assert "cannot be read" not in answer.text


async def set_up_totp(home: httpx2.AsyncClient) -> tuple[TOTP, list[str]]:
    begun = await home.post("/account/factors/totp")
    assert begun.headers["location"] == "/account/factors/totp"
    shown = (await home.get("/account/factors/totp")).text
    found = re.search(r"<code tabindex=\"0\">([A-Z2-7]{32})</code>", shown)
    assert found is not None
    assert 'src="data:image/svg+xml' in shown
    app = TOTP(found[1])
    done = await home.post("/account/factors/totp/confirm", data={"code": app.now()})
    assert done.status_code == 200, done.text
    return app, re.findall(r"<li>([a-z2-7-]{19})</li>", done.text)


async def forget_steps(database: RolledBack) -> None:
    """As if half a minute had passed: the code of this moment counts again."""
    async with database.transaction() as db:
        await db.execute(text("update totps set last_step = 0"))


async def grow_old(database: RolledBack) -> None:
    """As if the sign-in had been long ago."""
    async with database.transaction() as db:
        await db.execute(text("update sessions set created_at = now() - interval '1 hour'"))


async def add_passkey(
    home: httpx2.AsyncClient, key: Authenticator, name: str = "laptop"
) -> httpx2.Response:
    options = (await home.post("/api/auth/passkeys/options", json={})).json()["data"]
    form = {"passkey_name": name, "credential": json.dumps(key.create(options))}
    return await home.post("/account/passkeys", data=form)


async def test_an_app_is_set_up_on_a_page_and_asked_for_at_the_next_sign_in(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, database: RolledBack
) -> None:
    app, codes = await set_up_totp(home)
    assert len(set(codes)) == 10
    page = (await home.get("/account/factors")).text
    assert "a code of your app is asked for" in page
    assert "10 of 10 codes are left" in page
    assert not any(code in page for code in codes)
    # Set up once, it is shown to nobody any more.
    assert (await home.get("/account/factors/totp")).headers["location"] == "/account/factors"
    await forget_steps(database)

    half = await other.post("/sign-in", data=SIGN_IN | {"next": "/deployments?status=error"})
    target = "/sign-in/second?next=/deployments%3Fstatus%3Derror"
    assert half.headers["location"] == target
    assert (await other.get("/projects")).status_code == 303
    asked = await other.get(target)
    wrong = await other.post("/sign-in/second", data={"code": "12345x", "next": "/x"})
    right = await other.post("/sign-in/second", data={"code": app.now(), "next": "/deployments"})

    assert "Code of your authenticator app" in asked.text
    assert 'value="/deployments?status=error"' in asked.text
    assert wrong.status_code == 401
    assert 'id="e-code">That code is not right' in wrong.text
    assert right.headers["location"] == "/deployments"
    assert (await other.get("/projects")).status_code == 200
    # Half a sign-in counts once.
    assert "windlass_second_factor" not in other.cookies


async def test_a_recovery_code_opens_once(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient
) -> None:
    _, codes = await set_up_totp(home)

    for expected in (303, 401):
        await other.post("/sign-in", data=SIGN_IN)
        answer = await other.post("/sign-in/second", data={"code": codes[0]})
        assert answer.status_code == expected
        other.cookies.clear()
    assert "9 of 10 codes are left" in (await home.get("/account/factors")).text


async def test_after_five_wrong_codes_the_sign_in_begins_anew(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient
) -> None:
    await set_up_totp(home)
    await other.post("/sign-in", data=SIGN_IN)

    answers = [await other.post("/sign-in/second", data={"code": "wrong-code"}) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 303]
    back = answers[-1].headers["location"]
    assert back == "/sign-in?next=/projects&notice=second-over"
    assert "Sign in again." in (await other.get(back)).text
    nobody = await other.get("/sign-in/second", headers={"cookie": ""})
    assert nobody.headers["location"].startswith("/sign-in?")


async def test_a_passkey_signs_in_and_can_be_asked_for_after_a_password(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, key: Authenticator
) -> None:
    added = await add_passkey(home, key, "Ada's laptop")
    assert added.headers["location"] == "/account/factors?notice=passkey-added"
    page = (await home.get("/account/factors")).text
    assert "Ada&#39;s laptop" in page
    id = re.search(r"/account/passkeys/(pkey_\w+)/rename", page)
    assert id is not None

    options = (await other.post("/api/auth/passkeys/sign-in/options")).json()["data"]
    form = {"credential": json.dumps(key.get(options)), "next": "/deployments"}
    signed_in = await other.post("/sign-in/passkey", data=form)
    again = await other.post("/sign-in/passkey", data=form)
    broken = await other.post("/sign-in/passkey", data={"credential": "{"})

    assert signed_in.headers["location"] == "/deployments"
    assert again.status_code == 422  # 410 is no page of a form
    assert broken.status_code == 401
    assert "That passkey was not accepted." in broken.text
    other.cookies.clear()

    path = f"/account/passkeys/{id[1]}"
    asked = await home.post(f"{path}/second", data={"wanted": "true"})
    assert "Keep these recovery codes" in asked.text
    half = await other.post("/sign-in", data=SIGN_IN)
    assert half.headers["location"].startswith("/sign-in/second")
    shown = await other.get("/sign-in/second")
    found = re.search(r'data-options="([^"]+)"', shown.text)
    assert found is not None
    options = json.loads(found[1].replace("&#34;", '"'))
    form = {"credential": json.dumps(key.get(options)), "next": "//evil.example"}
    assert (await other.post("/sign-in/second/passkey", data=form)).headers["location"] == (
        "/projects"
    )

    renamed = await home.post(f"{path}/rename", data={"name": "desk"})
    nameless = await home.post(f"{path}/rename", data={"name": " "})
    removed = await home.post(f"{path}/remove")
    assert renamed.headers["location"].endswith("notice=saved")
    assert nameless.status_code == 422
    assert removed.headers["location"].endswith("notice=passkey-removed")
    page = (await home.get("/account/factors")).text
    assert "desk" not in page
    # Nothing is asked for any more, so the codes that stood in for it are gone.
    assert "Recovery codes" not in page


async def test_who_signed_in_a_while_ago_proves_once_more_that_it_is_them(
    home: httpx2.AsyncClient, database: RolledBack, key: Authenticator
) -> None:
    await grow_old(database)
    to_prove = "/account/prove?next=/account/factors"

    assert to_prove in (await home.get("/account/factors")).text
    for path in ("/factors/totp", "/factors/recovery-codes", "/passkeys", "/passkeys/x/remove"):
        answer = await home.post("/account" + path, data={"passkey_name": "x"})
        assert answer.status_code == 404 or answer.headers["location"] == to_prove, path
    assert (await home.get("/account/link/github")).headers["location"] == to_prove
    before = home.cookies["windlass_session"]

    wrong = await home.post("/account/prove", data={"password": "no", "next": "//evil.example"})
    right = await home.post("/account/prove", data={"password": make.PASSWORD})

    assert wrong.status_code == 422
    assert 'id="e-password">The current password is wrong.' in wrong.text
    assert right.headers["location"] == "/account/factors"
    assert home.cookies["windlass_session"] != before
    assert to_prove not in (await home.get("/account/factors")).text
    # The old session ended: what was stolen of it opens nothing.
    old = await home.get("/projects", headers={"cookie": f"windlass_session={before}"})
    assert old.status_code == 303

    await add_passkey(home, key)
    await grow_old(database)
    options = (await home.post("/api/auth/passkeys/sign-in/options")).json()["data"]
    form = {"credential": json.dumps(key.get(options))}
    assert (await home.post("/account/prove", data=form)).status_code == 303
    assert to_prove not in (await home.get("/account/factors")).text


async def test_somebody_elses_passkey_proves_nothing(
    home: httpx2.AsyncClient, other: httpx2.AsyncClient, database: RolledBack, key: Authenticator
) -> None:
    await make.user(database, email="eve@example.com")
    await other.post("/sign-in", data=SIGN_IN | {"login": "eve@example.com"})
    await add_passkey(other, key)
    await grow_old(database)

    options = (await home.post("/api/auth/passkeys/sign-in/options")).json()["data"]
    answer = await home.post("/account/prove", data={"credential": json.dumps(key.get(options))})

    assert answer.status_code == 401
    assert "That passkey was not accepted." in answer.text


async def test_a_token_and_a_password_do_not_make_a_session(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/account/prove", data={"password": make.PASSWORD})

    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


async def test_the_app_goes_with_a_code_and_the_password(
    home: httpx2.AsyncClient, database: RolledBack
) -> None:
    app, _ = await set_up_totp(home)
    await forget_steps(database)
    code = TOTP(app.secret).generate_otp(int(time.time()) // 30)

    without = await home.post("/account/factors/totp/off", data={"code": code})
    right = {"code": code, "current_password": make.PASSWORD}
    done = await home.post("/account/factors/totp/off", data=right)

    assert without.status_code == 422
    assert done.headers["location"] == "/account/factors?notice=totp-off"
    assert "Set up an authenticator app" in (await home.get("/account/factors")).text


async def test_a_linked_account_is_unlinked_unless_it_is_the_last_way_in(
    home: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    assert "Link GitHub" in (await home.get("/account/factors")).text
    async with database.transaction() as db:
        given = {"provider": "github", "provider_account_id": "7", "email": "ada@example.com"}
        db.add(Account(user_id=owner.id, **given))
        await db.execute(text("update users set password_hash = null"))
    page = (await home.get("/account/factors")).text
    path = re.search(r"/account/linked/acct_\w+/unlink", page)
    assert path is not None
    assert "Link GitHub" not in page
    assert "It is the last way into this account" in page

    last = await home.post(path[0])
    async with database.transaction() as db:
        await db.execute(text("update users set password_hash = 'x'"))
    done = await home.post(path[0])

    assert last.status_code == 409
    assert "This is the last way into the account." in last.text
    assert done.headers["location"] == "/account/factors?notice=unlinked"
