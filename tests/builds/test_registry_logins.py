"""Logins at registries of images: kept sealed, never handed out, gone with whoever gave them."""

import httpx2
import pytest
from sqlalchemy import select
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.builds import logins, references
from windlass.builds.errors import ReferenceWrong
from windlass.builds.models import RegistryLogin
from windlass.core import ids
from windlass.core.crypto import KeyRing
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
BODY = {"registry": "https://GHCR.io/", "username": "ada", "password": "t0ken-of-ada"}


@pytest.fixture
async def project(database: RolledBack, owner: Actor) -> Project:
    return await make.project(database, owner)


@pytest.fixture
def path(project: Project) -> str:
    return f"/api/projects/{ids.public('proj', project.id)}/registries"


async def test_a_login_is_set_replaced_and_forgotten(
    client: httpx2.AsyncClient, database: RolledBack, key_ring: KeyRing, project: Project, path: str
) -> None:
    made = await client.post(path, json=BODY)
    again = await client.post(path, json=BODY | {"username": "bot", "password": "another-one"})

    assert made.status_code == 201
    assert made.json()["data"]["registry"] == "ghcr.io"
    [shown] = (await client.get(path)).json()["data"]
    assert (shown["registry"], shown["username"]) == ("ghcr.io", "bot")
    assert shown["id"] == again.json()["data"]["id"] == made.json()["data"]["id"]
    for answer in (made, again, await client.get(path)):
        assert "t0ken" not in answer.text
        assert "another-one" not in answer.text
    async with database.transaction() as db:
        [opened] = await logins.opened(db, project.id, key_ring)
        [row] = list(await db.scalars(select(RegistryLogin)))
    assert opened.password == "another-one"
    assert b"another-one" not in row.password_sealed

    gone = await client.delete(f"{path}/{shown['id']}")

    assert gone.status_code == 204
    assert (await client.get(path)).json()["data"] == []
    assert (await client.delete(f"{path}/{shown['id']}")).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"registry": "no host"},
        {"registry": "registry"},
        {"registry": ""},
        {"registry": "a" * 300},
        {"username": "a:b"},
        {"username": ""},
        {"password": ""},
        {"password": "two\nlines"},
        {"password": "x" * 9000},
    ],
)
async def test_what_is_no_login_is_refused(
    client: httpx2.AsyncClient, path: str, wrong: dict[str, str]
) -> None:
    answer = await client.post(path, json=BODY | wrong)

    assert answer.status_code == 422
    assert (await client.get(path)).json()["data"] == []


async def test_a_project_has_so_many_and_no_more(
    client: httpx2.AsyncClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "MOST", 1)
    await client.post(path, json=BODY)

    more = await client.post(path, json=BODY | {"registry": "quay.io"})
    same = await client.post(path, json=BODY)

    assert more.status_code == 409
    assert "at most 1 logins" in more.json()["error"]["message"]
    assert same.status_code == 201


async def test_strangers_see_no_rows_even_by_sql(
    client: httpx2.AsyncClient, stranger: httpx2.AsyncClient, database: RolledBack, path: str
) -> None:
    await client.post(path, json=BODY)

    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.post(path, json=BODY)).status_code == 404
    assert await database.tenants.fetch("select id from registry_logins") == []


async def test_whoever_gives_the_project_away_takes_them_back(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor, project: Project, path: str
) -> None:
    await client.post(path, json=BODY)

    async with database.transaction() as db:
        await logins.take_back(db, project, owner)

    assert (await client.get(path)).json()["data"] == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("docker.io", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("Registry.Example.com:5000", "registry.example.com:5000"),
        ("http://localhost:5000/v2/", "localhost:5000"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
    ],
)
async def test_a_registry_is_known_however_it_is_written(text: str, name: str) -> None:
    assert references.registry(text) == name


@pytest.mark.parametrize("text", ["", "https://", "a b", "nginx", "-x.io", "x.io:port", "é.io"])
async def test_what_names_no_registry_is_said(text: str) -> None:
    with pytest.raises(ReferenceWrong, match="no host name of a registry"):
        references.registry(text)
