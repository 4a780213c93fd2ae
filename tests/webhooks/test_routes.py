"""How a project is connected to its Git host, through the API."""

import httpx2
import pytest
from litestar import Litestar
from sqlalchemy import update

from tests import make
from tests.conftest import RolledBack
from tests.webhooks.conftest import Sender
from tests.webhooks.hosts import push
from windlass.auth.models import Actor
from windlass.auth.permissions import Role
from windlass.core import ids
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.teams.models import TeamMember
from windlass.webhooks import jobs
from windlass.webhooks.models import Host, Webhook

pytestmark = pytest.mark.anyio


async def test_the_secret_is_shown_once(git: Sender, client: httpx2.AsyncClient) -> None:
    shop = await git.connect("github")

    shown = (await client.get(shop.path)).json()["data"]

    assert shop.secret.startswith("whsec_")
    assert shown["secret"] is None
    assert shown["previewBranches"] == ["**"]
    assert shown["productionBranch"] == "main"
    assert shown["addresses"]["gitea"].endswith(f"/api/webhooks/gitea?projectId={shop.id}")


async def test_a_new_secret_ends_the_old_one(git: Sender, client: httpx2.AsyncClient) -> None:
    shop = await git.connect("github")
    again = await client.post(shop.path, json={})

    answer = await client.post(f"{shop.path}/secret")
    newer = answer.json()["data"]["secret"]

    assert again.status_code == 409
    assert newer != shop.secret
    assert (await git.send(push("github"), shop.secret)).status_code == 401
    assert (await git.send(push("github"), newer)).status_code == 202


async def test_who_gave_the_project_away_can_start_nothing_any_more(
    git: Sender,
    app: Litestar,
    client: httpx2.AsyncClient,
    other: httpx2.AsyncClient,
    database: RolledBack,
    owner: Actor,
) -> None:
    """The secret is known to them, and the token is theirs: both end with the transfer."""
    shop = await git.connect("github")
    heir = await make.user(database, email="heir@example.com", is_admin=False)
    other.headers["authorization"] = f"Bearer {await make.token(database, heir)}"
    team = (await client.post("/api/teams", json={"name": "Crew"})).json()["data"]["id"]
    async with database.transaction() as db:
        member = TeamMember(team_id=ids.private("team", team), user_id=heir.id, role=Role.admin)
        db.add(member)
        token = {"token_sealed": b"x", "token_host": Host.github, "api_url": "https://x.example"}
        await db.execute(update(Webhook).values(**token))
    await client.post(f"/api/projects/{shop.id}/teams", json={"teamId": team})
    assert (await client.get(shop.path)).json()["data"]["needsSecret"] is False

    body = {"userId": ids.public("user", heir.id)}
    given = await client.post(f"/api/projects/{shop.id}/transfer", json=body)

    assert given.status_code == 200, given.text
    assert (await git.send(push("github"), shop.secret)).status_code == 401
    shown = (await other.get(shop.path)).json()["data"]
    assert (shown["needsSecret"], shown["reportsTo"]) == (True, None)
    page = await other.get(f"/projects/{given.json()['data']['slug']}/git")
    assert "This project got another owner" in page.text
    names = {row["name"] for row in await database.fetch("select name from events")}
    assert {"webhooks.SecretWithdrawn", "webhooks.ReportingEnded"} <= names

    newer = (await other.post(f"{shop.path}/secret")).json()["data"]
    assert newer["needsSecret"] is False
    assert (await git.send(push("github"), newer["secret"])).status_code == 202


async def test_a_project_without_a_repository_cannot_be_connected(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    project = await make.project(database, owner)

    path = f"/api/projects/{ids.public('proj', project.id)}/webhook"

    assert (await client.get(path)).status_code == 404
    assert (await client.post(path)).status_code == 409


@pytest.mark.parametrize(
    "wanted",
    [
        {"previewBranches": [""]},
        {"tags": ["!"]},
        {"paths": ["a\nb"]},
        {"paths": ["x" * 201]},
        {"paths": ["x"] * 51},
        {"branches": ["x"]},
    ],
)
async def test_bad_rules_are_refused(
    git: Sender, client: httpx2.AsyncClient, wanted: dict[str, list[str]]
) -> None:
    shop = await git.connect("github")

    assert (await client.patch(shop.path, json=wanted)).status_code == 422


async def test_what_became_of_deliveries_is_listed_newest_first(
    git: Sender, client: httpx2.AsyncClient
) -> None:
    shop = await git.connect("github")
    for ref in ("refs/heads/main", "refs/heads/next", "refs/tags/v1"):
        await git.send(push("github", ref), shop.secret)

    path = f"{shop.path}/deliveries"
    first = (await client.get(path, params={"limit": 2})).json()
    cursor = first["meta"]["pagination"]["cursor"]
    rest = (await client.get(path, params={"limit": 2, "cursor": cursor})).json()

    assert [row["ref"] for row in first["data"]] == ["refs/tags/v1", "refs/heads/next"]
    assert [row["outcome"] for row in first["data"]] == ["ignored", "deployed"]
    assert [row["ref"] for row in rest["data"]] == ["refs/heads/main"]
    assert rest["meta"]["pagination"]["hasMore"] is False


async def test_after_the_end_pushes_are_nobody_s(git: Sender, client: httpx2.AsyncClient) -> None:
    shop = await git.connect("github")
    other = await git.connect("github", "Other")
    await git.send(push("github"), shop.secret)

    assert (await client.delete(shop.path)).status_code == 204

    assert (await git.send(push("github", message="Next"), shop.secret)).status_code == 401
    assert (await git.send(push("github", message="Next"), other.secret)).status_code == 202


async def test_old_deliveries_are_forgotten(
    git: Sender,
    client: httpx2.AsyncClient,
    database: RolledBack,
    settings: Settings,
    key_ring: KeyRing,
) -> None:
    shop = await git.connect("github")
    for message in ("Old", "New"):
        await git.send(push("github", message=message), shop.secret)
    await database.fetch(
        "update webhook_deliveries set created_at = now() - interval '31 days'"
        " where id = (select min(id::text)::uuid from webhook_deliveries)"
    )

    await jobs.forget_deliveries(
        Ctx(settings=settings, database=database, live=Live(database), keys=key_ring, world=None)
    )

    assert len((await client.get(f"{shop.path}/deliveries")).json()["data"]) == 1
