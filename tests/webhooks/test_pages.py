"""The page of a project's Git host."""

import html

import httpx2
import pytest

from tests import make
from tests.conftest import RolledBack
from tests.webhooks.conftest import Sender
from tests.webhooks.hosts import push, url_of
from windlass.auth.models import Actor
from windlass.core.crypto import KeyRing
from windlass.projects import deploy_keys
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
GIT = "/projects/shop/git"


async def test_without_a_repository_there_is_nothing_to_connect(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    await make.project(database, owner)

    assert "No repository yet" in (await client.get(GIT)).text
    assert (await client.post(f"{GIT}/secret")).status_code == 409


async def test_a_project_is_connected_and_says_what_came(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor, git: Sender
) -> None:
    await make.project(database, owner, repository_url=url_of("github"))
    before = (await client.get(GIT)).text

    made = (await client.post(f"{GIT}/secret")).text
    secret = "whsec_" + made.partition("whsec_")[2].partition("<")[0]
    await git.send(push("github", "refs/tags/v1"), secret)
    await git.send(push("github"), secret)
    after = (await client.get(GIT)).text

    assert "A push can deploy this project" in before
    assert "/api/webhooks/github?projectId=proj_" in made
    assert "/api/webhooks/gitlab" not in made
    assert secret not in after
    assert "No rule deploys this tag" in after
    assert "/deployments/depl_" in after


async def test_rules_are_typed_in_one_line_each(client: httpx2.AsyncClient, git: Sender) -> None:
    shop = await git.connect("github")
    form = {"preview_branches": "release/*,  feature/**", "tags": "", "paths": "web/"}

    assert (await client.post(GIT, data=form)).status_code == 303

    rules = (await client.get(shop.path)).json()["data"]
    assert rules["previewBranches"] == ["release/*", "feature/**"]
    assert (rules["tags"], rules["paths"]) == ([], ["web/"])
    assert rules["pullRequests"] is False
    assert (await client.post(GIT, data=form | {"pull_requests": "true"})).status_code == 303
    assert (await client.get(shop.path)).json()["data"]["pullRequests"] is True
    wrong = await client.post(GIT, data=form | {"tags": "v1 !"})
    assert wrong.status_code == 422
    assert 'id="e-tags"' in wrong.text
    assert 'value="v1 !"' in wrong.text


async def test_a_token_is_given_and_forgotten(client: httpx2.AsyncClient, git: Sender) -> None:
    await git.connect("gitea")

    wrong = await client.post(f"{GIT}/token", data={"token": "x y", "host": "gitea"})
    given = await client.post(f"{GIT}/token", data={"token": "a-long-token", "host": "gitea"})
    after = (await client.get(GIT)).text
    await client.post(f"{GIT}/token/end")

    assert wrong.status_code == 422
    assert 'id="e-token"' in wrong.text
    assert given.status_code == 303
    assert "Gitea, Forgejo is told what becomes of each commit." in after
    assert "a-long-token" not in after
    assert "is told what" not in (await client.get(GIT)).text


async def test_a_deploy_key_shows_its_public_half_only(
    client: httpx2.AsyncClient, git: Sender, database: RolledBack, key_ring: KeyRing
) -> None:
    shop = await git.connect("gitea")
    path = f"/api/projects/{shop.id}/deploy-key"

    assert (await client.get(path)).json()["data"]["publicKey"] is None
    assert (await client.post(f"{GIT}/key")).status_code == 303
    public = (await client.get(path)).json()["data"]["publicKey"]
    page = (await client.get(GIT)).text
    async with database.transaction() as db:
        private = deploy_keys.private_half(await db.get_one(Project, shop.project.id), key_ring)
    newer = (await client.post(path)).json()["data"]["publicKey"]

    assert public.startswith("ssh-ed25519 ")
    assert public.endswith(" windlass-shop")
    assert public in html.unescape(page)
    assert "PRIVATE KEY" not in page
    assert private is not None
    assert private.startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    assert newer != public
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).json()["data"]["publicKey"] is None


async def test_it_is_ended_from_the_page(client: httpx2.AsyncClient, git: Sender) -> None:
    shop = await git.connect("github")

    answer = await client.post(f"{GIT}/end")

    assert answer.headers["location"] == f"{GIT}?notice=git-ended"
    assert (await client.get(shop.path)).status_code == 404
