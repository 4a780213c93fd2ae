"""A directory is a build test: each example is deployed for real and its `verify` list is asked.

A few run always, more of them in `make test-long`. `make test-examples` (EXAMPLES=all) runs every
directory and writes what it took to docs/examples.md; an example whose toolchain this machine lacks
must be refused by name.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import sites
from tests.e2e.example_table import Row, Table
from tests.running import Instance, until
from windlass.builds import machine

pytestmark = pytest.mark.xdist_group("instance")
FOLDER = Path(__file__).parents[1] / "examples"
QUICK = (
    "flask-factory",
    "procfile",
    "static-public",
    "static-root",
    "vite",
    "windlass-toml",
    "worker-only",
)
LONG = ("asgi", "build-script", "express", "fastapi", "mkdocs", "monorepo")
EVERY = sorted(path.parent.name for path in FOLDER.glob("*/expect.json"))
_UNREACHED = ("INSTALL_FAILED", "BUILD_FAILED", "NO_ENGINE", "IMAGE_NOT_FOUND")
ALL = os.environ.get("EXAMPLES") == "all"


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    """The table of times, written at the end of the long variant; rows not run stay as they are."""
    found = Table()
    yield found
    if ALL:
        found.write()


@pytest.mark.parametrize(
    "name",
    EVERY if ALL else [*QUICK, *(pytest.param(name, marks=pytest.mark.long) for name in LONG)],
)
def test_an_example_is_built_and_answers(
    instance: Instance, table: Table, tmp_path: Path, name: str
) -> None:
    folder = shutil.copytree(FOLDER / name, tmp_path / f"example-{name}", symlinks=True)
    expected = json.loads((FOLDER / name / "expect.json").read_text())
    missing = set(expected.get("tools", ())) - set(machine.installed().tools)

    done = instance.deploy(folder, check=False)

    if missing or "refused" in expected:
        said = done["error"]["message"]
        assert ("not installed here" if missing else expected["refused"]) in said
        table.refused(name, said)
        return
    if "registry" in expected and done["errorCode"] in _UNREACHED:
        pytest.skip(f"{expected['registry']} is not reached from here")
    assert done["status"] == "ready", done["errorMessage"]
    for check in json.loads((FOLDER / name / "verify").read_text()):
        _check(instance, done["url"] or _address(instance, done), check)
    log = instance.api("GET", f"/api/deployments/{done['id']}/logs?limit=1000").json()["data"]
    table.add(name, Row.of(done, [line["message"] for line in log]))


def _address(instance: Instance, done: dict[str, Any]) -> str:
    """Where its project would answer, if it did: its deployment names no address."""
    return instance.api("GET", f"/api/projects/{done['projectId']}").json()["data"]["url"]


def _check(instance: Instance, url: str, check: dict[str, Any]) -> None:
    response = instance.get(url + check["path"])
    if response.status_code == 308:
        response = instance.get(url + response.headers["location"])
    assert response.status_code == check.get("status", 200), (check, response.text[:2000])
    assert check.get("contains", "") in response.text, (check, response.text[:2000])
    assert check.get("type", "") in response.headers.get("content-type", ""), check


def test_a_worker_that_fails_leaves_the_one_before_at_work(
    instance: Instance, tmp_path: Path
) -> None:
    """Workers alone are switched, watched, and switched back."""
    folder = shutil.copytree(FOLDER / "worker-only", tmp_path / "workers")
    first = instance.deploy(folder)
    assert (first["status"], first["url"], first["isActive"]) == ("ready", None, True)
    project = instance.api("GET", f"/api/projects/{first['projectId']}").json()["data"]
    assert project["answers"] is False

    (folder / "consumer.py").write_text("raise SystemExit('no queue')")
    failed = instance.deploy(folder, "--prod", check=False)

    assert (failed["status"], failed["errorCode"]) == ("error", "START_FAILED")
    assert "worker: Ended with exit code 1" in failed["errorMessage"]
    log = instance.api("GET", f"/api/deployments/{failed['id']}/logs").text
    assert "no queue" in log
    until(lambda: sites.workers_of(first["id"]), what="the first worker to be at work again")
    until(lambda: not sites.workers_of(failed["id"]), what="the failed one to be gone")


def test_a_cached_rebuild_skips_the_installation(instance: Instance, tmp_path: Path) -> None:
    """C-151 to C-153: hit, and miss again when it is to be clean."""
    folder = shutil.copytree(FOLDER / "vite", tmp_path / "cached")
    instance.deploy(folder)
    again = instance.deploy(folder, "--prod")
    clean = instance.deploy(folder, "--prod", "--clean")

    log = instance.api("GET", f"/api/deployments/{again['id']}/logs").text
    assert "dependency cache: hit" in log
    assert "npm ci" not in log
    log = instance.api("GET", f"/api/deployments/{clean['id']}/logs").text
    assert "clean build" in log
    assert "dependency cache: miss" in log
