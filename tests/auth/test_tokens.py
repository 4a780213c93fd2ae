"""API tokens narrow and never widen, end, say when they were used, and are shown once: C-038."""

import datetime as dt
from typing import Any

import httpx2
import pytest
from litestar import Litestar
from sqlalchemy import text
from tests import make
from tests.conftest import RolledBack, client_of

from windlass.auth.models import Actor

pytestmark = pytest.mark.anyio
READ = ["deploy:read", "project:read"]


async def made(client: httpx2.AsyncClient, **given: Any) -> dict[str, Any]:
    answer = await client.post("/api/auth/tokens", json={"name": "ci", **given})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def problems(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    fields = answer.json()["error"]["details"]["fields"]
    return {problem["field"]: problem["message"] for problem in fields}


async def test_a_token_says_what_it_may_do_when_it_ends_and_when_it_was_used(
    client: httpx2.AsyncClient, app: Litestar
) -> None:
    token = await made(client, scopes=[*reversed(READ), READ[0]], expiresInDays=30)
    async with client_of(app, token["token"]) as program:
        assert (await program.get("/api/projects")).status_code == 200

    listed = (await client.get("/api/auth/tokens")).json()["data"]

    row = next(row for row in listed if row["id"] == token["id"])
    assert row["token"] is None
    assert row["scopes"] == READ
    assert row["lastUsedAt"] is not None
    assert row["isExpired"] is False
    left = dt.datetime.fromisoformat(row["expiresAt"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=29) < left <= dt.timedelta(days=30)


async def test_a_narrowed_token_may_only_do_what_it_is_for(
    client: httpx2.AsyncClient, app: Litestar
) -> None:
    token = await made(client, scopes=READ)
    async with client_of(app, token["token"]) as program:
        refused = await program.post("/api/projects", json={"name": "shop"})
        assert refused.status_code == 403
        assert "made without it" in refused.json()["error"]["message"]
        assert (await program.get("/api/auth/tokens")).status_code == 403
        # Who they are and how to stop being it, every token may know.
        assert (await program.get("/api/auth/me")).status_code == 200

        assert (await program.delete("/api/auth/tokens/current")).status_code == 204

        assert (await program.get("/api/auth/me")).status_code == 401


async def test_a_token_makes_none_that_may_do_more_or_lives_longer(
    client: httpx2.AsyncClient, app: Litestar
) -> None:
    token = await made(client, scopes=["account", *READ], expiresInDays=10)
    async with client_of(app, token["token"]) as program:
        for wider in ({}, {"scopes": ["deploy:create"]}, {"scopes": ["account", "admin:write"]}):
            body = {"name": "wider", "expiresInDays": 1, **wider}
            answer = await program.post("/api/auth/tokens", json=body)
            assert "scopes" in problems(answer), wider
        for longer in ({}, {"expiresInDays": 11}):
            child = await made(program, scopes=READ, **longer)
            assert child["expiresAt"] == token["expiresAt"], longer
        narrower = await made(program, scopes=READ[:1], expiresInDays=9)

    assert narrower["scopes"] == READ[:1]


async def test_only_admins_of_the_platform_give_their_own_rights_away(
    client: httpx2.AsyncClient, app: Litestar, database: RolledBack
) -> None:
    other = await make.user(database, email="other@example.com", is_admin=False)
    async with client_of(app, await make.token(database, other)) as program:
        body = {"name": "x", "scopes": ["admin:read"]}
        refused = await program.post("/api/auth/tokens", json=body)

    assert problems(refused) == {"scopes": "You may not give: admin:read"}
    assert (await made(client, scopes=["admin:read"]))["scopes"] == ["admin:read"]


async def test_an_expired_token_is_told_so_and_opens_nothing(
    client: httpx2.AsyncClient, app: Litestar, database: RolledBack
) -> None:
    token = await made(client, expiresInDays=1)
    async with client_of(app, token["token"]) as program:
        assert (await program.get("/api/auth/me")).status_code == 200
        async with database.transaction() as db:
            await db.execute(
                text("update tokens set expires_at = now() - interval '1 day' where name = 'ci'")
            )
        app.state.identities.forget()

        refused = await program.get("/api/auth/me")

        assert refused.status_code == 401
        assert refused.json()["error"]["details"]["reason"] == "TOKEN_EXPIRED"
        assert "expired on" in refused.json()["error"]["message"]
        # What is open to everybody stays open.
        assert (await program.get("/api/health/live")).status_code == 200
    rows = (await client.get("/api/auth/tokens")).json()["data"]
    assert next(row for row in rows if row["id"] == token["id"])["isExpired"] is True


async def test_a_token_that_is_known_is_not_known_beyond_its_end(
    client: httpx2.AsyncClient, app: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The identity cache forgets with the token's end, not seconds later."""
    token = await made(client, expiresInDays=1)
    async with client_of(app, token["token"]) as program:
        assert (await program.get("/api/auth/me")).status_code == 200
        later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1, seconds=1)
        monkeypatch.setattr("windlass.core.clock.now", lambda: later)

        assert (await program.get("/api/auth/me")).status_code == 401


async def test_a_token_is_renamed_by_its_owner_only(
    client: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    token = await made(client, scopes=READ)
    path = f"/api/auth/tokens/{token['id']}"

    assert (await stranger.patch(path, json={"name": "mine"})).status_code == 404
    renamed = await client.patch(path, json={"name": "pipeline"})

    assert (renamed.json()["data"]["name"], renamed.json()["data"]["scopes"]) == ("pipeline", READ)
    assert problems(await client.patch(path, json={"name": "x", "scopes": ["account"]}))
    activity = (await client.get("/api/auth/activity")).json()["data"]
    sentences = [entry["sentence"] for entry in activity]
    assert sentences[:2] == [
        "Called an API token “pipeline”",
        "Made the API token “ci”",
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["deploy:everything"]}, "scopes.0"),
        ({"name": "x", "expiresInDays": 0}, "expiresInDays"),
        ({"name": "x", "expiresInDays": 4000}, "expiresInDays"),
        ({"name": "x", "userId": "user_1"}, "userId"),
    ],
)
async def test_a_wrong_wish_names_its_field(
    client: httpx2.AsyncClient, body: dict[str, object], field: str
) -> None:
    assert field in problems(await client.post("/api/auth/tokens", json=body))


