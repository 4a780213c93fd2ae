import json

import httpx2
import msgspec
import pytest
from litestar import Litestar

from tests import make
from tests.conftest import RolledBack
from windlass.auth.models import Actor
from windlass.builds import service as builds
from windlass.builds.models import Source, SourceStatus
from windlass.core import ids
from windlass.core.blobs import BlobStore
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio
PACKAGE = json.dumps({"scripts": {"build": "vite build"}, "devDependencies": {"vite": "7"}})


async def test_both_ways_to_begin_are_offered(client: httpx2.AsyncClient) -> None:
    assert "Drop a folder or an archive here" in (await client.get("/projects/new")).text
    assert "Address of the repository" in (await client.get("/projects/new?from=git")).text


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "The address of the repository is required"),
        ("file:///etc", "it is a local folder"),
        ("ext::sh -c id", "is not the URL of a Git repository"),
        ("https://127.0.0.1/a.git", "WINDLASS_BUILDS__ALLOW_PRIVATE"),
    ],
)
async def test_an_address_that_is_none_is_shown_beside_its_field(
    client: httpx2.AsyncClient, url: str, says: str
) -> None:
    answer = await client.post(
        "/projects/new/git", data={"repository_url": url, "branch": "--upload-pack=x"}
    )

    assert answer.status_code == 422
    assert says in answer.text
    assert 'id="e-repository_url"' in answer.text
    assert 'id="e-branch"' in answer.text


async def test_a_repository_is_fetched_before_anything_is_built(
    client: httpx2.AsyncClient,
) -> None:
    form = {"repository_url": "https://git.example.com/team/site.git", "branch": ""}

    answer = await client.post("/projects/new/git", data=form)

    assert answer.status_code == 303
    page = await client.get(answer.headers["location"])
    assert "Fetching the repository" in page.text
    id = answer.headers["location"].split("=")[1]
    early = await client.post("/projects/new", data={"source_id": id, "name": "Site"})
    assert early.status_code == 409


