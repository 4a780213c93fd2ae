"""Lists: pages, cursors, filters, sorts, together (C-076 to C-079, D-24, D-29, E-17)."""

from typing import Any

import httpx2
import pytest
from tests import make
from tests.conftest import RolledBack, client_of

from windlass.auth.models import Actor
from windlass.core.blobs import BlobStore
from windlass.core.settings import Settings
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status

pytestmark = pytest.mark.anyio
URL = "/api/projects"


@pytest.fixture
async def five(database: RolledBack, owner: Actor) -> list[str]:
    names = ["Ada", "Bob", "Cyd", "Dee", "Eve"]
    for name in names:
        await make.project(database, owner, name)
    return names


async def pages(client: httpx2.AsyncClient, url: str, **query: Any) -> list[list[Any]]:
    """Every page of a list, one after the other."""
    found: list[list[Any]] = []
    cursor = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = (await client.get(url, params={**query, **more})).json()
        found.append(answer["data"])
        pagination = answer["meta"]["pagination"]
        cursor = pagination.get("cursor")
        assert pagination["hasMore"] is (cursor is not None)
        if cursor is None:
            return found


@pytest.mark.parametrize("sort", ["name", "-name", "createdAt", "-createdAt"])
@pytest.mark.parametrize("limit", [1, 2, 5, 6, 1000])
async def test_pages_put_together_are_the_list(
    client: httpx2.AsyncClient, five: list[str], sort: str, limit: int
) -> None:
    found = await pages(client, URL, sort=sort, limit=limit)

    names = [project["name"] for page in found for project in page]
    assert names == (sorted(five, reverse=True) if sort.startswith("-") else five)
    assert len(found) == -(-len(five) // limit)


async def test_more_than_a_hundred_are_a_hundred(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor, settings: Settings
) -> None:
    project = await make.project(database, owner)
    source = await make.source(database, BlobStore(settings.folder / "blobs"), owner)
    async with database.transaction() as db:
        rows = [
            Deployment(
                project_id=project.id,
                owner_id=owner.id,
                source_id=source.id,
                status=Status.ready,
                site_slug=f"s{number}",
                host=f"h{number}",
                settings={},
            )
            for number in range(101)
        ]
        db.add_all(rows)

    answer = (await client.get("/api/deployments", params={"limit": 5000, "total": True})).json()

    assert len(answer["data"]) == 100
    assert answer["meta"]["pagination"]["hasMore"] is True
    assert answer["meta"]["pagination"]["total"] == 101


async def test_the_total_is_counted_only_when_it_is_asked_for(
    client: httpx2.AsyncClient, five: list[str]
) -> None:
    asked = (await client.get(URL, params={"total": "true", "limit": 2})).json()
    other = (await client.get(URL, params={"limit": 2})).json()
    filtered = (await client.get(URL, params={"total": "true", "framework": "vite"})).json()

    assert asked["meta"]["pagination"]["total"] == 5
    assert "total" not in other["meta"]["pagination"]
    assert filtered["meta"]["pagination"] == {"hasMore": False, "total": 0}


async def cursor_of(client: httpx2.AsyncClient, **query: Any) -> str:
    answer = (await client.get(URL, params={"limit": 2, **query})).json()
    return answer["meta"]["pagination"]["cursor"]


async def test_a_cursor_is_bound_to_its_sort_its_list_and_its_reader(
    client: httpx2.AsyncClient, five: list[str], database: RolledBack, app: Any
) -> None:
    cursor = await cursor_of(client)
    other = await make.user(database, email="other@example.com")

    assert (await client.get(URL, params={"cursor": cursor})).status_code == 200
    async with client_of(app, await make.token(database, other)) as stranger:
        refused = [
            await client.get(URL, params={"cursor": cursor, "sort": "name"}),
            await client.get("/api/deployments", params={"cursor": cursor}),
            await stranger.get(URL, params={"cursor": cursor}),
        ]
    assert [answer.status_code for answer in refused] == [400, 400, 400]
    assert {answer.json()["error"]["code"] for answer in refused} == {"BAD_REQUEST"}


async def test_every_letter_of_a_cursor_counts(client: httpx2.AsyncClient, five: list[str]) -> None:
    cursor = await cursor_of(client)

    for place in range(0, len(cursor), 7):
        letter = "A" if cursor[place] != "A" else "B"
        changed = cursor[:place] + letter + cursor[place + 1 :]
        assert (await client.get(URL, params={"cursor": changed})).status_code == 400
    for changed in ("", "x", cursor[:-1], cursor + "A", cursor * 2, "é" * 30, "x" * 5000):
        assert (await client.get(URL, params={"cursor": changed})).status_code == 400
