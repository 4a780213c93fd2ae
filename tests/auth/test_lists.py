"""Lists of an account that grow are read in slices, in the API and on its pages (C-076, C-077)."""

import httpx2
import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.auth import tokens
from windlass.auth.models import Actor
from windlass.auth.token_schemas import TokenCreate

pytestmark = pytest.mark.anyio
TOKENS, SESSIONS, INVITATIONS = "/api/auth/tokens", "/api/auth/sessions", "/api/auth/invitations"


async def read(client: httpx2.AsyncClient, path: str) -> list[str]:
    """The ids of the whole list, in slices of two."""
    found: list[str] = []
    cursor = ""
    while True:
        answer = await client.get(f"{path}?limit=2{cursor}")
        assert answer.status_code == 200, answer.text
        found += [row["id"] for row in answer.json()["data"]]
        about = answer.json()["meta"]["pagination"]
        if not about["hasMore"]:
            return found
        assert len(answer.json()["data"]) == 2
        cursor = f"&cursor={about['cursor']}"


async def test_tokens_are_read_in_slices_and_none_is_left_out(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    before = await read(client, TOKENS)
    made = [
        (await client.post(TOKENS, json={"name": f"t{n}"})).json()["data"]["id"] for n in range(5)
    ]

    assert await read(client, TOKENS) == [*reversed(made), *before]


async def test_invitations_and_sessions_are_read_in_slices(
    client: httpx2.AsyncClient, owner: Actor
) -> None:
    for number in range(3):
        form = {"email": f"new{number}@example.com"}
        assert (await client.post(INVITATIONS, json=form)).status_code == 201

    assert len(await read(client, INVITATIONS)) == 3
    assert (await client.get(f"{SESSIONS}?limit=2")).json()["meta"]["pagination"][
        "hasMore"
    ] is False


@pytest.mark.parametrize("path", [TOKENS, SESSIONS, INVITATIONS])
@pytest.mark.parametrize("asked", ["limit=0", "limit=-1", "cursor=nonsense", "sort=name"])
async def test_a_wrong_limit_or_cursor_is_said(
    client: httpx2.AsyncClient, path: str, asked: str
) -> None:
    assert (await client.get(f"{path}?{asked}")).status_code == 400


async def test_a_cursor_of_another_list_is_refused(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    for number in range(3):
        await make.token(database, owner)
        await client.post(INVITATIONS, json={"email": f"new{number}@example.com"})
    cursor = (await client.get(f"{TOKENS}?limit=1")).json()["meta"]["pagination"]["cursor"]

    assert (await client.get(f"{INVITATIONS}?cursor={cursor}")).status_code == 400


async def test_the_page_of_tokens_goes_on(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    async with database.transaction() as db:
        for number in range(23):
            await tokens.create(db, TokenCreate(name=f"number {number:02}"), by=owner)

    first = (await client.get("/account/tokens")).text
    assert "number 22" in first
    assert "number 00" not in first
    cursor = first.partition("?cursor=")[2].partition('"')[0]
    second = (await client.get(f"/account/tokens?cursor={cursor}")).text

    assert "number 00" in second
    assert "number 22" not in second
    assert (await client.get("/account/tokens?cursor=nonsense")).status_code == 400