async def test_a_repository_that_cannot_be_fetched_says_why_in_the_form(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    async with database.transaction() as db:
        row = await builds.request_repository(
            db, "https://git.example.com/a.git", "next", owner_id=owner.id, is_deferred=False
        )
        row.status, row.error_code = SourceStatus.error, "GIT"
        row.error_message = "There is no branch next."

    page = await client.get(f"/projects/new?source={ids.public('src', row.id)}")

    assert "There is no branch next." in page.text
    assert 'value="https://git.example.com/a.git"' in page.text
    assert 'value="next"' in page.text


async def test_the_plan_is_shown_and_what_was_changed_counts(
    client: httpx2.AsyncClient, database: RolledBack, blobs: BlobStore, owner: Actor
) -> None:
    source = await make.source(database, blobs, owner, {"package.json": PACKAGE, "index.html": ""})
    id = ids.public("src", source.id)

    page = await client.get(f"/projects/new?source={id}")
    form = {
        "source_id": id,
        "name": "My site",
        "root_directory": ".",
        "framework": "vite",
        "install_command": "",
        "build_command": "npm run build",
        "output_directory": "public",
        "env.0.key": "API",
        "env.0.value": "x",
        "env.1.key": "KEY",
        "env.1.value": "y",
        "env.1.secret": "true",
    }
    answer = await client.post("/projects/new", data=form)

    assert "Vite, a static site" in page.text
    assert 'value="npm run build"' in page.text
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith("/deployments/depl_")
    project = (await client.get("/api/projects/by-slug/my-site")).json()["data"]
    assert project["buildCommand"] is None
    assert project["outputDirectory"] == "public"
    # Emptied although something was detected: nothing shall be installed.
    assert project["installCommand"] == ""
    variables = (await client.get(f"/api/projects/{project['id']}/env")).json()["data"]
    assert {row["key"]: row["value"] for row in variables} == {"API": "x", "KEY": None}


async def test_what_was_left_out_of_a_dropped_folder_is_said(
    client: httpx2.AsyncClient, source: Source
) -> None:
    page = f"/projects/new?source={ids.public('src', source.id)}"

    assert "left out" not in (await client.get(page)).text
    said = (await client.get(f"{page}&ignored=12&withheld=1")).text
    assert "12 files left out by .gitignore or .windlassignore" in said
    assert "1 never sent: .env files, keys and caches" in said
    assert "left out" not in (await client.get(f"{page}&ignored=%3Cb%3E")).text


async def test_the_address_to_come_is_the_one_that_sites_have(
    client: httpx2.AsyncClient, app: Litestar, settings: Settings, source: Source
) -> None:
    app.state.settings = msgspec.structs.replace(
        settings, base_domain="sites.example.com", url="https://panel.example.com"
    )

    page = await client.get(f"/projects/new?source={ids.public('src', source.id)}")

    assert 'data-address="https://….sites.example.com"' in page.text


async def test_another_folder_of_the_source_is_planned_again_and_kept(
    client: httpx2.AsyncClient, database: RolledBack, blobs: BlobStore, owner: Actor
) -> None:
    files = {"index.html": "top", "site/package.json": PACKAGE, "site/index.html": ""}
    source = await make.source(database, blobs, owner, files)
    id = ids.public("src", source.id)

    page = await client.get(f"/projects/new?source={id}&root_directory=site")
    form = {
        "source_id": id,
        "name": "Inner",
        "root_directory": "site",
        "framework": "vite",
        "build_command": "npm run build",
        "output_directory": "dist",
    }
    answer = await client.post("/projects/new", data=form)

    assert "Vite, a static site" in page.text
    assert answer.status_code == 303, answer.text
    project = (await client.get("/api/projects/by-slug/inner")).json()["data"]
    assert project["rootDirectory"] == "site"
    assert project["outputDirectory"] is None


async def test_a_mistake_keeps_what_was_typed_and_makes_nothing(
    client: httpx2.AsyncClient, database: RolledBack, source: Source, owner: Actor
) -> None:
    await make.project(database, owner, "Taken")
    id = ids.public("src", source.id)
    form = {"source_id": id, "framework": "static", "root_directory": ".", "output_directory": "."}

    taken = await client.post("/projects/new", data={**form, "name": "taken"})
    port = await client.post(
        "/projects/new",
        data={**form, "name": "Fresh", "env.0.key": "A", "env.2.key": "PORT", "env.2.value": "1"},
    )
    folder = await client.post(
        "/projects/new", data={**form, "name": "Fresh", "output_directory": "nowhere"}
    )

    assert taken.status_code == 409
    assert 'id="e-name">You already have a project called taken' in taken.text
    assert port.status_code == 422
    assert "PORT is set by Windlass" in port.text
    assert 'href="#f-env.1.key"' in port.text
    assert folder.status_code == 422
    assert 'id="e-output_directory">There is no folder' in folder.text
    assert (await client.get("/projects/fresh")).status_code == 404


async def test_what_nobody_knows_is_said_with_what_was_looked_for(
    client: httpx2.AsyncClient, database: RolledBack, blobs: BlobStore, owner: Actor
) -> None:
    source = await make.source(database, blobs, owner, {"notes.txt": "hello"})

    page = await client.get(f"/projects/new?source={ids.public('src', source.id)}")

    assert "What is this?" in page.text
    assert "Looked for" in page.text


async def test_a_source_of_somebody_else_does_not_exist(
    stranger: httpx2.AsyncClient, source: Source
) -> None:
    id = ids.public("src", source.id)

    assert (await stranger.get(f"/projects/new?source={id}")).status_code == 404
    answer = await stranger.post("/projects/new", data={"source_id": id, "name": "Mine"})
    assert answer.status_code == 404
    assert (await stranger.post("/projects/new", data={"name": "Mine"})).status_code == 404


async def test_several_applications_of_a_workspace_are_a_choice_and_each_leads_to_its_plan(
    client: httpx2.AsyncClient, database: RolledBack, settings: Settings, owner: Actor
) -> None:
    files = {
        "package.json": json.dumps({"workspaces": ["apps/*"]}),
        "apps/web/package.json": PACKAGE,
        "apps/web/index.html": "x",
        "apps/a b/package.json": json.dumps({"scripts": {"start": "node x.js"}}),
    }
    source = await make.source(database, BlobStore(settings.folder / "blobs"), owner, files)
    id = ids.public("src", source.id)

    page = (await client.get(f"/projects/new?source={id}")).text
    assert "Which of them does this project deploy?" in page
    assert f'href="/projects/new?source={id}&amp;root_directory=apps/a%20b"' in page
    chosen = await client.get(f"/projects/new?source={id}&root_directory=apps/web")
    assert "Vite" in chosen.text
    assert "Which of them" not in chosen.text
    shown = (await client.get(f"/api/sources/{id}")).json()["data"]["planError"]
    assert shown["choices"] == [
        {"rootDirectory": "apps/a b", "label": "Node.js"},
        {"rootDirectory": "apps/web", "label": "Vite"},
    ]
