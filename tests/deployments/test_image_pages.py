"""Images in the panel: a new project of one, a new version of one, logins for private ones."""

import httpx2
import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.core.blobs import BlobStore
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio


async def test_a_new_project_is_made_of_an_image(client: httpx2.AsyncClient) -> None:
    asked = await client.get("/projects/new?from=image")
    named = await client.post("/projects/new/image", data={"image": "ghcr.io/team/orders:1.4"})
    plan = await client.get(named.headers["location"])
    source = named.headers["location"].partition("source=")[2]
    made = await client.post("/projects/new", data={"source_id": source, "name": "Orders"})

    assert "Name of the image" in asked.text
    assert named.status_code == 303
    assert "ghcr.io/team/orders:1.4" in plan.text
    assert made.status_code == 303
    shown = (await client.get(made.headers["location"])).text
    assert "Orders" in shown


async def test_a_new_version_is_made_of_an_image(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    await make.project(database, owner)

    named = await client.post("/projects/shop/deploy/image", data={"image": "nginx:1.27"})
    where = await client.get(named.headers["location"])
    source = named.headers["location"].partition("source=")[2]
    made = await client.post("/projects/shop/deploy", data={"source_id": source})

    assert "nginx:1.27" in where.text
    assert "Where to" in where.text
    assert made.headers["location"].startswith("/deployments/depl_")


@pytest.mark.parametrize("path", ["/projects/new/image", "/projects/shop/deploy/image"])
@pytest.mark.parametrize(
    ("image", "said"),
    [("", "Name an image"), ("No Such Name", "is no name of an image"), ("x" * 600, "no name of")],
)
async def test_what_is_no_image_is_said_beside_the_field(
    client: httpx2.AsyncClient,
    database: RolledBack,
    owner: Actor,
    path: str,
    image: str,
    said: str,
) -> None:
    await make.project(database, owner)

    answer = await client.post(path, data={"image": image})

    assert answer.status_code == 422
    assert said in answer.text
    assert (await client.get(path)).status_code == 303


async def test_logins_are_kept_and_never_shown(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    await make.project(database, owner)
    page = "/projects/shop/registries"
    form = {"registry": "ghcr.io", "username": "ada", "password": "t0ken-of-ada"}

    before = (await client.get(page)).text
    saved = await client.post(page, data=form)
    after = (await client.get(page)).text
    wrong = await client.post(page, data=form | {"registry": "nowhere"})
    empty = await client.post(page, data={})

    assert "No logins yet" in before
    assert saved.status_code == 303
    assert "ghcr.io" in after
    assert "as ada" in after
    assert "t0ken" not in after + wrong.text
    assert wrong.status_code == 422
    assert "no host name of a registry" in wrong.text
    assert empty.status_code == 422
    assert "Name a registry" in empty.text

    id = after.partition('id="reg_')[2].partition('"')[0]
    ended = await client.post(f"{page}/reg_{id}/end")

    assert ended.status_code == 303
    assert "No logins yet" in (await client.get(page)).text
    assert (await client.post(f"{page}/reg_{id}/end")).status_code == 404


async def test_a_deployment_of_an_image_says_which_and_what_it_may(
    client: httpx2.AsyncClient,
    database: RolledBack,
    blobs: BlobStore,
    settings: Settings,
    owner: Actor,
) -> None:
    project = await make.project(database, owner)
    source = await make.source(database, blobs, owner)
    digest = "ghcr.io/team/orders@sha256:" + "ab" * 32
    plan = {
        "framework": "dockerfile",
        "label": "Container image",
        "kind": "server",
        "port": 8080,
        "container": {
            "image": "ghcr.io/team/orders:1.4",
            "digest": digest,
            "health": ["CMD-SHELL", "wget -q localhost"],
            "sizeBytes": 5 << 20,
        },
    }
    made = await make.deployment(database, project, source, owner, plan=plan)

    shown = (await client.get(f"/deployments/depl_{made.id.hex}")).text

    assert "ghcr.io/team/orders:1.4" in shown
    assert digest in shown
    assert "5.0 MiB" in shown
    assert "wget -q localhost" in shown
    assert "processors" in shown
