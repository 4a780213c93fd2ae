from typing import Any

import httpx2
import pytest
from tests import make
from tests.conftest import PANEL, RolledBack

from windlass.auth import service
from windlass.auth.models import Actor
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio
SIGN_IN = {"email": "owner@example.com", "password": make.PASSWORD}


async def test_the_envelope_says_who_is_signed_in(client: httpx2.AsyncClient) -> None:
    """C-032, C-070, C-073, C-084, C-094."""
    response = await client.get("/api/auth/me")

    body = response.json()
    assert response.status_code == 200, response.text
    assert body["ok"] is True
    assert body["data"]["email"] == "owner@example.com"
    assert body["data"]["id"].startswith("user_")
    assert body["meta"]["timing"]["durationMs"] >= 0
    assert response.headers["api-version"] == "2026-02-12"
    assert response.headers["x-request-id"].startswith("req_")


async def test_without_credentials_the_answer_is_401_with_the_request_id(
    anonymous: httpx2.AsyncClient,
) -> None:
    response = await anonymous.get("/api/auth/me")

    error = response.json()["error"]
    assert response.status_code == 401
    assert error["code"] == "UNAUTHORIZED"
    assert error["requestId"] == response.headers["x-request-id"]


async def test_signing_in_opens_a_session_and_signing_out_ends_it(
    anonymous: httpx2.AsyncClient, owner: Actor
) -> None:
    response = await anonymous.post("/api/auth/sign-in", json=SIGN_IN)
    assert response.status_code == 200, response.text
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert (await anonymous.get("/api/auth/me")).status_code == 200

    here = {"origin": PANEL}
    assert (await anonymous.post("/api/auth/sign-out", headers=here)).status_code == 200

    anonymous.cookies.set("windlass_session", cookie.split("=", 1)[1].split(";")[0])
    assert (await anonymous.get("/api/auth/me")).status_code == 401


@pytest.mark.parametrize("other", ['prefs={"a":1}', "a b", "x=a b c", '"', "x[=ü", "expires"])
async def test_cookies_of_other_programs_on_this_host_keep_nobody_out(
    anonymous: httpx2.AsyncClient, owner: Actor, other: str
) -> None:
    """Everything on localhost shares them, whatever its port, and not all keep to RFC 6265."""
    await anonymous.post("/api/auth/sign-in", json=SIGN_IN)
    own = "; ".join(f"{name}={value}" for name, value in anonymous.cookies.items())
    anonymous.cookies.clear()

    for carried in (
        f"{other}; {own}; windlass_language=de",
        f"windlass_language=de; {own}; {other}",
    ):
        headers = {b"cookie": carried.encode()}
        assert (await anonymous.get("/api/auth/me", headers=headers)).status_code == 200
        assert 'lang="de"' in (await anonymous.get("/account", headers=headers)).text


async def test_a_wrong_password_and_an_unknown_address_say_the_same(
    anonymous: httpx2.AsyncClient, owner: Actor
) -> None:
    wrong = await anonymous.post("/api/auth/sign-in", json=SIGN_IN | {"password": "nonsense"})
    unknown = await anonymous.post("/api/auth/sign-in", json=SIGN_IN | {"email": "x@example.com"})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["error"]["message"] == unknown.json()["error"]["message"]


async def test_the_sixth_try_within_a_minute_is_429(
    anonymous: httpx2.AsyncClient, owner: Actor
) -> None:
    for _ in range(5):
        await anonymous.post("/api/auth/sign-in", json=SIGN_IN | {"password": "nonsense"})

    response = await anonymous.post("/api/auth/sign-in", json=SIGN_IN)

    assert response.status_code == 429
    assert response.json()["error"]["code"] == "TOO_MANY_REQUESTS"


