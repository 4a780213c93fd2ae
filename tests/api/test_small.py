"""Ping, hello, and the addresses that things had before (K-020, B-081, C-085, D-27)."""

import httpx2
import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.core import ids
from windlass.core.blobs import BlobStore
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio


async def test_ping_answers_pong(anonymous: httpx2.AsyncClient) -> None:
    response = await anonymous.get("/api/ping")

    assert response.json()["data"] == "pong"
    assert response.headers["content-type"].startswith("application/json")


async def test_hello_says_what_it_was_told(anonymous: httpx2.AsyncClient) -> None:
    told = await anonymous.get("/api/hello", params={"text": "<b>héllo</b>"})
    too_long = await anonymous.get("/api/hello", params={"text": "x" * 201})

    assert told.json()["data"] == {"text": "<b>héllo</b>"}
    assert told.headers["content-type"].startswith("application/json")
    assert too_long.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "location"),
    [
        ("GET", "/api/deploy", "/api/deployments"),
        ("GET", "/api/deploy?status=ready", "/api/deployments?status=ready"),
        ("POST", "/api/deploy", "/api/deployments"),
        ("GET", "/api/deploy/depl_1", "/api/deployments/depl_1"),
        ("DELETE", "/api/deploy/depl_1", "/api/deployments/depl_1/cancel"),
    ],
)
async def test_the_old_addresses_lead_on_and_say_that_they_are_old(
    anonymous: httpx2.AsyncClient, method: str, path: str, location: str
) -> None:
    response = await anonymous.request(method, path)

    assert response.status_code == 308
    assert response.headers["location"] == location
    assert response.headers["deprecation"].startswith("@")
    assert response.headers["link"].endswith('; rel="successor-version"')


async def test_an_old_client_still_deploys_and_cancels(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor, settings: Settings
) -> None:
    project = await make.project(database, owner)
    source = await make.source(database, BlobStore(settings.folder / "blobs"), owner)
    body = {
        "projectId": ids.public("proj", project.id),
        "sourceId": ids.public("src", source.id),
    }

    made = await client.post("/api/deploy", json=body, follow_redirects=True)
    id = made.json()["data"]["id"]
    ended = await client.delete(f"/api/deploy/{id}", follow_redirects=True)

    assert made.status_code == 201
    assert ended.status_code == 200
    assert ended.json()["data"]["id"] == id


async def test_an_old_stream_leads_on_whatever_its_id_is(client: httpx2.AsyncClient) -> None:
    """Header values are ASCII; what stood in the address is quoted again."""
    response = await client.get("/api/deployments/%F0%9F%8C%8A/stream")

    assert response.status_code == 308
    assert response.headers["location"] == "/api/deployments/%F0%9F%8C%8A/logs/stream"


@pytest.mark.parametrize("id", ["%0d%0aset-cookie:x=1", "..%2f..%2fauth", "//evil.example"])
async def test_an_old_address_leads_nowhere_else(anonymous: httpx2.AsyncClient, id: str) -> None:
    response = await anonymous.get(f"/api/deploy/{id}")

    assert response.status_code in {308, 404}
    assert "set-cookie" not in response.headers
    assert response.headers.get("location", "/api/deployments/").startswith("/api/deployments/")
