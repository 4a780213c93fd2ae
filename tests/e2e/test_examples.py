"""A directory is a build test: each example is deployed for real and its `verify` list is asked.

The quick ones run always; `EXAMPLES=all` runs every directory (the large frameworks take minutes).
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.running import Instance

pytestmark = pytest.mark.xdist_group("instance")
FOLDER = Path(__file__).parents[1] / "examples"
QUICK = (
    "asgi",
    "build-script",
    "express",
    "fastapi",
    "flask-factory",
    "mkdocs",
    "monorepo",
    "procfile",
    "static-public",
    "static-root",
    "vite",
    "windlass-toml",
)
EVERY = sorted(path.name for path in FOLDER.iterdir() if (path / "verify").exists())


@pytest.mark.parametrize("name", EVERY if os.environ.get("EXAMPLES") == "all" else QUICK)
def test_an_example_is_built_and_answers(instance: Instance, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(FOLDER / name, tmp_path / f"example-{name}")

    done = instance.deploy(folder)

    assert done["status"] == "ready", done["errorMessage"]
    checks: list[dict[str, Any]] = json.loads((FOLDER / name / "verify").read_text())
    for check in checks:
        response = instance.get(done["url"] + check["path"])
        if response.status_code == 308:
            response = instance.get(done["url"] + response.headers["location"])
        assert response.status_code == check.get("status", 200), check
        assert check.get("contains", "") in response.text, check
        assert check.get("type", "") in response.headers.get("content-type", ""), check


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
