"""How the processes of a project run, as its settings say, through the API."""

from typing import Any

import httpx2
import pytest

pytestmark = pytest.mark.anyio
WORKER = {"name": "worker", "command": "work --hard", "memoryMb": 256, "restart": "on-failure"}


async def _project(client: httpx2.AsyncClient, **more: object) -> dict[str, Any]:
    made = await client.post("/api/projects", json={"name": "Shop", **more})
    assert made.status_code == 201, made.text
    return made.json()["data"]


async def test_readiness_and_processes_are_said_changed_and_forgotten(
    client: httpx2.AsyncClient,
) -> None:
    made = await _project(client, healthPath="/healthz", processes=[WORKER, {"name": "clock"}])
    assert (made["healthPath"], made["drainSeconds"]) == ("/healthz", None)
    # Of the clock nothing was said.
    assert [each["name"] for each in made["processes"]] == ["worker"]
    assert made["processes"][0] | WORKER == made["processes"][0]

    path = f"/api/projects/{made['id']}"
    web = {"name": "web", "memoryMb": 1024, "graceSeconds": 0}
    changed = await client.patch(
        path, json={"healthPath": None, "drainSeconds": 0, "processes": [web]}
    )
    shown = changed.json()["data"]
    assert (shown["healthPath"], shown["drainSeconds"]) == (None, 0)
    assert shown["processes"] == [{**web, "command": None, "cpus": None, "restart": None}]
    kept = await client.patch(path, json={"name": "Shop two"})
    assert kept.json()["data"]["processes"] == shown["processes"]


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"healthPath": "no slash"}, "healthPath", "begins with /"),
        ({"healthPath": "/x\n"}, "healthPath", "begins with /"),
        ({"startTimeoutSeconds": 0}, "startTimeoutSeconds", "from 1 to 900"),
        ({"drainSeconds": "soon"}, "drainSeconds", "from 0 to 900"),
        ({"processes": [{"name": "a b"}]}, "processes.0.name", "letters, digits"),
        (
            {"processes": [WORKER, {"name": "w", "memoryMb": 1}]},
            "processes.1.memoryMb",
            "from 32 to 1048576",
        ),
        ({"processes": [{"name": "w", "restart": "maybe"}]}, "processes.0.restart", "maybe"),
        ({"processes": [WORKER, WORKER]}, "processes.1.name", "another process of this name"),
        ({"processes": [{"name": "release", "command": "x"}]}, "processes.0.name", "no process"),
        ({"processes": [{"name": "web", "command": "x"}]}, "processes.0.command", "start command"),
        (
            {"processes": [{"name": "web", "restart": "never"}]},
            "processes.0.restart",
            "always started again",
        ),
        ({"processes": [{"name": "w", "memory": 1}]}, "processes.0.memory", "no such field"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_field(
    client: httpx2.AsyncClient, wrong: dict[str, object], field: str, words: str
) -> None:
    made = await _project(client)

    answer = await client.patch(f"/api/projects/{made['id']}", json=wrong)

    assert answer.status_code == 422
    found = {each["field"]: each["message"] for each in answer.json()["error"]["details"]["fields"]}
    assert words in found[field]
    assert (await client.get(f"/api/projects/{made['id']}")).json()["data"]["processes"] == []
