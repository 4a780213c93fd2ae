"""An image as a source: `POST /api/sources` with its name."""

import httpx2
import pytest

pytestmark = pytest.mark.anyio


async def test_the_name_of_an_image_is_a_source_with_a_plan(client: httpx2.AsyncClient):
    answer = await client.post("/api/sources", json={"image": "ghcr.io/team/shop:1.2"})

    assert answer.status_code == 201
    made = answer.json()["data"]
    assert made["suggestedName"] == "shop"
    found = (await client.get(f"/api/sources/{made['id']}")).json()["data"]
    assert found["plan"]["container"]["image"] == "ghcr.io/team/shop:1.2"
    assert found["plan"]["kind"] == "server"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"image": "No Such Name"}, 422),
        ({"image": ""}, 422),
        ({"image": "nginx", "repositoryUrl": "https://example.com/x.git"}, 400),
        ({"image": "nginx", "files": []}, 400),
    ],
)
async def test_what_is_no_image_is_refused(
    client: httpx2.AsyncClient, body: dict[str, object], status: int
):
    assert (await client.post("/api/sources", json=body)).status_code == status
