"""Lists of deployments: pages, orders, filters and what is wrong with a query."""

import datetime as dt

import httpx2
import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.builds.models import Source
from windlass.core import ids
from windlass.deployments.phases import Status
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
URL = "/api/deployments"


async def many(database: RolledBack, project: Project, source: Source, owner: Actor) -> list[str]:
    """Five deployments, two of which never finished, two at the very same time."""
    base = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    found: list[str] = []
    for number, (status, hour) in enumerate(
        [
            (Status.ready, 0),
            (Status.error, 1),
            (Status.ready, 1),
            (Status.queued, 2),
            (Status.building, 3),
        ]
    ):
        finished = (
            base + dt.timedelta(hours=hour) if status in {Status.ready, Status.error} else None
        )
        row = await make.deployment(
            database,
            project,
            source,
            owner,
            status=status,
            created_at=base + dt.timedelta(hours=hour),
            finished_at=finished,
            build_time_seconds=None if finished is None else float(number),
            branch="main" if number % 2 else "next",
        )
        found.append(ids.public("depl", row.id))
    return found


@pytest.mark.parametrize(
    "sort", ["-createdAt", "createdAt", "finishedAt", "-finishedAt", "-buildTimeSeconds"]
)
@pytest.mark.parametrize("filters", [{}, {"status": "READY,error"}, {"branch": "main"}])
async def test_pages_follow_each_other_in_every_order_with_every_filter(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
    sort: str,
    filters: dict[str, str],
) -> None:
    """C-076, C-078, C-079, C-123, D-29."""
    await many(database, project, source, owner)
    query = filters | {"sort": sort, "projectId": ids.public("proj", project.id)}
    whole = [row["id"] for row in (await client.get(URL, params=query)).json()["data"]]

    for limit in ("1", "2"):
        found: list[str] = []
        cursor = None
        while True:
            page = query | {"limit": limit} | ({"cursor": cursor} if cursor else {})
            body = (await client.get(URL, params=page)).json()
            found += [row["id"] for row in body["data"]]
            cursor = body["meta"]["pagination"].get("cursor")
            if cursor is None:
                break
        assert found == whole
        assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-3",
        "limit=x",
        "cursor=%00",
        "cursor=W10",
        "status=done",
        "projectId=1",
        "sort=color",
        "isPreview=maybe",
    ],
)
async def test_a_wrong_query_is_a_clear_400(
    client: httpx2.AsyncClient, project: Project, query: str
) -> None:
    response = await client.get(f"{URL}?{query}")

    assert response.status_code in {400, 422}, response.text
    assert response.json()["error"]["code"] in {"BAD_REQUEST", "VALIDATION_ERROR"}


async def test_a_cursor_of_another_order_is_refused(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    await many(database, project, source, owner)
    body = (await client.get(f"{URL}?limit=1")).json()

    cursor = body["meta"]["pagination"]["cursor"]

    assert (await client.get(f"{URL}?sort=createdAt&cursor={cursor}")).status_code == 400
