"""What differs between two deployments: everything but the values of variables."""

from typing import Any

import httpx2
import msgspec
import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.builds.models import Source
from windlass.builds.plan import Plan
from windlass.core import ids
from windlass.core.blobs import BlobStore
from windlass.core.crypto import KeyRing
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects import fingerprints
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
_FILES = {"index.html": "<h1>one</h1>", "old.css": "a{}", "same.js": "1"}
_LATER = {"index.html": "<h1>two, longer</h1>", "new.css": "b{}", "same.js": "1"}


@pytest.fixture
async def pair(
    database: RolledBack, blobs: BlobStore, owner: Actor, project: Project, key_ring: KeyRing
) -> tuple[Deployment, Deployment]:
    """Two ready ones that differ in everything that can differ."""
    made: list[Deployment] = []
    for files, env, more in (
        (_FILES, {"URL": "a", "KEY": "s3cret-old", "GONE": "x"}, {"commit_sha": "a" * 40}),
        (_LATER, {"URL": "a", "KEY": "s3cret-new", "CAME": "y"}, {"commit_sha": "b" * 40}),
    ):
        source = await make.source(database, blobs, owner, files)
        given: dict[str, Any] = {
            "manifest_sha256": source.manifest_sha256,
            "variables": fingerprints.of(env, project.id, key_ring),
            "size_bytes": sum(map(len, files.values())),
            "build_time_seconds": 2.0 + len(made),
            "plan": msgspec.to_builtins(
                Plan(framework="x", label="X", kind="static", build_command=f"b{len(made)}")
            ),
            **more,
        }
        found = await make.deployment(
            database, project, source, owner, status=Status.ready, **given
        )
        made.append(found)
    return made[0], made[1]


def path_of(deployment: Deployment, query: str = "") -> str:
    return f"/api/deployments/{ids.public('depl', deployment.id)}/diff{query}"


async def test_it_names_commit_files_settings_and_variables_and_no_value(
    client: httpx2.AsyncClient, pair: tuple[Deployment, Deployment]
) -> None:
    """C-128, E-18."""
    older, newer = pair

    answer = await client.get(path_of(newer))

    found = answer.json()["data"]
    assert (found["kind"], found["comparedWith"]) == ("diff", ids.public("depl", older.id))
    assert [(f["kind"], f["name"]) for f in found["files"]] == [
        ("changed", "index.html"),
        ("added", "new.css"),
        ("removed", "old.css"),
    ]
    assert (found["files"][0]["before"], found["files"][0]["after"]) == (12, 20)
    assert found["commits"][0] == {
        "name": "commit",
        "kind": "changed",
        "before": "a" * 40,
        "after": "b" * 40,
    }
    assert ("build_command", "b0", "b1") in [
        (c["name"], c["before"], c["after"]) for c in found["config"]
    ]
    assert [(v["name"], v["kind"]) for v in found["variables"]] == [
        ("CAME", "added"),
        ("GONE", "removed"),
        ("KEY", "changed"),
    ]
    assert found["variablesKnown"] is True
    assert (found["sizeBytesDelta"], found["buildTimeSecondsDelta"]) == (8, 1.0)
    assert "s3cret" not in answer.text


async def test_the_other_way_round_and_only_how_many(
    client: httpx2.AsyncClient, pair: tuple[Deployment, Deployment]
) -> None:
    """C-128."""
    older, newer = pair
    other = ids.public("depl", newer.id)

    found = (await client.get(path_of(older, f"?compareWith={other}&summary=true"))).json()["data"]

    assert found["files"] == []
    assert found["summary"] == {
        "commits": 1,
        "filesAdded": 1,
        "filesChanged": 1,
        "filesRemoved": 1,
        "config": 1,
        "variables": 3,
    }


async def test_another_projects_deployment_is_not_there(
    client: httpx2.AsyncClient,
    database: RolledBack,
    owner: Actor,
    source: Source,
    pair: tuple[Deployment, Deployment],
) -> None:
    elsewhere = await make.project(database, owner, "Elsewhere")
    foreign = await make.deployment(database, elsewhere, source, owner, status=Status.ready)

    for other in (ids.public("depl", foreign.id), "depl_nonsense"):
        answer = await client.get(path_of(pair[0], f"?compareWith={other}"))
        assert answer.status_code == 404, answer.text


async def test_the_page_shows_it_and_no_value(
    client: httpx2.AsyncClient, pair: tuple[Deployment, Deployment]
) -> None:
    id = ids.public("depl", pair[1].id)

    text = (await client.get(f"/deployments/{id}/diff")).text

    for words in ("new.css", "old.css", "KEY", "GONE", "aaaaaaaaaaaa", "12 B → 20 B"):
        assert words in text
    assert "same.js" not in text
    assert "s3cret" not in text


def test_a_value_is_compared_by_a_hash_that_only_its_keys_make(key_ring: KeyRing) -> None:
    project, other = ids.uuid7(), ids.uuid7()
    before = fingerprints.of({"A": "1", "B": "1"}, project, key_ring)

    assert before["A"] != before["B"]
    assert fingerprints.of({"A": "1"}, other, key_ring)["A"] != before["A"]
    assert fingerprints.between(before, fingerprints.of({"A": "1"}, project, key_ring)) == {
        "B": "removed"
    }
    key_ring.add()
    assert fingerprints.between(before, fingerprints.of({"A": "1"}, project, key_ring)) == {
        "A": "unknown",
        "B": "removed",
    }
    assert fingerprints.between(None, before) == {}
