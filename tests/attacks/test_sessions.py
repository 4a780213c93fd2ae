"""What opens a session, and what looks like it."""

import base64
import datetime as dt
import json
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests import make
from windlass.auth.front import COOKIE
from windlass.auth.models import Actor
from windlass.auth.signing import OVERLAP, SigningKeys
from windlass.core import ids
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio
API = "/api/auth"
RIGHT = {"login": "owner@example.com", "password": make.PASSWORD}


@pytest.fixture
async def token(browser_of: httpx2.AsyncClient, owner: Actor) -> str:
    answer = await browser_of.post(f"{API}/sign-in", json=RIGHT | {"token": True})
    return answer.json()["data"]["token"]


async def opens(browser: httpx2.AsyncClient, token: str) -> int:
    """As a Bearer token; as a cookie it must come to the same."""
    path = f"{API}/me"
    bearer = await browser.get(path, headers={"authorization": f"Bearer {token}"})
    cookie = await browser.get(path, headers={"cookie": f"{COOKIE}={token}"})
    assert bearer.status_code == cookie.status_code
    return bearer.status_code


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    head, body, signature = token.split(".")
    return json.loads(unpacked(head)), json.loads(unpacked(body)), signature


def unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def test_a_planted_session_is_worth_nothing_after_the_sign_in(
    browser_of: httpx2.AsyncClient, owner: Actor
) -> None:
    """Session fixation: the cookie of before is not the cookie of after, and stays closed."""
    browser_of.cookies.set(COOKIE, "planted", domain="panel.example")
    await browser_of.post("/sign-in", data=RIGHT)
    first = browser_of.cookies.get(COOKIE, domain="panel.example", path="/")
    await browser_of.post("/sign-in", data=RIGHT)

    sessions = (await browser_of.get(f"{API}/sessions")).json()["data"]

    assert first != "planted"
    assert await opens(browser_of, "planted") == 401
    assert len({session["id"] for session in sessions}) == 2


async def test_after_sign_out_neither_cookie_nor_token_opens_anything(
    browser_of: httpx2.AsyncClient, token: str
) -> None:
    bearer = {"authorization": f"Bearer {token}"}
    assert await opens(browser_of, token) == 200

    assert (await browser_of.post(f"{API}/sign-out", headers=bearer)).status_code == 200

    assert await opens(browser_of, token) == 401
    assert (await browser_of.post(f"{API}/sign-out", headers=bearer)).status_code == 401


async def test_a_token_that_nobody_signed_or_another_way_opens_nothing(
    browser_of: httpx2.AsyncClient, token: str
) -> None:
    head, body, signature = parts(token)
    kid = head["kid"]
    rsa, own = RSAKey.generate_key(2048), OctKey.import_key(b"x" * 32)
    forged = [
        f"{packed({'alg': 'none'})}.{packed(body)}.",
        f"{packed(head | {'alg': 'none'})}.{packed(body)}.",
        f"{packed(head | {'alg': 'None'})}.{packed(body)}.{signature}",
        f"{packed(head | {'alg': 'HS512'})}.{packed(body)}.{signature}",
        f"{packed(head | {'kid': ''})}.{packed(body)}.{signature}",
        f"{packed(head | {'kid': '../../keys/sessions.json'})}.{packed(body)}.{signature}",
        f"{packed(head | {'kid': ['x']})}.{packed(body)}.{signature}",
        jwt.encode(head, body, own),
        jwt.encode(head | {"jwk": own.as_dict()}, body, own),
        jwt.encode({"alg": "RS256", "kid": kid}, body, rsa),
        f"{packed(head)}.{packed(body | {'userId': ids.public('user', ids.uuid7())})}.{signature}",
        f"{packed(head)}.{packed(body | {'exp': 9_999_999_999})}.{signature}",
        token[:-1] + ("A" if token[-1] != "A" else "E"),
        token + ".",
        token.replace(".", "", 1),
        "..",
        "[" * 50_000,
        packed("[" * 10_000).replace("A", "B") + ".a.b",
        "\u00e9",
        "wl_" + "x" * 40,
    ]

    for found in forged:
        header = f"Bearer {found}".encode()
        answer = await browser_of.get(f"{API}/me", headers={b"authorization": header})
        assert answer.status_code == 401, found[:80]
    assert await opens(browser_of, token) == 200


async def test_a_session_of_another_person_is_not_opened_by_a_key_that_is_right(
    browser_of: httpx2.AsyncClient, token: str, settings: Settings
) -> None:
    """Even who had the key could only name a session and its own person together."""
    _, body, _ = parts(token)
    [key] = json.loads((settings.folder / "keys" / "sessions.json").read_text())
    signing = OctKey.import_key(base64.b64decode(key["key"]))
    head = {"alg": "HS256", "kid": key["kid"]}

    for change in (
        {"userId": ids.public("user", ids.uuid7())},
        {"sid": ids.public("sess", ids.uuid7())},
        {"sid": None},
        {"exp": 1},
        {"exp": "never"},
        {"userId": body["sid"]},
    ):
        assert await opens(browser_of, jwt.encode(head, body | change, signing)) == 401, change


async def test_a_key_that_was_retired_counts_to_the_end_of_the_overlap_and_no_longer(
    browser_of: httpx2.AsyncClient, token: str, settings: Settings
) -> None:
    """C-294, E-12."""
    folder = settings.folder / "keys"
    SigningKeys(folder).rotate()
    assert await opens(browser_of, token) == 200

    path = folder / "sessions.json"
    keys = json.loads(path.read_text())
    long_ago = dt.datetime.now(dt.UTC) - OVERLAP - dt.timedelta(seconds=1)
    keys[1]["retired_at"] = long_ago.isoformat()
    path.write_text(json.dumps(keys))
    await browser_of.post("/account/theme", data={"theme": "dark"})  # forgets who was known

    assert await opens(browser_of, token) == 401


async def test_cookies_of_all_sorts_open_nothing_and_break_nothing(
    browser_of: httpx2.AsyncClient,
) -> None:
    for cookie in (
        f"{COOKIE}=",
        f"{COOKIE}",
        f'{COOKIE}="',
        f"{COOKIE}=a; {COOKIE}=b",
        f"{COOKIE}=%00",
        f"{COOKIE}={'x' * 20_000}",
        "=;=;=",
        "\u00ff" * 50,
        "windlass_theme=<script>; windlass_second_factor=x; windlass_device=x; windlass_provider=x",
    ):
        headers = {b"cookie": cookie.encode("latin-1")}
        assert (await browser_of.get(f"{API}/me", headers=headers)).status_code == 401, cookie[:60]
        page = await browser_of.get("/sign-in", headers=headers)
        assert page.status_code == 200
        assert "<script>" not in page.text.replace("<script type=", "")
