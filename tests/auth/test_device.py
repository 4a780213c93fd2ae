"""A command line comes in through a browser: RFC 8628, and nobody comes in without a click."""

import datetime as dt
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from litestar import Litestar
from sqlalchemy import text
from tests import make
from tests.conftest import PANEL, RolledBack, client_of

from windlass.auth.models import Actor

pytestmark = pytest.mark.anyio
LAPTOP = {"client": "windlass on laptop"}


@pytest.fixture
async def browser_of_owner(app: Litestar, owner: Actor) -> AsyncIterator[httpx2.AsyncClient]:
    """Signed in with a session, as a browser is."""
    async with client_of(app) as found:
        found.headers["origin"] = PANEL
        body = {"login": owner.email, "password": make.PASSWORD}
        assert (await found.post("/api/auth/sign-in", json=body)).status_code == 200
        yield found


async def begun(program: httpx2.AsyncClient) -> dict[str, Any]:
    answer = await program.post("/api/auth/device", json=LAPTOP)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def collect(program: httpx2.AsyncClient, asked: dict[str, Any]) -> httpx2.Response:
    return await program.post("/api/auth/device/token", json={"deviceCode": asked["deviceCode"]})


def reason(answer: httpx2.Response) -> str:
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]["details"]["reason"]


async def allow(browser: httpx2.AsyncClient, asked: dict[str, Any], **more: str) -> httpx2.Response:
    return await browser.post("/device/allow", data={"code": asked["userCode"], **more})


async def test_a_program_gets_a_token_after_a_click_and_only_once(
    anonymous: httpx2.AsyncClient, browser_of_owner: httpx2.AsyncClient, app: Litestar
) -> None:
    asked = await begun(anonymous)
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", asked["userCode"])
    assert asked["verificationUriComplete"].endswith(f"/device?code={asked['userCode']}")
    assert (asked["interval"], asked["expiresIn"]) == (3, 600)
    assert reason(await collect(anonymous, asked)) == "AUTHORIZATION_PENDING"

    page = await browser_of_owner.get(f"/device?code={asked['userCode'].lower()}")
    assert asked["userCode"] in page.text
    assert "windlass on laptop" in page.text
    assert reason(await collect(anonymous, asked)) == "SLOW_DOWN"
    allowed = await allow(browser_of_owner, asked, lasts="30")
    assert allowed.headers["location"] == "/device?notice=device-allowed"

    token = (await collect(anonymous, asked)).json()["data"]
    assert token["name"] == "windlass on laptop"
    left = dt.datetime.fromisoformat(token["expiresAt"]) - dt.datetime.now(dt.UTC)
    assert left.days == 29
    async with client_of(app, token["token"]) as program:
        me = (await program.get("/api/auth/me")).json()["data"]
        assert me["email"] == "owner@example.com"
        entries = (await program.get("/api/auth/activity")).json()["data"]
    assert any(
        entry["sentence"].startswith("Allowed windlass on laptop to sign in") for entry in entries
    )
    assert reason(await collect(anonymous, asked)) == "EXPIRED_TOKEN"


async def test_a_refusal_reaches_the_program(
    anonymous: httpx2.AsyncClient, browser_of_owner: httpx2.AsyncClient
) -> None:
    asked = await begun(anonymous)
    await browser_of_owner.post("/device/refuse", data={"code": asked["userCode"]})

    assert reason(await collect(anonymous, asked)) == "ACCESS_DENIED"
    assert (await allow(browser_of_owner, asked)).status_code == 422
    assert reason(await collect(anonymous, asked)) == "ACCESS_DENIED"


async def test_a_code_that_is_too_old_opens_nothing(
    anonymous: httpx2.AsyncClient, browser_of_owner: httpx2.AsyncClient, database: RolledBack
) -> None:
    asked = await begun(anonymous)
    async with database.transaction() as db:
        await db.execute(text("update device_codes set expires_at = now() - interval '1 s'"))

    assert reason(await collect(anonymous, asked)) == "EXPIRED_TOKEN"
    answer = await allow(browser_of_owner, asked)
    assert answer.status_code == 422
    assert "No program waits with this code" in answer.text


async def test_the_short_code_alone_collects_nothing(anonymous: httpx2.AsyncClient) -> None:
    asked = await begun(anonymous)
    for guess in (asked["userCode"], asked["userCode"].replace("-", ""), "", "wd_x", "%"):
        assert reason(await collect(anonymous, {"deviceCode": guess})) == "EXPIRED_TOKEN"


async def test_what_is_in_the_database_opens_nothing(
    anonymous: httpx2.AsyncClient, database: RolledBack
) -> None:
    asked = await begun(anonymous)
    rows = await database.fetch("select * from device_codes")

    assert asked["deviceCode"] not in repr([dict(row) for row in rows])


async def test_opening_the_link_alone_allows_nothing(
    anonymous: httpx2.AsyncClient, browser_of_owner: httpx2.AsyncClient
) -> None:
    """Somebody who was sent a link must click, after reading who asks (RFC 8628, 5.4)."""
    asked = await begun(anonymous)
    uri = asked["verificationUriComplete"].partition("://")[2].partition("/")[2]
    page = await browser_of_owner.get(f"/{uri}")

    assert reason(await collect(anonymous, asked)) == "AUTHORIZATION_PENDING"
    assert "If somebody sent you here" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    other = {"origin": "https://evil.example"}
    sent = await browser_of_owner.post(
        "/device/allow", data={"code": asked["userCode"]}, headers=other
    )
    assert sent.status_code == 403
    assert reason(await collect(anonymous, asked)) == "SLOW_DOWN"


async def test_codes_cannot_be_tried_one_after_the_other(
    anonymous: httpx2.AsyncClient, browser_of_owner: httpx2.AsyncClient
) -> None:
    asked = await begun(anonymous)
    for letter in "BCDFG":
        answer = await browser_of_owner.post("/device", data={"code": letter * 8})
        assert answer.status_code == 422
    for answer in (
        await browser_of_owner.post("/device", data={"code": asked["userCode"]}),
        await browser_of_owner.get(f"/device?code={asked['userCode']}"),
        await allow(browser_of_owner, asked),
    ):
        assert answer.status_code == 429, answer.text


async def test_questions_are_limited(anonymous: httpx2.AsyncClient) -> None:
    answers = [await anonymous.post("/api/auth/device", json=LAPTOP) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [201] * 5 + [429]


async def test_an_api_token_cannot_allow_another(
    anonymous: httpx2.AsyncClient, client: httpx2.AsyncClient
) -> None:
    """It would be wider and live longer than itself."""
    asked = await begun(anonymous)
    answer = await allow(client, asked)

    assert "Only somebody who is signed in with a browser" in answer.text
    assert reason(await collect(anonymous, asked)) == "AUTHORIZATION_PENDING"


async def test_who_is_not_signed_in_is_led_there_and_back(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.get("/device?code=BCDF-GHJK")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/device%3Fcode%3DBCDF-GHJK"


async def test_a_name_cannot_write_into_the_page(
    anonymous: httpx2.AsyncClient, browser_of_owner: httpx2.AsyncClient
) -> None:
    answer = await anonymous.post("/api/auth/device", json={"client": "<b>you</b>"})
    page = await browser_of_owner.get(f"/device?code={answer.json()['data']['userCode']}")
    assert "&lt;b&gt;you" in page.text

    assert (await anonymous.post("/api/auth/device", json={"client": "a\r\nb"})).status_code == 422
