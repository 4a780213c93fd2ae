import httpx2
import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.core.blobs import BlobStore
from windlass.core.settings import Settings
from windlass.deployments.phases import Status

pytestmark = pytest.mark.anyio
URL = "/api/projects"


async def test_a_project_gets_a_slug_and_an_address(client: httpx2.AsyncClient) -> None:
    """C-101, C-133."""
    response = await client.post(URL, json={"name": "Café Ünïcode!"})

    body = response.json()["data"]
    assert response.status_code == 201, response.text
    assert body["slug"] == "cafe-unicode"
    assert body["url"] == "http://cafe-unicode.localhost:8000"
    assert body["repositoryBranch"] == "main"
    assert body["latestDeployment"] is None


async def test_a_missing_name_is_said_in_the_words_of_the_requirement(
    client: httpx2.AsyncClient,
) -> None:
    """C-101."""
    response = await client.post(URL, json={})

    fields = response.json()["error"]["details"]["fields"]
    assert response.status_code == 422
    assert {"field": "name", "message": "Name is required"} in fields


@pytest.mark.parametrize("name", ["!!!", "日本", "www", "API", "\x00", "  "])
async def test_a_name_that_gives_no_address_is_refused(
    client: httpx2.AsyncClient, name: str
) -> None:
    """C-088, C-110."""
    response = await client.post(URL, json={"name": name})

    assert response.status_code == 422, response.text
    assert response.json()["error"]["details"]["fields"][0]["field"] == "name"


async def test_the_same_name_twice_is_a_conflict_and_writes_nothing(
    client: httpx2.AsyncClient,
) -> None:
    """C-022."""
    await client.post(URL, json={"name": "Shop"})

    response = await client.post(URL, json={"name": "shop"})

    assert response.status_code == 409
    assert len((await client.get(URL)).json()["data"]) == 1


async def test_a_host_name_of_somebody_else_is_a_conflict(
    client: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    await client.post(URL, json={"name": "Shop"})

    response = await stranger.post(URL, json={"name": "Shop"})

    assert response.status_code == 409
    assert "shop.localhost" in response.json()["error"]["message"]
    assert (await stranger.get(URL)).json()["data"] == []


async def test_a_project_is_found_by_id_and_by_slug_and_only_by_its_owner(
    client: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    """C-102, C-103."""
    made = (await client.post(URL, json={"name": "Shop"})).json()["data"]

    by_id = await client.get(f"{URL}/{made['id']}")
    by_slug = await client.get(f"{URL}/by-slug/shop")

    assert by_id.json()["data"] == by_slug.json()["data"] == made
    for path in (made["id"], "by-slug/shop", "proj_nonsense", "1", "depl_" + made["id"][5:]):
        assert (await stranger.get(f"{URL}/{path}")).status_code == 404


async def test_settings_are_changed_and_null_means_detect(client: httpx2.AsyncClient) -> None:
    made = (await client.post(URL, json={"name": "Shop"})).json()["data"]
    here = f"{URL}/{made['id']}"

    await client.patch(here, json={"buildCommand": "make site", "outputDirectory": "out"})
    response = await client.patch(here, json={"buildCommand": None, "name": "The shop"})

    body = response.json()["data"]
    assert response.status_code == 200, response.text
    assert (body["buildCommand"], body["outputDirectory"]) == (None, "out")
    assert (body["name"], body["slug"]) == ("The shop", "shop")


@pytest.mark.parametrize(
    "change",
    [
        {"repositoryBranch": "--upload-pack=evil"},
        {"repositoryBranch": "a..b"},
        {"repositoryUrl": "file:///etc"},
        {"repositoryUrl": "ext::sh -c id"},
        {"repositoryUrl": "https://user:password@example.com/x.git"},
        {"nodeVersion": "9"},
        {"slug": "other"},
        {"buildCommand": "a\x00b"},
    ],
)
async def test_a_wrong_setting_is_refused(
    client: httpx2.AsyncClient, change: dict[str, str]
) -> None:
    made = (await client.post(URL, json={"name": "Shop"})).json()["data"]

    response = await client.patch(f"{URL}/{made['id']}", json=change)

    assert response.status_code in {400, 422}, response.text
    assert (await client.get(f"{URL}/{made['id']}")).json()["data"] == made


async def test_projects_are_paged_in_every_order(client: httpx2.AsyncClient) -> None:
    """C-076, C-079."""
    for letter in "cabed":
        await client.post(URL, json={"name": letter})
    for sort, expected in (("name", "abcde"), ("-name", "edcba"), ("-createdAt", "debac")):
        found, cursor = "", None
        while True:
            query: dict[str, str] = {"limit": "2", "sort": sort}
            response = await client.get(URL, params=query | ({"cursor": cursor} if cursor else {}))
            body = response.json()
            found += "".join(project["name"] for project in body["data"])
            page = body["meta"]["pagination"]
            cursor = page.get("cursor")
            assert page["hasMore"] is (cursor is not None)
            if cursor is None:
                break
        assert found == expected


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "cursor=nonsense", "sort=color"])
async def test_a_wrong_page_is_400(client: httpx2.AsyncClient, query: str) -> None:
    """C-077."""
    response = await client.get(f"{URL}?{query}")

    assert response.status_code == 400, response.text


