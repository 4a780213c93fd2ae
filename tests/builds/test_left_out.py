"""A folder's listing before anything is sent: what is not part of the source."""

import httpx2
import pytest

pytestmark = pytest.mark.anyio
URL = "/api/sources/left-out"


async def test_what_the_rules_and_what_nobody_wants_sent_are_told_apart(
    client: httpx2.AsyncClient,
) -> None:
    paths = ["index.html", "dist/a.js", "sub/x.log", "x.log", ".env", "node_modules/a/b.js"]
    rules = {".gitignore": "/dist/\n", "sub/.gitignore": "*.log\n"}

    answer = await client.post(URL, json={"paths": paths, "rules": rules})

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {
        "byRules": ["dist/a.js", "sub/x.log"],
        "always": [".env", "node_modules/a/b.js"],
    }


async def test_a_folder_that_is_left_out_cannot_be_brought_back_from_inside(
    client: httpx2.AsyncClient,
) -> None:
    """As in Git and in the command line: nobody looks into it."""
    rules = {".gitignore": "/dist/\n", "dist/.gitignore": "!*\n"}

    answer = await client.post(URL, json={"paths": ["dist/a.js"], "rules": rules})

    assert answer.json()["data"]["byRules"] == ["dist/a.js"]


async def test_more_comparisons_than_a_server_should_make_are_refused(
    client: httpx2.AsyncClient,
) -> None:
    body = {"paths": ["a"] * 20_000, "rules": {".gitignore": "x\n" * 2_000}}

    answer = await client.post(URL, json=body)

    assert answer.status_code == 400
    assert "windlass deploy" in answer.json()["error"]["message"]


async def test_it_wants_an_account(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.post(URL, json={"paths": []})).status_code == 401
