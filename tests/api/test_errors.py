"""The one form of every failure: B-060 to B-064, C-070 to C-075, D-15, D-16."""

import httpx2
import pytest

from windlass.core.errors import CODES

pytestmark = pytest.mark.anyio


async def test_what_exactly_is_wrong_with_a_source_is_a_reason_not_a_code(
    client: httpx2.AsyncClient,
) -> None:
    """D-16: one list of codes."""
    file = {"path": "../etc/passwd", "sha256": "0" * 64, "size": 1}

    response = await client.post("/api/sources", json={"files": [file]})

    error = response.json()["error"]
    assert response.status_code == 400
    assert error["code"] == "BAD_REQUEST"
    assert error["details"]["reason"] == "PATH_REFUSED"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/nothing", "NOT_FOUND"),
        ("PUT", "/api/projects", "METHOD_NOT_ALLOWED"),
        ("GET", "/api/projects/proj_1", "NOT_FOUND"),
        ("GET", "/api/projects?limit=0", "BAD_REQUEST"),
        ("POST", "/api/projects", "BAD_REQUEST"),
    ],
)
async def test_every_failure_has_the_envelope(
    client: httpx2.AsyncClient, method: str, path: str, code: str
) -> None:
    response = await client.request(method, path)

    body = response.json()
    assert response.status_code == CODES[code].status
    assert body["ok"] is False
    assert body["error"]["code"] == code
    assert body["error"]["requestId"] == response.headers["x-request-id"]
    assert body["meta"]["timing"]["durationMs"] >= 0
