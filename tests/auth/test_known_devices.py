"""Tries of strangers never lock the owner's own browser out, and its cookie is good for nothing
else."""

import base64
import datetime as dt
from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest
from litestar import Litestar
from sqlalchemy import text
from tests import make
from tests.conftest import PANEL, RolledBack, client_of

from windlass.auth import known_devices
from windlass.auth.models import Actor
from windlass.core import clock
from windlass.core.crypto import KeyRing

pytestmark = pytest.mark.anyio
HERE = {"origin": PANEL}
RIGHT = {"login": "owner@example.com", "password": make.PASSWORD}
WRONG = RIGHT | {"password": "Wrong horse battery 1"}
API = "/api/auth/sign-in"


@pytest.fixture
async def known(anonymous: httpx2.AsyncClient, app: Litestar, owner: Actor) -> httpx2.AsyncClient:
    """The owner's browser: signed in there once, and out again."""
    anonymous.headers.update(HERE)
    assert (await anonymous.post("/sign-in", data=RIGHT)).status_code == 303
    assert (await anonymous.post("/sign-out")).status_code == 303
    app.state.limiter.reset()
    return anonymous


@pytest.fixture
async def guesser(app: Litestar) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody at the same address, which is worse than somebody far away."""
    async with client_of(app) as found:
        found.headers.update(HERE)
        yield found


async def guess(client: httpx2.AsyncClient, times: int) -> list[int]:
    return [(await client.post(API, json=WRONG)).status_code for _ in range(times)]


async def test_who_guesses_all_day_keeps_only_strange_browsers_waiting(
    known: httpx2.AsyncClient, guesser: httpx2.AsyncClient
) -> None:
    assert await guess(guesser, 7) == [401] * 5 + [429] * 2
    assert (await guesser.post(API, json=RIGHT)).status_code == 429

    for form in ("/sign-in", API):
        options = {"json": RIGHT} if form == API else {"data": RIGHT}
        assert (await known.post(form, **options)).status_code in {200, 303}
    # Nor does it keep them from proving that it is them.
    proof = {"password": make.PASSWORD, "next": "/account/factors"}
    assert (await known.post("/account/prove", data=proof)).status_code == 303


async def test_by_every_name_of_the_account(
    known: httpx2.AsyncClient, guesser: httpx2.AsyncClient, database: RolledBack, app: Litestar
) -> None:
    async with database.transaction() as db:
        await db.execute(text("update users set username = 'ada' where email like 'owner@%'"))
    await known.post(API, json=RIGHT)
    app.state.limiter.reset()
    await guess(guesser, 6)

    assert (await known.post(API, json=RIGHT | {"login": "ADA"})).status_code == 200


async def test_a_known_browser_has_its_own_five_tries(known: httpx2.AsyncClient) -> None:
    assert await guess(known, 6) == [401] * 5 + [429]
    assert (await known.post(API, json=RIGHT)).status_code == 429


async def test_two_known_browsers_share_them(
    known: httpx2.AsyncClient, guesser: httpx2.AsyncClient, app: Litestar
) -> None:
    """Else whoever has an account would collect cookies, and tries at the accounts of others."""
    await guesser.post(API, json=RIGHT)
    app.state.limiter.reset()

    assert await guess(known, 3) == [401] * 3
    assert await guess(guesser, 3) == [401, 401, 429]


async def test_for_another_account_it_is_worth_nothing(
    known: httpx2.AsyncClient, guesser: httpx2.AsyncClient, database: RolledBack
) -> None:
    await make.user(database, email="eve@example.com")
    others = {"login": "eve@example.com", "password": "Wrong horse battery 1"}
    for _ in range(5):
        await guesser.post(API, json=others)

    assert (await known.post(API, json=others)).status_code == 429


async def test_one_that_was_changed_or_is_too_old_makes_a_stranger(
    known: httpx2.AsyncClient, guesser: httpx2.AsyncClient, key_ring: KeyRing, owner: Actor
) -> None:
    good = known.cookies[known_devices.COOKIE]
    device = known_devices.of(good, key_ring)
    assert device is not None
    assert device.names == ("owner@example.com",)
    old = msgspec.structs.replace(device, expires_at=clock.now() - dt.timedelta(seconds=1))
    sealed = key_ring.seal(msgspec.json.encode(old), context="known_device")
    elsewhere = key_ring.seal(msgspec.json.encode(device), context="challenges.payload")
    packed = [base64.urlsafe_b64encode(made).decode() for made in (sealed, elsewhere)]
    await guess(guesser, 5)

    for value in (good[:-2] + "AA", good[:40], "", "=", "ü", "x" * 5000, *packed):
        header = f"{known_devices.COOKIE}={value}".encode()
        answer = await guesser.post(API, json=RIGHT, headers={b"cookie": header})
        assert answer.status_code == 429, value


async def test_scripts_cannot_read_it_programs_do_not_get_it_and_it_opens_nothing(
    known: httpx2.AsyncClient, guesser: httpx2.AsyncClient
) -> None:
    answer = await known.post(API, json=RIGHT)
    program = await guesser.post(API, json=RIGHT | {"token": True})
    value = known.cookies[known_devices.COOKIE]

    [cookie] = [c for c in answer.headers.get_list("set-cookie") if known_devices.COOKIE in c]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "owner" not in cookie
    assert "set-cookie" not in program.headers
    assert (await guesser.get("/api/auth/me", headers={"cookie": cookie})).status_code == 401
    as_session = {"cookie": f"windlass_session={value}"}
    assert (await guesser.get("/api/auth/me", headers=as_session)).status_code == 401


async def test_half_a_sign_in_makes_no_known_browser(
    known: httpx2.AsyncClient, guesser: httpx2.AsyncClient
) -> None:
    """Who knows the password and lacks the second factor is still a stranger."""
    from pyotp.totp import TOTP

    await known.post(API, json=RIGHT)
    secret = (await known.post("/api/auth/totp", json={})).json()["data"]["secret"]
    await known.post("/api/auth/totp/confirm", json={"code": TOTP(secret).now()})

    half = await guesser.post("/sign-in", data=RIGHT)

    assert half.headers["location"].startswith("/sign-in/second")
    assert known_devices.COOKIE not in guesser.cookies
