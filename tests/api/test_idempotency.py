"""A POST with an Idempotency-Key is done once (B-079)."""

import asyncpg
import httpx2
import pytest
from sqlalchemy import select
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.core.idempotency import IdempotentAnswer

pytestmark = pytest.mark.anyio
URL = "/api/projects"
KEY = {"idempotency-key": "once"}


async def names(client: httpx2.AsyncClient) -> list[str]:
    return [project["name"] for project in (await client.get(URL)).json()["data"]]


async def test_the_same_request_is_answered_again_and_not_done_again(
    client: httpx2.AsyncClient,
) -> None:
    first = await client.post(URL, json={"name": "Shop"}, headers=KEY)
    second = await client.post(URL, json={"name": "Shop"}, headers=KEY)

    assert first.status_code == second.status_code == 201
    assert second.content == first.content
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["content-type"] == first.headers["content-type"]
    assert "idempotent-replayed" not in first.headers
    assert await names(client) == ["Shop"]


async def test_another_request_with_the_same_key_is_a_mistake(client: httpx2.AsyncClient) -> None:
    await client.post(URL, json={"name": "Shop"}, headers=KEY)
    other_body = await client.post(URL, json={"name": "Blog"}, headers=KEY)
    other_path = await client.post("/api/auth/tokens", json={"name": "Shop"}, headers=KEY)

    assert [other_body.status_code, other_path.status_code] == [422, 422]
    assert await names(client) == ["Shop"]


async def test_somebody_else_has_their_own_keys(
    client: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    await client.post(URL, json={"name": "Shop"}, headers=KEY)
    other = await stranger.post(URL, json={"name": "Mine"}, headers=KEY)

    assert other.status_code == 201
    assert other.json()["data"]["name"] == "Mine"


async def test_what_failed_is_tried_again(client: httpx2.AsyncClient) -> None:
    wrong = await client.post(URL, json={"name": "…"}, headers=KEY)
    right = await client.post(URL, json={"name": "Shop"}, headers=KEY)

    assert [wrong.status_code, right.status_code] == [422, 201]


async def test_while_the_first_is_at_work_the_second_is_told_to_wait(
    client: httpx2.AsyncClient, owner: Actor, database: RolledBack
) -> None:
    """The first is any transaction that holds the key's lock; if it dies, so does its lock."""
    first = await asyncpg.connect(database.url)
    try:
        async with first.transaction():
            await first.execute(
                "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"{owner.id}:once"
            )
            waiting = await client.post(URL, json={"name": "Shop"}, headers=KEY)
        after = await client.post(URL, json={"name": "Shop"}, headers=KEY)
    finally:
        await first.close()

    assert waiting.status_code == 409
    assert waiting.json()["error"]["code"] == "CONFLICT"
    assert int(waiting.headers["retry-after"]) >= 1
    assert after.status_code == 201


async def test_a_token_that_is_shown_once_is_not_kept_in_clear(
    client: httpx2.AsyncClient, database: RolledBack
) -> None:
    first = await client.post("/api/auth/tokens", json={"name": "ci"}, headers=KEY)
    second = await client.post("/api/auth/tokens", json={"name": "ci"}, headers=KEY)

    async with database.transaction() as db:
        kept = (await db.scalars(select(IdempotentAnswer))).one()
    token = first.json()["data"]["token"]
    assert second.json()["data"]["token"] == token
    assert token.encode() not in (kept.body or b"")


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "é".encode()])
async def test_a_key_that_is_none_is_refused(client: httpx2.AsyncClient, key: str | bytes) -> None:
    response = await client.post(URL, json={"name": "Shop"}, headers={"idempotency-key": key})

    assert response.status_code == 400


async def test_a_key_without_an_account_is_nothing(
    anonymous: httpx2.AsyncClient, database: RolledBack
) -> None:
    await make.user(database, email="a@example.com")
    body = {"email": "a@example.com", "password": make.PASSWORD}

    for _ in range(2):
        answer = await anonymous.post("/api/auth/sign-in", json=body, headers=KEY)
        assert "idempotent-replayed" not in answer.headers
