"""What is sent: archives, repositories, folders with links, changing and odd files."""

import hashlib
import os
import socket
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.cli.conftest import Run, uploaded
from tests.cli.panel import Panel

from windlass.cli import upload
from windlass.cli.api import Api
from windlass.cli.progress import Progress
from windlass.cli.session import Session


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
