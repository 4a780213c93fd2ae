"""The form of a project's processes: what is detected, what is said, what is wrong."""

from typing import Any

import httpx2
import pytest

from tests import make
from tests.conftest import RolledBack
from windlass.auth.models import Actor
from windlass.core.blobs import BlobStore
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
FILES = {
    "server.py": "from http.server import HTTPServer\nHTTPServer(('', 1), None).serve_forever()\n",
    "Procfile": "web: python3 server.py\nworker: python3 work.py\n",
    "windlass.toml": 'health_path = "/up"\n[processes.worker]\nmemory_mb = 256\n',
}
SAME = {
    "name": "Shop",
    "repository_branch": "main",
    "framework": "python",
    "start_command": "python3 server.py",
    "root_directory": ".",
    "health_path": "/up",
    "processes.0.name": "web",
    "processes.0.detected": "true",
    "processes.1.name": "worker",
    "processes.1.detected": "true",
    "processes.1.command": "python3 work.py",
    "processes.1.memory_mb": "256",
    "processes.1.restart": "always",
    "processes.2.name": "",
    "processes.2.command": "",
    "processes.2.restart": "always",
}


@pytest.fixture
async def server(database: RolledBack, blobs: BlobStore, project: Project, owner: Actor) -> Project:
    source = await make.source(database, blobs, owner, FILES)
    await make.deployment(database, project, source, owner)
    return project


async def _saved(client: httpx2.AsyncClient) -> dict[str, Any]:
    return (await client.get("/api/projects/by-slug/shop")).json()["data"]


async def test_what_is_detected_stands_there_and_stays_detected(
    client: httpx2.AsyncClient, server: Project
) -> None:
    page = (await client.get("/projects/shop/settings")).text
    assert 'name="health_path" type="text" value="/up"' in page
    assert 'name="processes.1.command" type="text" value="python3 work.py"' in page
    assert 'name="processes.1.memory_mb" type="text" value="256"' in page
    assert 'name="processes.2.name"' in page

    answer = await client.post("/projects/shop/settings", data=SAME)

    assert answer.status_code == 303, answer.text
    found = await _saved(client)
    assert (found["processes"], found["healthPath"]) == ([], None)


async def test_what_differs_is_kept_and_shown_again(
    client: httpx2.AsyncClient, server: Project
) -> None:
    typed = {
        **SAME,
        "health_path": "/healthz",
        "drain_seconds": "0",
        "processes.0.memory_mb": "1024",
        "processes.0.cpus": "1,5",
        "processes.1.command": "",
        "processes.2.name": "clock",
        "processes.2.command": "python3 clock.py",
        "processes.2.restart": "never",
    }
    answer = await client.post("/projects/shop/settings", data=typed)

    assert answer.status_code == 303, answer.text
    found = await _saved(client)
    assert (found["healthPath"], found["drainSeconds"]) == ("/healthz", 0)
    said = {each["name"]: each for each in found["processes"]}
    assert (said["web"]["memoryMb"], said["web"]["cpus"]) == (1024, 1.5)
    assert (said["worker"]["command"], said["worker"]["memoryMb"]) == ("", None)
    assert (said["clock"]["command"], said["clock"]["restart"]) == ("python3 clock.py", "never")
    page = (await client.get("/projects/shop/settings")).text
    assert 'name="processes.0.memory_mb" type="text" value="1024"' in page
    assert 'name="processes.2.name" type="text" value="clock"' in page

    # One's own process goes with its command; the one of the Procfile comes back with its own.
    again = {**SAME, "processes.2.name": "clock", "processes.2.command": ""}
    await client.post("/projects/shop/settings", data=again)
    assert (await _saved(client))["processes"] == []


async def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    client: httpx2.AsyncClient, server: Project
) -> None:
    typed = {
        **SAME,
        "start_timeout_seconds": "soon",
        "processes.1.memory_mb": "lots",
        # This row is passed over, and the one after it keeps its place.
        "processes.3.name": "",
        "processes.3.command": "python3 clock.py",
        "processes.3.restart": "always",
    }
    answer = await client.post("/projects/shop/settings", data=typed)

    assert answer.status_code == 422
    for name in ("start_timeout_seconds", "processes.1.memory_mb", "processes.3.name"):
        assert f'id="e-{name}"' in answer.text
    assert 'value="lots"' in answer.text
    assert 'value="python3 clock.py"' in answer.text
    assert (await _saved(client))["processes"] == []
