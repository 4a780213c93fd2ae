"""`windlass deploy` against a panel that keeps the contract."""

import hashlib
import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run, last_json, uploaded
from tests.cli.panel import Panel


def test_the_first_deploy_makes_the_project_goes_to_production_and_ends_with_the_url(
    run: Run, site: Path, panel: Panel
) -> None:
    result = run("deploy")

    lines = result.stdout.splitlines()
    assert lines[-1] == "http://shop.localhost"
    assert "Created the project shop." in lines
    assert any("to production (its first" in line for line in lines)
    (deployment,) = panel.deployments.values()
    assert deployment["isActive"]
    assert uploaded(panel).keys() == {"index.html", "css/main.css"}


def test_later_deploys_are_previews_and_say_how_to_promote(
    run: Run, site: Path, panel: Panel
) -> None:
    run("deploy")
    result = run("deploy")

    preview = list(panel.deployments.values())[-1]
    assert preview["isPreview"]
    assert f"windlass promote {preview['id']}" in result.stdout
    assert len(panel.projects) == 1


@pytest.mark.parametrize(("flag", "is_preview"), [("--prod", False), ("--preview", True)])
def test_prod_and_preview_decide(
    run: Run, site: Path, panel: Panel, flag: str, is_preview: bool
) -> None:
    run("deploy")
    run("deploy", flag)

    assert list(panel.deployments.values())[-1]["isPreview"] is is_preview


def test_a_first_deploy_may_be_a_preview(run: Run, site: Path, panel: Panel) -> None:
    run("deploy", "--preview")

    (project,) = panel.projects.values()
    assert project["activeDeploymentId"] is None


def test_the_folder_is_linked_and_commands_below_it_find_the_link(
    run: Run, site: Path, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("deploy")

    link = json.loads((site / ".windlass" / "project.json").read_text())
    (project,) = panel.projects.values()
    assert link == {"projectId": project["id"], "slug": "shop", "server": panel.url}
    assert (site / ".windlass" / ".gitignore").read_text() == "*\n"
    monkeypatch.chdir(site / "css")
    assert last_json(run("status", "--json"))["slug"] == "shop"


def test_a_second_deploy_sends_only_changed_blobs(run: Run, site: Path, panel: Panel) -> None:
    run("deploy")
    before = dict(panel.blobs)
    panel.calls.clear()
    (site / "index.html").write_text("<h1>Changed</h1>")
    result = run("deploy")

    sent = [call.body for call in panel.calls if call.path == "/api/blobs"]
    digest = hashlib.sha256(b"<h1>Changed</h1>").digest()
    assert sent == [digest + (16).to_bytes(8, "big") + b"<h1>Changed</h1>"]
    assert len(panel.blobs) == len(before) + 1
    assert "Uploaded 1 of 2 files" in result.stdout


def test_an_unchanged_folder_sends_nothing(run: Run, site: Path, panel: Panel) -> None:
    run("deploy")
    panel.calls.clear()
    result = run("deploy")

    assert "/api/blobs" not in panel.paths("POST")
    assert "Uploaded 0 of 2 files" in result.stdout


def test_json_is_the_apis_own_object_alone_on_standard_output(
    run: Run, site: Path, panel: Panel
) -> None:
    result = run("deploy", "--json")

    (deployment,) = panel.deployments.values()
    assert json.loads(result.stdout) == deployment
    assert "installing" in result.stderr


def test_a_failed_deployment_exits_1_with_one_line_why(run: Run, site: Path, panel: Panel) -> None:
    panel.ends, panel.reason = "error", "The build command failed with exit code 2."
    result = run("deploy", code=1)

    assert result.stderr.splitlines()[-1] == (
        "Error: The deployment failed: The build command failed with exit code 2."
    )
    assert "Traceback" not in result.output


def test_a_failed_deployment_with_json_ends_with_the_deployment(
    run: Run, site: Path, panel: Panel
) -> None:
    panel.ends, panel.reason = "error", "No."

    assert last_json(run("deploy", "--json", code=1))["status"] == "error"


def test_no_wait_returns_with_the_queued_deployment(run: Run, site: Path, panel: Panel) -> None:
    panel.holds = True
    result = run("deploy", "--no-wait", "--json")

    assert last_json(result)["status"] == "queued"


def test_clean_is_passed_on(run: Run, site: Path, panel: Panel) -> None:
    run("deploy", "--clean")

    (call,) = [c for c in panel.calls if (c.method, c.path) == ("POST", "/api/deployments")]
    assert call.query == {"clean": "true"}


def test_project_names_an_existing_or_a_new_project(run: Run, site: Path, panel: Panel) -> None:
    panel.add_project("other")
    run("deploy", "--project", "other")
    run("deploy", "--project", "New")

    assert [one["project"]["slug"] for one in panel.deployments.values()] == ["other", "new"]
    assert json.loads((site / ".windlass" / "project.json").read_text())["slug"] == "other"


def test_a_project_of_the_folders_name_is_used_but_its_production_is_not_replaced_unasked(
    run: Run, site: Path, panel: Panel
) -> None:
    project = panel.add_project("shop")
    panel.activate(panel.add_deployment(project))

    refused = run("deploy", "--prod", code=1)
    assert "The project shop exists already" in refused.stderr
    assert "Using the project shop" in run("deploy").stdout
    assert list(panel.deployments.values())[-1]["isPreview"]


def test_a_link_to_a_deleted_project_is_said(run: Run, site: Path, panel: Panel) -> None:
    run("deploy")
    panel.projects.clear()
    result = run("deploy", code=1)

    assert "links to the project shop, which" in result.stderr
    assert "windlass link --project" in result.stderr


@pytest.mark.parametrize("name", ["...", "商店", "---"])
def test_a_folder_name_that_yields_no_slug_is_a_clear_error(
    run: Run, site: Path, panel: Panel, name: str
) -> None:
    folder = site.parent / name if name != "..." else site.parent / "···"
    folder.mkdir()
    (folder / "index.html").write_text("x")
    result = run("deploy", str(folder), code=1)

    assert "--project NAME" in result.stderr
    assert not panel.sources
    assert run("deploy", str(folder), "--project", "fine").exit_code == 0


def test_nothing_is_created_when_the_upload_is_too_large(
    run: Run, site: Path, panel: Panel
) -> None:
    panel.largest_source = 10
    result = run("deploy", code=1)

    assert "limit: 10 bytes; found: 32 bytes; this folder: 2 files, 32 bytes" in result.stderr
    assert "css/main.css (18 bytes)" in result.stderr
    assert not panel.projects


def test_nothing_is_created_when_nobody_knows_how_to_build_it(
    run: Run, site: Path, panel: Panel
) -> None:
    panel.plan_error = "Nothing was found to build: looked for index.html, package.json."
    result = run("deploy", code=1)

    assert "looked for index.html" in result.stderr
    assert not panel.projects


def test_blobs_that_vanish_in_between_are_sent_again(run: Run, site: Path, panel: Panel) -> None:
    panel.forget_blobs_once = True
    run("deploy")

    assert len(panel.blobs) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("deploy", "--prod", "--preview"),
        ("deploy", ".", "--git", "https://x.example"),
        ("deploy", "--branch", "main"),
        ("deploy", "--nonsense"),
        ("deplyo",),
    ],
)
def test_wrong_usage_exits_2(run: Run, site: Path, words: tuple[str, ...]) -> None:
    result = run(*words, code=2)

    assert "Traceback" not in result.stderr
    assert words != ("deplyo",) or "Did you mean `deploy`?" in result.stderr
