"""What people see of the queue, and what a newer commit does to older ones."""

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
REPOSITORY = "https://git.example.com/team/site.git"


async def test_who_waits_sees_the_place_and_how_long_it_may_last(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    """C-154: strangers count for the place, and nothing else of them is seen."""
    other = await make.user(database, email="other@example.com")
    theirs = await make.project(database, other, "Theirs")
    await make.deployment(database, theirs, source, other)
    built = await make.deployment(database, theirs, source, other, status=Status.ready)
    await database.fetch(
        "update deployments set build_time_seconds = 40, finished_at = now() where id = $1",
        built.id,
    )
    await make.deployment(database, theirs, source, other, status=Status.building)
    mine = await make.deployment(database, project, source, owner)
    running = await make.deployment(database, project, source, owner, status=Status.building)

    shown = (await client.get(f"{URL}/{ids.public('depl', mine.id)}")).json()["data"]
    moving = (await client.get(f"{URL}/{ids.public('depl', running.id)}")).json()["data"]
    queue = (await client.get("/api/queue")).json()["data"]

    # Two run at once: the second in line waits for one of them.
    assert shown["queue"] == {"position": 2, "estimatedSeconds": 40}
    assert moving["queue"] is None
    assert (queue["waiting"], queue["running"]) == (2, 2)
    assert queue["own"] == {"waiting": 1, "running": 1, "limit": None}
    assert queue["slots"] >= 1


async def test_a_preview_waits_longer_than_production(
    client: httpx2.AsyncClient, database: RolledBack, project: Project, source: Source
) -> None:
    """C-141: 0, 5 and 10; the lower one goes first."""
    body = {
        "projectId": ids.public("proj", project.id),
        "sourceId": ids.public("src", source.id),
    }
    low = await client.post(URL, json=body | {"production": True, "lowPriority": True})
    preview = await client.post(URL, json=body)
    production = await client.post(URL, json=body | {"production": True})

    found = [
        (await client.get(f"{URL}/{answer.json()['data']['id']}")).json()["data"]["queue"]
        for answer in (production, preview, low)
    ]
    assert [place["position"] for place in found] == [1, 2, 3]


async def test_a_list_says_where_each_that_waits_stands(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    """The places of a page are those of the whole line, strangers included."""
    other = await make.user(database, email="other@example.com")
    theirs = await make.project(database, other, "Theirs")
    first = await make.deployment(database, project, source, owner)
    await make.deployment(database, theirs, source, other)
    ready = await make.deployment(database, project, source, owner, status=Status.ready)
    second = await make.deployment(database, project, source, owner)
    third = await make.deployment(database, project, source, owner)
    for at, each in enumerate(await database.fetch("select id from deployments order by id")):
        await database.fetch(
            "update deployments set turn_at = now() + make_interval(secs => $2) where id = $1",
            each["id"],
            float(at),
        )

    listed = (await client.get(URL)).json()["data"]

    assert {row["id"]: row["queue"] and row["queue"]["position"] for row in listed} == {
        ids.public("depl", first.id): 1,
        ids.public("depl", ready.id): None,
        ids.public("depl", second.id): 3,
        ids.public("depl", third.id): 4,
    }
    [newest] = (await client.get(URL, params={"limit": 1})).json()["data"]
    assert newest["queue"]["position"] == 4


@pytest.fixture
async def repository(database: RolledBack, owner: Actor) -> Project:
    return await make.project(database, owner, "Site", repository_url=REPOSITORY)


async def push(client: httpx2.AsyncClient, project: Project, branch: str) -> str:
    body = {"projectId": ids.public("proj", project.id), "branch": branch}
    answer = await client.post(URL, json=body)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["data"]["id"]
    return found


async def statuses(client: httpx2.AsyncClient, *wanted: str) -> list[tuple[str, str | None]]:
    rows = [(await client.get(f"{URL}/{id}")).json()["data"] for id in wanted]
    return [(row["status"], row["errorCode"]) for row in rows]


async def test_a_newer_commit_of_a_branch_replaces_one_that_waits(
    client: httpx2.AsyncClient, repository: Project
) -> None:
    older, other = await push(client, repository, "next"), await push(client, repository, "main")

    newer = await push(client, repository, "next")

    assert await statuses(client, older, other, newer) == [
        ("cancelled", "SUPERSEDED"),
        ("queued", None),
        ("queued", None),
    ]
    row = (await client.get(f"{URL}/{older}")).json()["data"]
    assert row["errorMessage"] == "A newer deployment of next took its place"


@pytest.mark.parametrize(("is_asked", "ended"), [(False, "building"), (True, "cancelled")])
async def test_one_that_is_built_ends_only_where_the_project_says_so(
    client: httpx2.AsyncClient,
    database: RolledBack,
    repository: Project,
    is_asked: bool,
    ended: str,
) -> None:
    here = f"/api/projects/{ids.public('proj', repository.id)}"
    changed = await client.patch(here, json={"supersedeRunning": is_asked})
    assert changed.json()["data"]["supersedeRunning"] is is_asked
    older = await push(client, repository, "next")
    await database.fetch(
        "update deployments set status = 'BUILDING' where id = $1", ids.private("depl", older)
    )

    await push(client, repository, "next")

    assert (await statuses(client, older))[0][0] == ended


async def test_an_upload_replaces_nothing(
    client: httpx2.AsyncClient, project: Project, source: Source
) -> None:
    """Two people who deploy their folders both want theirs."""
    body = {
        "projectId": ids.public("proj", project.id),
        "sourceId": ids.public("src", source.id),
        "branch": "main",
    }
    first = (await client.post(URL, json=body)).json()["data"]["id"]
    await client.post(URL, json=body)

    assert await statuses(client, first) == [("queued", None)]


async def test_prometheus_reads_the_queue_with_an_admins_token_alone(
    client: httpx2.AsyncClient,
    anonymous: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    """C-285, C-286."""
    await make.deployment(database, project, source, owner)
    answer = await client.get("/api/metrics/prometheus")

    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert "windlass_queue_depth 1" in lines
    assert "windlass_builds_running 0" in lines
    assert "# TYPE windlass_queue_longest_wait_seconds gauge" in lines
    assert (await anonymous.get("/api/metrics/prometheus")).status_code == 401
