"""What is refused before anything is done with it: C-072, C-077, C-078, C-087, C-088."""

import json

import httpx2
import pytest

pytestmark = pytest.mark.anyio
_JSON = {"content-type": "application/json"}


def fields(response: httpx2.Response) -> dict[str, str]:
    """The wrong fields of an answer, with what is wrong."""
    return {f["field"]: f["message"] for f in response.json()["error"]["details"]["fields"]}


async def test_unknown_keys_are_named_also_those_that_poison_prototypes(
    client: httpx2.AsyncClient,
) -> None:
    body = {"name": "Shop", "__proto__": {"isAdmin": True}, "constructor": 1, "ownerId": "user_1"}

    response = await client.post("/api/projects", json=body)

    assert response.status_code == 422
    assert set(fields(response)) == {"__proto__", "constructor", "ownerId"}


async def test_all_wrong_fields_are_named_at_once_with_dotted_paths(
    client: httpx2.AsyncClient,
) -> None:
    files = [{"path": 1}, {"path": "a", "size": -1, "more": 1}]

    response = await client.post("/api/sources", json={"files": files, "name": 7})

    assert response.status_code == 422
    assert set(fields(response)) == {"files.0.path", "files.1.size", "files.1.more", "name"}


async def test_a_number_is_not_a_text_of_digits(client: httpx2.AsyncClient) -> None:
    response = await client.post("/api/sources", json={"files": [{"path": "a", "size": "1"}]})

    assert response.status_code == 422
    assert set(fields(response)) == {"files.0.size"}


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
async def test_a_text_that_cannot_be_stored_is_refused_with_its_field(
    client: httpx2.AsyncClient, text: str
) -> None:
    body = json.dumps({"name": text, "repositoryBranch": text})

    response = await client.post("/api/projects", content=body, headers=_JSON)

    assert response.status_code == 422
    assert set(fields(response)) == {"name", "repositoryBranch"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "\xff"}',
        b"{",
        b"",
        b"name=Shop",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"name":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"name": NaN}',
        b'{"name": 1e999}',
    ],
    ids=["utf-8", "cut off", "empty", "a form", "deep lists", "deep objects", "NaN", "infinite"],
)
async def test_what_is_no_json_is_a_bad_request(client: httpx2.AsyncClient, body: bytes) -> None:
    response = await client.post("/api/projects", content=body, headers=_JSON)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "BAD_REQUEST"


async def test_too_much_json_is_refused(client: httpx2.AsyncClient) -> None:
    body = json.dumps({"name": "x" * (10 << 20)})

    response = await client.post("/api/projects", content=body, headers=_JSON)

    assert response.status_code == 413
    assert response.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
async def test_a_body_that_says_it_is_something_else_is_refused(
    client: httpx2.AsyncClient, kind: str
) -> None:
    response = await client.post(
        "/api/projects", content=b'{"name": "Shop"}', headers={"content-type": kind}
    )

    assert response.status_code == 415
    assert response.json()["error"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("path", ["/api/projects", "/api/deployments", "/api/auth/tokens"])
async def test_a_parameter_that_a_list_does_not_know_is_refused(
    client: httpx2.AsyncClient, path: str
) -> None:
    response = await client.get(path, params={"statsu": "ready"})

    assert response.status_code == 400
    assert "statsu" in response.json()["error"]["message"]


@pytest.mark.parametrize("limit", ["0", "-1", "ten", "1.5", ""])
async def test_a_limit_that_is_none_is_refused(client: httpx2.AsyncClient, limit: str) -> None:
    response = await client.get("/api/projects", params={"limit": limit})

    assert response.status_code == 400


@pytest.mark.parametrize("path", ["/api/projects", "/api/deployments"])
@pytest.mark.parametrize(
    "query",
    [
        {"sort": "createdAt; drop table users"},
        {"sort": "(select 1)"},
        {"sort": "-"},
        {"sort": ""},
        {"cursor": "' or 1=1 --"},
        {"limit": "1; select pg_sleep(9)"},
    ],
)
async def test_sql_in_a_list_is_a_bad_request(
    client: httpx2.AsyncClient, path: str, query: dict[str, str]
) -> None:
    assert (await client.get(path, params=query)).status_code == 400


@pytest.mark.parametrize("sql", ["' or '1'='1", "x'; drop table users; --", "a%' union select 1"])
async def test_sql_in_a_filter_finds_nothing(client: httpx2.AsyncClient, sql: str) -> None:
    found = await client.get("/api/deployments", params={"branch": sql})

    assert found.status_code == 200
    assert found.json()["data"] == []
    assert (await client.get("/api/deployments", params={"status": sql})).status_code == 400
    assert (await client.get("/api/deployments", params={"projectId": sql})).status_code == 400


@pytest.mark.parametrize("path", ["/api/projects/by-slug/a%00b", "/projects/a%00b"])
async def test_a_null_byte_in_an_address_finds_nothing(
    client: httpx2.AsyncClient, path: str
) -> None:
    assert (await client.get(path)).status_code == 404
    assert (await client.get("/api/deployments?branch=a%00b")).status_code == 400
