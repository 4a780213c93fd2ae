"""The second factor: an authenticator app and recovery codes, from both sides."""

import time
from typing import Any

import httpx2
import msgspec
import pytest
from litestar import Litestar
from pyotp.totp import TOTP
from sqlalchemy import text
from tests import make
from tests.conftest import PANEL, RolledBack, client_of

from windlass.auth.models import Actor
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio
HERE = {"origin": PANEL}
SIGN_IN = {"email": "owner@example.com", "password": make.PASSWORD}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """These tests try more often than people do; those about limits set their own."""
    return msgspec.structs.replace(settings, limits=make.MANY_TRIES)


@pytest.fixture
async def browser_of(anonymous: httpx2.AsyncClient, owner: Actor) -> httpx2.AsyncClient:
    """The owner, signed in just now, with a cookie."""
    anonymous.headers.update(HERE)
    assert (await anonymous.post("/api/auth/sign-in", json=SIGN_IN)).status_code == 200
    return anonymous


class App:
    """The authenticator app."""

    def __init__(self, secret: str) -> None:
        self._totp = TOTP(secret)

    def code(self, steps: int = 0) -> str:
        return self._totp.generate_otp(int(time.time()) // 30 + steps)

    def wrong(self) -> str:
        """A code of none of the steps that could count."""
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(code for code in ("000000", "111111", "222222", "3" * 6) if code not in near)


async def set_up(browser: httpx2.AsyncClient) -> tuple[App, list[str]]:
    begun = await browser.post("/api/auth/totp", json={})
    assert begun.status_code == 201, begun.text
    app = App(begun.json()["data"]["secret"])
    confirmed = await browser.post("/api/auth/totp/confirm", json={"code": app.code()})
    assert confirmed.status_code == 200, confirmed.text
    return app, confirmed.json()["data"]["recoveryCodes"]


async def forget_steps(database: RolledBack) -> None:
    """As if half a minute had passed: the code of this moment counts again."""
    async with database.transaction() as db:
        await db.execute(text("update totps set last_step = 0"))


async def half(browser: httpx2.AsyncClient) -> dict[str, Any]:
    answer = await browser.post("/api/auth/sign-in", json=SIGN_IN)
    assert answer.status_code == 202, answer.text
    assert "windlass_session" not in answer.headers.get("set-cookie", "")
    return answer.json()["data"]


async def give(browser: httpx2.AsyncClient, challenge: str, code: str) -> httpx2.Response:
    given = {"challenge": challenge, "code": code}
    return await browser.post("/api/auth/second-factor", json=given)


async def test_with_an_authenticator_app_a_password_is_only_half_of_a_sign_in(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient, database: RolledBack
) -> None:
    app, codes = await set_up(browser_of)
    assert len(set(codes)) == 10
    await forget_steps(database)

    begun = await half(other)
    assert begun["methods"] == ["totp", "recoveryCode"]
    assert (await other.get("/api/auth/me")).status_code == 401

    wrong = await give(other, begun["challenge"], app.wrong())
    right = await give(other, begun["challenge"], app.code())

    assert wrong.status_code == 401
    assert wrong.json()["error"]["details"]["reason"] == "WRONG_CODE"
    assert right.status_code == 200, right.text
    assert (await other.get("/api/auth/me")).json()["data"]["email"] == "owner@example.com"


async def test_the_secret_is_shown_as_a_picture_and_counts_only_when_confirmed(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient, database: RolledBack
) -> None:
    begun = (await browser_of.post("/api/auth/totp", json={})).json()["data"]
    assert begun["uri"].startswith("otpauth://totp/Windlass:owner%40example.com?secret=")
    assert begun["qr"].startswith("data:image/svg+xml")
    async with database.transaction() as db:
        kept = await db.scalar(text("select secret_sealed from totps"))
    assert begun["secret"].encode() not in kept

    # Not confirmed yet: the password is enough.
    assert (await other.post("/api/auth/sign-in", json=SIGN_IN)).status_code == 200
    wrong = {"code": App(begun["secret"]).wrong()}
    assert (await browser_of.post("/api/auth/totp/confirm", json=wrong)).status_code == 401
    assert (await browser_of.get("/api/auth/factors")).json()["data"]["totp"] is False


async def test_a_code_counts_once_also_for_another_sign_in(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient, database: RolledBack
) -> None:
    app, _ = await set_up(browser_of)
    await forget_steps(database)
    code = app.code()
    first = await give(other, (await half(other))["challenge"], code)
    assert first.status_code == 200

    again = await give(other, (await half(other))["challenge"], code)
    older = await give(other, (await half(other))["challenge"], app.code(-1))

    assert (again.status_code, older.status_code) == (401, 401)


@pytest.mark.parametrize(("steps", "status"), [(-3, 401), (-1, 200), (1, 200), (3, 401)])
async def test_a_clock_may_be_wrong_by_one_step(
    browser_of: httpx2.AsyncClient,
    other: httpx2.AsyncClient,
    database: RolledBack,
    steps: int,
    status: int,
) -> None:
    app, _ = await set_up(browser_of)
    await forget_steps(database)

    answer = await give(other, (await half(other))["challenge"], app.code(steps))

    assert answer.status_code == status


async def test_a_challenge_counts_once(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient, database: RolledBack
) -> None:
    app, codes = await set_up(browser_of)
    await forget_steps(database)
    challenge = (await half(other))["challenge"]
    assert (await give(other, challenge, app.code())).status_code == 200

    again = await give(other, challenge, codes[0])

    assert again.status_code == 410
    assert len((await browser_of.get("/api/auth/factors")).json()["data"]["passkeys"]) == 0
    left = (await browser_of.get("/api/auth/factors")).json()["data"]["recoveryCodesLeft"]
    assert left == 10, "the code that came too late is still good"


async def test_the_code_of_somebody_else_opens_nothing(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient, database: RolledBack
) -> None:
    _, codes = await set_up(browser_of)
    mallory = await make.user(database, email="mallory@example.com", is_admin=False)
    signed_in = SIGN_IN | {"email": mallory.email or ""}
    await other.post("/api/auth/sign-in", json=signed_in)
    theirs, their_codes = await set_up(other)
    await forget_steps(database)

    # The owner's password is known to Mallory, the second factor is not.
    challenge = (await half(other))["challenge"]
    by_app = await give(other, challenge, theirs.code())
    by_code = await give(other, challenge, their_codes[0])
    own_challenge = (await other.post("/api/auth/sign-in", json=signed_in)).json()["data"]
    by_mine = await give(other, own_challenge["challenge"], codes[0])

    assert [by_app.status_code, by_code.status_code, by_mine.status_code] == [401, 401, 401]


async def test_a_recovery_code_opens_the_account_once(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient
) -> None:
    _, codes = await set_up(browser_of)
    typed = codes[3].upper().replace("-", " ")

    first = await give(other, (await half(other))["challenge"], typed)
    second = await give(other, (await half(other))["challenge"], codes[3])

    assert (first.status_code, second.status_code) == (200, 401)
    left = (await browser_of.get("/api/auth/factors")).json()["data"]["recoveryCodesLeft"]
    assert left == 9


async def test_new_recovery_codes_replace_the_old_ones(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient
) -> None:
    _, old = await set_up(browser_of)

    made = await browser_of.post("/api/auth/recovery-codes", json={})

    new = made.json()["data"]["recoveryCodes"]
    assert made.status_code == 201
    assert (await give(other, (await half(other))["challenge"], old[0])).status_code == 401
    assert (await give(other, (await half(other))["challenge"], new[0])).status_code == 200


async def test_five_wrong_codes_end_a_challenge_but_not_the_account(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient, database: RolledBack
) -> None:
    app, _ = await set_up(browser_of)
    await forget_steps(database)
    challenge = (await half(other))["challenge"]
    tries = [await give(other, challenge, app.wrong()) for _ in range(5)]
    assert {answer.status_code for answer in tries} == {401}

    assert (await give(other, challenge, app.code())).status_code == 410

    assert (await give(other, (await half(other))["challenge"], app.code())).status_code == 200


@pytest.mark.parametrize("between", ["", "-", " "])
async def test_guessing_is_slowed_for_each_account_and_its_owner_still_gets_in(
    browser_of: httpx2.AsyncClient, app: Litestar, settings: Settings, between: str
) -> None:
    """C-035: whoever has the password cannot try codes for long, however they write them, nor lock
    its owner out."""
    phone, codes = await set_up(browser_of)
    limits = msgspec.structs.replace(settings.limits, second_factor="5/60")
    trusting = msgspec.structs.replace(settings.edge, trusted_proxies="127.0.0.0/8")
    app.state.settings = msgspec.structs.replace(settings, limits=limits, edge=trusting)
    async with client_of(app) as mallory, client_of(app) as owner:
        statuses: list[int] = []
        for number in range(6):
            mallory.headers.update({**HERE, "x-forwarded-for": f"203.0.113.{number}"})
            challenge = (await half(mallory))["challenge"]
            wrong = phone.wrong()
            written = f"{wrong[:3]}{between}{wrong[3:]}"
            statuses.append((await give(mallory, challenge, written)).status_code)
        owner.headers.update({**HERE, "x-forwarded-for": "198.51.100.1"})
        by_code = await give(owner, (await half(owner))["challenge"], codes[0])

    # The one that turned the app on counted too.
    assert statuses[:4] == [401] * 4
    assert statuses[-1] == 429
    assert by_code.status_code == 200


async def test_one_address_tries_five_codes_a_minute(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient, app: Litestar, settings: Settings
) -> None:
    phone, _ = await set_up(browser_of)
    challenge = (await half(other))["challenge"]
    limits = msgspec.structs.replace(settings.limits, second_factor="5/60")
    app.state.settings = msgspec.structs.replace(settings, limits=limits)

    statuses = [(await give(other, challenge, phone.wrong())).status_code for _ in range(6)]

    assert statuses[-1] == 429


async def test_a_challenge_is_over_after_five_minutes(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient, database: RolledBack
) -> None:
    _, codes = await set_up(browser_of)
    challenge = (await half(other))["challenge"]
    async with database.transaction() as db:
        alive = await db.scalar(
            text("select max(expires_at) < clock_timestamp() + interval '300 s' from challenges")
        )
        await db.execute(text("update challenges set expires_at = now() - interval '1 s'"))

    assert alive is True
    assert (await give(other, challenge, codes[0])).status_code == 410


async def test_what_could_lock_somebody_out_needs_the_password_or_a_fresh_sign_in(
    browser_of: httpx2.AsyncClient, database: RolledBack
) -> None:
    async with database.transaction() as db:
        await db.execute(text("update sessions set created_at = now() - interval '11 minutes'"))

    without = await browser_of.post("/api/auth/totp", json={})
    wrong = await browser_of.post("/api/auth/totp", json={"password": "not this one"})
    right = await browser_of.post("/api/auth/totp", json={"password": make.PASSWORD})

    assert without.status_code == 403
    assert without.json()["error"]["details"]["reason"] == "PROVE_AGAIN"
    assert wrong.status_code == 400
    assert right.status_code == 201


async def test_an_api_token_alone_is_no_proof(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/api/auth/totp", json={})).status_code == 403
    assert (await client.post("/api/auth/recovery-codes", json={})).status_code == 403
    assert (await client.post("/api/auth/passkeys/options", json={})).status_code == 403


async def test_turning_it_off_needs_the_password_and_a_code(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient
) -> None:
    phone, codes = await set_up(browser_of)
    path, password = "/api/auth/totp/disable", make.PASSWORD

    only_code = await browser_of.post(path, json={"code": codes[0]})
    wrong_code = await browser_of.post(path, json={"code": phone.wrong(), "password": password})
    assert (only_code.status_code, wrong_code.status_code) == (400, 401)
    done = await browser_of.post(path, json={"code": codes[0], "password": password})

    assert done.status_code == 200, done.text
    assert (await other.post("/api/auth/sign-in", json=SIGN_IN)).status_code == 200
    factors = (await browser_of.get("/api/auth/factors")).json()["data"]
    assert factors == {"totp": False, "passkeys": [], "recoveryCodesLeft": 0}


async def test_a_second_app_waits_until_the_first_is_off(browser_of: httpx2.AsyncClient) -> None:
    await set_up(browser_of)

    assert (await browser_of.post("/api/auth/totp", json={})).status_code == 409


async def test_every_step_is_in_the_record(
    browser_of: httpx2.AsyncClient, other: httpx2.AsyncClient, database: RolledBack
) -> None:
    _, codes = await set_up(browser_of)
    await give(other, (await half(other))["challenge"], codes[0])
    off = {"code": codes[1], "password": make.PASSWORD}
    await browser_of.post("/api/auth/totp/disable", json=off)

    async with database.transaction() as db:
        found = await db.scalars(text("select name from events order by created_at, id"))
        said = await db.scalar(text("select string_agg(payload::text, ' ') from events"))

    names = [name for name in found if name.startswith(("auth.Totp", "auth.Recovery"))]
    used = "auth.RecoveryCodeUsed"
    assert names == ["auth.TotpEnabled", "auth.RecoveryCodesMade", used, used, "auth.TotpDisabled"]
    assert not any(code in said for code in codes)