WRONG = "Wrong horse battery 1"
EMAIL = {"email": "other@example.com"}


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("POST", "/api/auth/password", {"current": WRONG, "new": make.PASSWORD}),
        ("PATCH", "/api/auth/account", EMAIL | {"currentPassword": WRONG}),
        ("DELETE", "/api/auth/account", {"password": WRONG}),
        (
            "POST",
            "/account/password",
            {
                "current_password": WRONG,
                "password": make.PASSWORD,
                "password_again": make.PASSWORD,
            },
        ),
        ("POST", "/account/profile", EMAIL | {"current_password": WRONG}),
        ("POST", "/account/delete", {"password": WRONG, "confirm": "owner@example.com"}),
    ],
)
async def test_who_found_an_open_session_cannot_guess_the_password_with_it(
    anonymous: httpx2.AsyncClient, owner: Actor, method: str, path: str, given: dict[str, str]
) -> None:
    """C-035: wherever a password is asked for, so many tries a minute count."""
    anonymous.headers["origin"] = PANEL
    await anonymous.post("/api/auth/sign-in", json=SIGN_IN)
    as_body: dict[str, Any] = {"json": given} if path.startswith("/api/") else {"data": given}

    answers = [await anonymous.request(method, path, **as_body) for _ in range(6)]

    assert all(answer.status_code in {400, 422} for answer in answers[:5]), answers[0].text
    assert answers[5].status_code == 429


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None])
async def test_a_cookie_from_another_site_changes_nothing(
    anonymous: httpx2.AsyncClient, owner: Actor, origin: str | None
) -> None:
    """C-093, B-043."""
    await anonymous.post("/api/auth/sign-in", json=SIGN_IN)
    headers = {"origin": origin} if origin else {}

    response = await anonymous.post("/api/auth/tokens", json={"name": "x"}, headers=headers)

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "CSRF_ERROR"


async def test_a_token_is_shown_once_works_and_can_be_revoked(client: httpx2.AsyncClient) -> None:
    made = await client.post("/api/auth/tokens", json={"name": "laptop"})
    assert made.status_code == 201
    token = made.json()["data"]
    headers = {"authorization": f"Bearer {token['token']}"}
    assert (await client.get("/api/auth/me", headers=headers)).status_code == 200
    listed = (await client.get("/api/auth/tokens")).json()["data"]
    assert all(row["token"] is None for row in listed)

    assert (await client.delete(f"/api/auth/tokens/{token['id']}")).status_code == 204

    assert (await client.get("/api/auth/me", headers=headers)).status_code == 401


async def test_somebody_elses_token_cannot_be_revoked(
    client: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    token = (await client.post("/api/auth/tokens", json={"name": "laptop"})).json()["data"]

    assert (await stranger.delete(f"/api/auth/tokens/{token['id']}")).status_code == 404


async def test_the_one_time_link_works_once(
    anonymous: httpx2.AsyncClient, database: RolledBack, settings: Settings
) -> None:
    keys = settings.folder / "keys"
    async with database.transaction() as db:
        token = await service.ensure_owner(db, keys)
    body = {"token": token, "email": "Me@Example.com", "password": "Long enough 1"}
    here = {"origin": PANEL}

    first = await anonymous.post("/api/auth/setup", json=body, headers=here)
    second = await anonymous.post("/api/auth/setup", json=body, headers=here)

    assert first.status_code == 200, first.text
    assert first.json()["data"]["email"] == "me@example.com"
    assert second.status_code == 410


async def test_every_wrong_field_is_named_at_once(anonymous: httpx2.AsyncClient) -> None:
    """C-072."""
    body = {"email": 7, "password": "short", "extra": 1}

    response = await anonymous.post("/api/auth/setup", json=body)

    error = response.json()["error"]
    assert response.status_code == 422
    assert error["code"] == "VALIDATION_ERROR"
    assert error["message"] == "Validation failed"
    assert {field["field"] for field in error["details"]["fields"]} == {
        "token",
        "email",
        "password",
        "extra",
    }


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[1", b"nope"])
async def test_a_body_that_is_not_json_is_400(anonymous: httpx2.AsyncClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}

    response = await anonymous.post("/api/auth/sign-in", content=body, headers=headers)

    assert response.status_code == 400, response.text
    assert response.json()["error"]["code"] == "BAD_REQUEST"


async def test_a_body_over_the_limit_is_413(anonymous: httpx2.AsyncClient) -> None:
    response = await anonymous.post("/api/auth/sign-in", json={"email": "x" * (2 << 20)})

    assert response.status_code == 413


async def test_an_unknown_address_has_the_envelope_and_the_headers(
    anonymous: httpx2.AsyncClient,
) -> None:
    response = await anonymous.get("/api/nothing")

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "NOT_FOUND"
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["x-request-id"]
