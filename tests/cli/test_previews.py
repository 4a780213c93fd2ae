"""`windlass previews`."""

import json
from typing import Any

import pytest
from tests.cli.conftest import Run, last_json
from tests.cli.panel import Panel

SHA = "5b1d9a3c7e2f4a6b8c0d1e2f3a4b5c6d7e8f9a0b"


@pytest.fixture
def shop(panel: Panel) -> dict[str, Any]:
    """A project with a fork that waits, and a branch."""
    project = panel.add_project("shop")
    ready = panel.add_deployment(project, isPreview=True, branch="feature/cart")
    panel.previews[project["id"]] = [
        {
            "id": "prev_1",
            "branch": "ada:fix",
            "prNumber": 12,
            "author": "ada",
            "needsApproval": True,
            "commitSha": SHA,
            "deployment": None,
            "createdAt": "2026-02-01T00:00:00Z",
        },
        {
            "id": "prev_2",
            "branch": "feature/cart",
            "prNumber": None,
            "needsApproval": False,
            "commitSha": SHA,
            "aliasUrl": "http://shop-git-feature-cart.localhost",
            "deployment": ready,
            "createdAt": "2026-02-01T00:00:00Z",
        },
    ]
    return project


def test_they_are_listed_with_what_waits(run: Run, shop: dict[str, Any]) -> None:
    shown = run("previews", "--project", "shop").stdout
    found = last_json(run("previews", "list", "--project", "shop", "--json"))

    assert "ada:fix" in shown
    assert "needs approval" in shown
    assert "http://shop-git-feature-cart.localhost" in shown
    assert [one["id"] for one in found] == ["prev_1", "prev_2"]


@pytest.mark.parametrize("name", ["12", "#12", "ada:fix", "prev_1"])
def test_the_commit_that_was_shown_is_approved(
    run: Run, shop: dict[str, Any], panel: Panel, name: str
) -> None:
    result = run("previews", "approve", name, "--project", "shop", "--yes")

    assert "Approved." in result.stdout + result.stderr
    [asked] = [call for call in panel.calls if call.path.endswith("/approve")]
    assert asked.path.endswith("/previews/prev_1/approve")
    assert json.loads(asked.body) == {"commitSha": SHA}


def test_one_is_removed(run: Run, shop: dict[str, Any], panel: Panel) -> None:
    run("previews", "rm", "feature/cart", "--project", "shop", "--yes")

    assert [one["id"] for one in panel.previews[shop["id"]]] == ["prev_1"]


def test_what_is_wrong_is_said(run: Run, shop: dict[str, Any]) -> None:
    missing = run("previews", "rm", "nothing", "--project", "shop", "--yes", code=1)
    ready = run("previews", "approve", "feature/cart", "--project", "shop", "--yes", code=1)

    assert "There is no preview nothing." in missing.stderr
    assert "does not wait for approval" in ready.stderr
