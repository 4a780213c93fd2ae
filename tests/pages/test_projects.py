import httpx2
import pytest

from tests import make
from tests.conftest import RolledBack
from windlass.auth.models import Actor
from windlass.builds.models import Source
from windlass.core import ids
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
SETTINGS = {"name": "Shop", "repository_branch": "main", "output_directory": "."}


async def test_without_a_project_the_first_action_is_offered(client: httpx2.AsyncClient) -> None:
    page = await client.get("/projects")

    assert page.status_code == 200
    assert "Deploy your first project" in page.text


async def test_a_card_says_that_it_is_live_although_the_newest_version_failed(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
    live: Deployment,
) -> None:
    await make.deployment(
        database, project, source, owner, status=Status.error, error_message="No space left"
    )

    page = await client.get("/projects")

    assert "shop.localhost:8000" in page.text
    assert "Live</span>" in page.text
    assert "Failed</span>" in page.text
    assert "No space left" in page.text


async def test_a_project_shows_its_deployments_and_no_others(
    client: httpx2.AsyncClient, database: RolledBack, source: Source, owner: Actor, live: Deployment
) -> None:
    other = await make.project(database, owner, "Other")
    elsewhere = await make.deployment(database, other, source, owner)

    page = await client.get("/projects/shop")

    assert f"row-{ids.public('depl', live.id)}" in page.text
    assert f"row-{ids.public('depl', elsewhere.id)}" not in page.text
    assert "None of these" in (await client.get("/projects/shop?status=error")).text


async def test_deploying_a_source_leads_to_the_new_deployment(
    client: httpx2.AsyncClient, project: Project, source: Source
) -> None:
    id = ids.public("src", source.id)
    form = await client.get(f"/projects/shop/deploy?source={id}")

    answer = await client.post(
        "/projects/shop/deploy", data={"source_id": id, "production": "false", "clean": "true"}
    )

    assert "Static files, a static site" in form.text
    assert answer.status_code == 303
    page = await client.get(answer.headers["location"])
    assert "Preview</span>" in page.text


async def test_a_project_without_a_repository_needs_files(
    client: httpx2.AsyncClient, project: Project
) -> None:
    answer = await client.post("/projects/shop/deploy", data={"production": "true"})

    assert answer.status_code == 422
    assert "This project has no Git repository" in answer.text


async def test_a_wrong_branch_is_shown_beside_its_field(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    await make.project(database, owner, "Code", repository_url="https://git.example.com/a.git")

    answer = await client.post(
        "/projects/code/deploy", data={"branch": "--upload-pack=x", "production": "true"}
    )

    assert answer.status_code == 422
    assert 'id="e-branch"' in answer.text
    assert 'value="--upload-pack=x"' in answer.text


async def test_only_what_differs_from_the_detected_plan_becomes_a_setting(
    client: httpx2.AsyncClient, live: Deployment
) -> None:
    page = await client.get("/projects/shop/settings")
    assert 'name="output_directory" type="text" value="."' in page.text

    answer = await client.post(
        "/projects/shop/settings",
        data={**SETTINGS, "name": "Shop two", "framework": "static", "build_command": "make"},
    )

    assert answer.headers["location"] == "/projects/shop/settings?notice=saved"
    found = (await client.get("/api/projects/by-slug/shop")).json()["data"]
    assert found["name"] == "Shop two"
    assert found["buildCommand"] == "make"
    assert found["outputDirectory"] is None


async def test_every_wrong_setting_is_named_and_none_is_kept(
    client: httpx2.AsyncClient, project: Project
) -> None:
    wrong = {
        "name": " ",
        "repository_url": "file:///etc",
        "repository_branch": "main",
        "node_version": "7",
    }

    answer = await client.post("/projects/shop/settings", data=wrong)

    assert answer.status_code == 422
    for name in ("name", "repository_url", "node_version"):
        assert f'id="e-{name}"' in answer.text
    found = (await client.get("/api/projects/by-slug/shop")).json()["data"]
    assert found["name"] == "Shop"


async def test_deleting_needs_the_name_and_hides_the_project_at_once(
    client: httpx2.AsyncClient, live: Deployment
) -> None:
    wrong = await client.post("/projects/shop/delete", data={"confirm": "shop"})
    right = await client.post("/projects/shop/delete", data={"confirm": "Shop"})

    assert wrong.status_code == 422
    assert 'id="e-confirm">Type Shop' in wrong.text
    assert right.headers["location"] == "/projects?notice=deleted"
    assert (await client.get("/projects/shop")).status_code == 404
    page = await client.get(f"/deployments/{ids.public('depl', live.id)}")
    assert page.status_code == 404


PAGES = ["", "/deploy", "/environment", "/settings"]


@pytest.mark.parametrize("page", PAGES)
async def test_a_project_of_somebody_else_does_not_exist(
    stranger: httpx2.AsyncClient, project: Project, page: str
) -> None:
    assert (await stranger.get(f"/projects/shop{page}")).status_code == 404
    if page:
        assert (await stranger.post(f"/projects/shop{page}", data=SETTINGS)).status_code == 404
    assert (await stranger.post("/projects/shop/delete", data={})).status_code == 404


@pytest.mark.parametrize("page", PAGES)
async def test_who_is_not_signed_in_is_led_there_and_back(
    anonymous: httpx2.AsyncClient, page: str
) -> None:
    answer = await anonymous.get(f"/projects/shop{page}")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next=/projects/shop{page}"