async def test_the_page_makes_a_token_that_is_narrow_and_ends(client: httpx2.AsyncClient) -> None:
    form = {"token_name": "ci", "lasts": "other", "days": "7", "scope.deploy:read": "true"}
    assert (await client.post("/account/tokens", data=form)).status_code == 200

    row = (await client.get("/api/auth/tokens")).json()["data"][0]

    assert row["scopes"] == ["deploy:read"]
    left = dt.datetime.fromisoformat(row["expiresAt"]) - dt.datetime.now(dt.UTC)
    assert left.days == 6
    renamed = await client.post(f"/account/tokens/{row['id']}/rename", data={"name": "pipeline"})
    assert renamed.headers["location"] == "/account/tokens?notice=saved"
    page = await client.get("/account/tokens")
    assert "pipeline" in page.text
    assert "Works until" in page.text
    assert "Narrowed" in page.text


@pytest.mark.parametrize("days", ["", "0", "x", "99999999999", "-3", "４"])
async def test_the_page_says_which_number_of_days_is_none(
    client: httpx2.AsyncClient, days: str
) -> None:
    form = {"token_name": "ci", "lasts": "other", "days": days, "scope.deploy:read": "true"}
    answer = await client.post("/account/tokens", data=form)

    assert answer.status_code == 422
    assert 'id="e-days">Use a number of days from 1 to 3650' in answer.text
    assert 'name="scope.deploy:read" type="checkbox" value="true" checked' in answer.text


async def test_without_an_end_a_token_lasts(client: httpx2.AsyncClient, owner: Actor) -> None:
    await client.post("/account/tokens", data={"token_name": "ci", "lasts": "never"})
    row = (await client.get("/api/auth/tokens")).json()["data"][0]

    assert (row["scopes"], row["expiresAt"]) == (None, None)
