"""A folder from the browser: hashed there, only missing content sent, then the plan."""

import hashlib
import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.web import page_samples as q
from tests.web.conftest import Visit

FILES = {
    "index.html": b"<h1>hi</h1>",
    "assets/app.js": b"console.log(1)",
    "assets/copy.js": b"console.log(1)",
    "empty.txt": b"",
    "node_modules/x/index.js": b"never",
    ".git/config": b"never",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        file = tmp_path / "my-site" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path / "my-site"


def stored(body: bytes) -> dict[str, bytes]:
    """Read the batch form of POST /api/blobs as the server does."""
    found: dict[str, bytes] = {}
    while body:
        length = int.from_bytes(body[32:40], "big")
        found[body[:32].hex()] = body[40 : 40 + length]
        body = body[40 + length :]
    return found


def sent(visit: Visit, path: str) -> list[bytes]:
    return [body for posted, body in visit.gallery.posted if posted.split("?")[0] == path]


def test_a_folder_is_sent_once_per_content_and_leads_to_the_plan(
    visit: Visit, folder: Path
) -> None:
    page = visit.open("/projects/new")
    page.set_input_files("[data-drop-folder]", folder)
    page.wait_for_url(f"**/projects/new?source={q.SOURCE.id}")

    expected = {name: hashlib.sha256(FILES[name]).hexdigest() for name in list(FILES)[:4]}
    blobs = stored(sent(visit, "/api/blobs")[0])
    assert blobs == {expected[name]: FILES[name] for name in expected}
    source = json.loads(sent(visit, "/api/sources")[0])
    assert source["name"] == "my-site"
    assert [(file["path"], file["sha256"]) for file in source["files"]] == sorted(expected.items())
    assert visit.complaints == []


def test_what_the_ignore_files_name_stays_in_the_browser_and_is_counted(
    visit: Visit, folder: Path
) -> None:
    (folder / ".gitignore").write_text("*.map\n/dist/\n")
    (folder / ".windlassignore").write_text("!/dist/\n/notes\n")
    for name in ("assets/app.js.map", "dist/page.html", "notes/a", "notes/b", ".env"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"content of {name}")

    page = visit.open("/projects/new")
    page.set_input_files("[data-drop-folder]", folder)
    page.wait_for_url(f"**/projects/new?source={q.SOURCE.id}&ignored=3&withheld=1")

    source = json.loads(sent(visit, "/api/sources")[0])
    names = [".gitignore", ".windlassignore", "dist/page.html", *list(FILES)[:4]]
    assert [file["path"] for file in source["files"]] == sorted(names)
    everything = b"".join(body for _, body in visit.gallery.posted)
    assert b"content of dist/page.html" in everything
    for name in ("assets/app.js.map", "notes/a", ".env"):
        assert f"content of {name}".encode() not in everything


def test_a_file_that_names_its_interpreter_may_be_executed(visit: Visit, folder: Path) -> None:
    (folder / "build.sh").write_text("#!/bin/sh\nexit 0\n")

    page = visit.open("/projects/new")
    page.set_input_files("[data-drop-folder]", folder)
    page.wait_for_url(f"**/projects/new?source={q.SOURCE.id}")

    files = json.loads(sent(visit, "/api/sources")[0])["files"]
    modes = {file["path"]: file["mode"] for file in files}
    assert (modes["build.sh"], modes["index.html"], modes["empty.txt"]) == ("exec", "file", "file")


def test_content_that_the_server_has_is_not_sent(visit: Visit, folder: Path) -> None:
    visit.gallery.missing_everything = False
    page = visit.open("/projects/harbour-shop/deploy")
    page.set_input_files("[data-drop-folder]", folder)
    page.wait_for_url(f"**/projects/harbour-shop/deploy?source={q.SOURCE.id}")

    assert sent(visit, "/api/blobs") == []


def test_without_webcrypto_the_hashes_are_the_same(visit: Visit, folder: Path) -> None:
    # As on a panel that is reached over http under a name of its own.
    visit.page.route(
        "**/hash-worker-*.js",
        lambda route: route.fulfill(
            body="Object.defineProperty(globalThis, 'crypto', {value: {}});" + route.fetch().text(),
            content_type="text/javascript",
        ),
    )
    page = visit.open("/projects/new")
    page.set_input_files("[data-drop-folder]", folder)
    page.wait_for_url(f"**/projects/new?source={q.SOURCE.id}")

    hashes = json.loads(sent(visit, "/api/blobs/missing")[0])["hashes"]
    assert hashlib.sha256(FILES["index.html"]).hexdigest() in hashes


def test_an_archive_is_sent_as_it_is(visit: Visit, tmp_path: Path) -> None:
    archive = tmp_path / "my site.tar.gz"
    archive.write_bytes(b"not really")
    page = visit.open("/projects/new")
    page.set_input_files("[data-drop-archive]", archive)
    page.wait_for_url(f"**/projects/new?source={q.SOURCE.id}")

    path, body = visit.gallery.posted[0]
    assert path == "/api/sources/archive?name=my%20site.tar.gz"
    assert body == b"not really"


def test_an_error_of_the_server_is_shown_and_the_drop_can_be_tried_again(
    visit: Visit, folder: Path
) -> None:
    visit.page.route(
        "**/api/blobs/missing",
        lambda route: route.fulfill(
            status=507,
            json={
                "ok": False,
                "error": {"code": "X", "message": "The disk is full (12 MiB left)."},
            },
        ),
    )
    page = visit.open("/projects/new")
    page.set_input_files("[data-drop-folder]", folder)

    expect(page.locator("[data-drop-error]")).to_contain_text("The disk is full (12 MiB left).")
    expect(page.get_by_text("Choose a folder")).to_be_visible()


def test_a_folder_with_nothing_to_deploy_is_refused(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "site" / "node_modules").mkdir(parents=True)
    (tmp_path / "site" / "node_modules" / "x.js").write_text("x")
    page = visit.open("/projects/new")
    page.set_input_files("[data-drop-folder]", tmp_path / "site")

    expect(page.locator("[data-drop-error]")).to_contain_text("Nothing in this folder")
