"""`windlass deploy` against a panel that keeps the contract."""

import hashlib
import json
import os
import socket
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.cli.conftest import Run, last_json
from tests.cli.panel import Panel

from windlass.cli import upload
from windlass.cli.api import Api
from windlass.cli.progress import Progress
from windlass.cli.session import Session


def uploaded(panel: Panel) -> dict[str, dict[str, object]]:
    newest = list(panel.sources.values())[-1]
    return {one["path"]: one for one in newest["files"]}


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


def test_an_archive_goes_to_the_archive_route(run: Run, site: Path, panel: Panel) -> None:
    archive = site.parent / "Photo Album.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(site / "index.html", "index.html")
    run("deploy", str(archive))

    (call,) = [call for call in panel.calls if call.path == "/api/sources/archive"]
    assert call.query == {"name": "Photo Album.tar.gz"}
    assert call.body == archive.read_bytes()
    assert [one["slug"] for one in panel.projects.values()] == ["photo-album"]


def test_a_repository_is_fetched_by_the_server_and_names_its_project(
    run: Run, site: Path, panel: Panel
) -> None:
    url = "https://git.example.com/me/Web.Shop.git"
    run("deploy", "--git", url, "--branch", "next")

    (project,) = panel.projects.values()
    assert (project["slug"], project["repositoryUrl"]) == ("web-shop", url)
    assert project["repositoryBranch"] == "next"
    assert not (site / ".windlass").exists()


def test_a_repository_that_cannot_be_fetched_ends_with_the_servers_reason(
    run: Run, site: Path, panel: Panel
) -> None:
    panel.git_error = "The repository needs a password."
    result = run("deploy", "--git", "https://git.example.com/x", code=1)

    assert result.stderr == "Error: The repository needs a password.\n"
    assert not panel.projects


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(site: Path) -> Path:
    git(site, "init", "-q", "-b", "main")
    git(site, "add", ".")
    git(site, "commit", "-q", "-m", "Open the shop")
    return site


def test_branch_and_commit_of_a_clean_folder_are_sent_along(
    run: Run, repository: Path, panel: Panel
) -> None:
    run("deploy")
    (repository / "index.html").write_text("not committed")
    run("deploy")

    git(repository, "checkout", "-q", "-b", "größer")
    run("deploy")

    clean, changed, odd = panel.deployments.values()
    assert odd["branch"] is None
    assert (clean["branch"], clean["commitMessage"]) == ("main", "Open the shop")
    assert len(clean["commitSha"]) == 40
    assert (changed["branch"], changed["commitSha"]) == ("main", None)


def test_a_local_repository_is_uploaded_as_a_folder_or_a_branch_as_an_archive(
    run: Run, repository: Path, panel: Panel
) -> None:
    run("deploy", "--git", str(repository))
    run("deploy", "--git", str(repository), "--branch", "main")

    assert [source["kind"] for source in panel.sources.values()] == ["upload", "archive"]
    wrong = run("deploy", "--git", ".", "--branch", "--output=/tmp/x", code=1)
    assert "has no branch --output=/tmp/x" in wrong.stderr


def test_an_empty_folder_is_refused(run: Run, site: Path, panel: Panel) -> None:
    (site.parent / "empty" / "node_modules").mkdir(parents=True)
    result = run("deploy", "../empty", code=1)

    assert "holds no file to deploy" in result.stderr
    assert not panel.sources


def test_a_missing_path_and_a_plain_file_are_refused(run: Run, site: Path) -> None:
    assert "nowhere does not exist" in run("deploy", "nowhere", code=1).stderr
    assert "neither a folder nor an archive" in run("deploy", "index.html", code=1).stderr


def test_the_home_directory_and_the_disk_need_yes(
    run: Run, site: Path, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(site))
    assert "home directory" in run("deploy", code=1).stderr
    assert "home directory" in run("deploy", "/", code=1).stderr
    run("deploy", "--yes")


def test_a_socket_is_refused_with_its_path(
    run: Run, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("css/live.sock")
        result = run("deploy", code=1)
    os.unlink("css/live.sock")
    os.mkfifo("pipe")

    assert "css/live.sock is a socket" in result.stderr
    assert "pipe is a named pipe" in run("deploy", code=1).stderr


def test_env_files_are_left_out_and_it_is_said(run: Run, site: Path, panel: Panel) -> None:
    (site / ".env").write_text("SECRET=1")
    (site / ".env.example").write_text("SECRET=")
    result = run("deploy")

    assert "Left out: .env (" in result.stdout
    assert ".env" not in uploaded(panel)
    assert ".env.example" in uploaded(panel)


def test_modes_and_links_are_sent(run: Run, site: Path, panel: Panel) -> None:
    (site / "run.sh").write_text("#!/bin/sh")
    (site / "run.sh").chmod(0o755)
    (site / "css" / "home.html").symlink_to("../index.html")
    (site / "absolute").symlink_to(site / "css")
    run("deploy")

    files = uploaded(panel)
    assert files["run.sh"]["mode"] == "exec"
    assert files["css/home.html"] == {
        "path": "css/home.html",
        "sha256": hashlib.sha256(b"../index.html").hexdigest(),
        "size": 13,
        "mode": "link",
        "target": "../index.html",
    }
    assert files["absolute"]["target"] == "css"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret", "css/../../../x"])
def test_a_link_that_leaves_the_folder_is_refused_with_its_path(
    run: Run, site: Path, target: str
) -> None:
    (site / "css" / "out").symlink_to(target)

    assert "css/out is a link to" in run("deploy", code=1).stderr


def test_large_files_are_streamed_one_by_one(
    run: Run, site: Path, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "BATCH_BYTES", 1000)
    (site / "large.bin").write_bytes(os.urandom(700_000))
    for number in range(40):
        (site / f"{number}.txt").write_bytes(os.urandom(100))
    run("deploy")

    batches = [len(call.body) for call in panel.calls if call.path == "/api/blobs"]
    assert max(batches) <= 1000
    assert len(panel.paths("PUT")) == 1
    assert len(panel.blobs) == 43


def test_a_file_that_changes_during_the_upload_is_sent_as_it_is_then(
    site: Path, panel: Panel, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from windlass.cli import files, hashing

    monkeypatch.setattr(upload, "BATCH_BYTES", 1000)
    (site / "large.bin").write_bytes(b"a" * 5000)
    (site / "a.txt").write_text("<h1>Hello</h1>")
    found = files.find(site).files
    hashing.fill(site, found)
    (site / "index.html").write_text("rewritten")
    (site / "large.bin").write_bytes(b"b" * 6000)
    source, _ = upload.folder(api, "shop", found, Progress(Session()))

    sent = {one["path"]: one for one in panel.sources[source.id]["files"]}
    assert sent["index.html"]["sha256"] == hashlib.sha256(b"rewritten").hexdigest()
    assert sent["large.bin"]["size"] == 6000
    assert sent["a.txt"]["sha256"] in panel.blobs


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