async def test_variables_are_sealed_masked_and_replaced(
    client: httpx2.AsyncClient, database: RolledBack
) -> None:
    """C-105."""
    here = f"{URL}/{(await client.post(URL, json={'name': 'Shop'})).json()['data']['id']}/env"
    await client.post(here, json={"key": "TOKEN", "value": "hunter22", "secret": True})
    await client.post(here, json={"key": "MODE", "value": "a\nb$'\""})

    response = await client.post(here, json={"key": "MODE", "value": "new"})

    assert response.status_code == 201, response.text
    listed = (await client.get(here)).json()["data"]
    assert {(v["key"], v["value"], v["target"]) for v in listed} == {
        ("TOKEN", None, "production"),
        ("TOKEN", None, "preview"),
        ("MODE", "new", "production"),
        ("MODE", "new", "preview"),
    }
    stored = await database.fetch("select value_sealed from env_variables")
    assert all(b"hunter22" not in row["value_sealed"] for row in stored)


async def test_a_secret_is_not_made_readable_without_its_value(client: httpx2.AsyncClient) -> None:
    here = f"{URL}/{(await client.post(URL, json={'name': 'Shop'})).json()['data']['id']}/env"
    body = {"key": "TOKEN", "value": "hunter22", "secret": True, "targets": ["production"]}
    variable = (await client.post(here, json=body)).json()["data"][0]

    refused = await client.patch(f"{here}/{variable['id']}", json={"secret": False})
    allowed = await client.patch(
        f"{here}/{variable['id']}", json={"secret": False, "value": "open"}
    )

    assert refused.status_code == 422
    assert allowed.json()["data"]["value"] == "open"
    assert (await client.delete(f"{here}/{variable['id']}")).status_code == 204
    assert (await client.get(here)).json()["data"] == []


@pytest.mark.parametrize("key", ["1A", "A-B", "", "A B", "PATH", "PORT", "x" * 257])
async def test_a_key_that_no_shell_would_take_is_refused(
    client: httpx2.AsyncClient, key: str
) -> None:
    here = f"{URL}/{(await client.post(URL, json={'name': 'Shop'})).json()['data']['id']}/env"

    response = await client.post(here, json={"key": key, "value": "x"})

    assert response.status_code == 422


async def test_a_deleted_project_is_gone_at_once_and_its_name_is_free(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor, settings: Settings
) -> None:
    """C-023: the job takes down what is left."""
    project = await make.project(database, owner)
    source = await make.source(database, BlobStore(settings.folder / "blobs"), owner)
    await make.deployment(database, project, source, owner, status=Status.ready, is_active=True)
    made = (await client.get(URL)).json()["data"][0]
    assert made["latestDeployment"]["status"] == "ready"

    assert (await client.delete(f"{URL}/{made['id']}")).status_code == 204

    assert (await client.get(URL)).json()["data"] == []
    assert (await client.get(f"{URL}/{made['id']}")).status_code == 404
