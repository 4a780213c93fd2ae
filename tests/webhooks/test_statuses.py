"""A Git host is told what becomes of commits; a real server plays each of them (C-247)."""

from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, update

from tests.conftest import RolledBack
from tests.webhooks.conftest import TOKEN, Connected, Sender, reporting
from tests.webhooks.host_server import HostServer
from tests.webhooks.hosts import SHA, push
from windlass.core import ids
from windlass.core.context import Ctx
from windlass.core.settings import Settings
from windlass.deployments import events
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.webhooks import jobs

pytestmark = pytest.mark.anyio


async def pushed(git: Sender, shop: Connected, host: HostServer) -> UUID:
    delivery = push("gitea")
    delivery.payload["repository"]["clone_url"] = f"http://{host.place}/acme/shop.git"
    answer = await git.send(delivery, shop.secret)
    return ids.private("depl", answer.json()["data"][0]["deploymentId"])


async def become(database: RolledBack, id: UUID, status: Status, **values: Any) -> None:
    async with database.transaction() as db:
        change = update(Deployment).where(Deployment.id == id)
        await db.execute(change.values(status=status, **values))


@pytest.mark.parametrize(
    ("kind", "path", "header", "states"),
    [
        (
            "github",
            f"/api/v3/repos/Acme/Shop/statuses/{SHA}",
            ("authorization", f"Bearer {TOKEN}"),
            ("pending", "success"),
        ),
        (
            "gitlab",
            f"/api/v4/projects/Acme%2FShop/statuses/{SHA}",
            ("private-token", TOKEN),
            ("pending", "success"),
        ),
        (
            "gitea",
            f"/api/v1/repos/Acme/Shop/statuses/{SHA}",
            ("authorization", f"token {TOKEN}"),
            ("pending", "success"),
        ),
        (
            "bitbucket",
            f"/2.0/repositories/Acme/Shop/commit/{SHA}/statuses/build",
            ("authorization", f"Bearer {TOKEN}"),
            ("INPROGRESS", "SUCCESSFUL"),
        ),
    ],
)
async def test_each_host_is_told_in_its_own_form(
    git: Sender,
    client: httpx2.AsyncClient,
    database: RolledBack,
    host: HostServer,
    ctx: Ctx,
    kind: str,
    path: str,
    header: tuple[str, str],
    states: tuple[str, str],
) -> None:
    shop = await reporting(git, client, host, kind)
    id = await pushed(git, shop, host)

    await jobs.tell_host(ctx, events.Queued(deployment_id=id, project_id=shop.project.id))
    await become(database, id, Status.ready, build_time_seconds=12.4)
    await jobs.tell_host(
        ctx, events.Ready(deployment_id=id, project_id=shop.project.id, seconds=12.4)
    )

    assert [asked.path for asked in host.asked] == [path, path]
    assert tuple(asked.body["state"] for asked in host.asked) == states
    last = host.asked[-1]
    assert last.headers[header[0]] == header[1]
    url = last.body.get("target_url") or last.body["url"]
    assert url.endswith(f"/deployments/{ids.public('depl', id)}")
    assert last.body["description"] == "Ready, built in 12 s"
    assert "windlass/shop" in {last.body.get(n) for n in ("context", "name", "key")}


async def test_while_the_host_is_away_the_job_is_tried_again(
    git: Sender, client: httpx2.AsyncClient, host: HostServer, ctx: Ctx, database: RolledBack
) -> None:
    shop = await reporting(git, client, host, "gitea")
    id = await pushed(git, shop, host)
    event = events.Queued(deployment_id=id, project_id=shop.project.id)
    host.answers = [503, 429]

    for _ in range(2):
        with pytest.raises(jobs.HostAway):
            await jobs.tell_host(ctx, event)
    away = (await client.get(shop.path)).json()["data"]["reportError"]
    await become(database, id, Status.error, error_message="npm run build failed")
    await jobs.tell_host(ctx, event)

    assert away == "it answered 429"
    assert host.asked[-1].body["state"] == "failure"
    assert host.asked[-1].body["description"] == "npm run build failed"
    assert (await client.get(shop.path)).json()["data"]["reportError"] is None


async def test_after_a_day_nobody_is_told_any_more(
    git: Sender, client: httpx2.AsyncClient, host: HostServer, ctx: Ctx, database: RolledBack
) -> None:
    shop = await reporting(git, client, host, "gitea")
    id = await pushed(git, shop, host)
    old = func.now() - func.make_interval(0, 0, 0, 2)
    await become(database, id, Status.queued, created_at=old)
    host.answers = [503]

    await jobs.tell_host(ctx, events.Queued(deployment_id=id, project_id=shop.project.id))

    assert len(host.asked) == 1


async def test_a_refused_token_is_said_and_not_tried_again(
    git: Sender, client: httpx2.AsyncClient, host: HostServer, ctx: Ctx
) -> None:
    shop = await reporting(git, client, host, "gitea")
    id = await pushed(git, shop, host)
    host.answers = [401]

    await jobs.tell_host(ctx, events.Queued(deployment_id=id, project_id=shop.project.id))

    assert (await client.get(shop.path)).json()["data"]["reportError"].startswith("401")


async def test_the_token_goes_to_the_host_that_it_was_given_for(
    git: Sender, client: httpx2.AsyncClient, host: HostServer, ctx: Ctx
) -> None:
    """Whoever may change the repository does not get the token by it."""
    shop = await reporting(git, client, host, "gitea")
    id = await pushed(git, shop, host)
    moved = {"repositoryUrl": "https://evil.example.com/acme/shop.git"}
    await client.patch(f"/api/projects/{shop.id}", json=moved)

    await jobs.tell_host(ctx, events.Queued(deployment_id=id, project_id=shop.project.id))

    assert host.asked == []
    said = (await client.get(shop.path)).json()["data"]["reportError"]
    assert said == "The repository moved to another host; give the token anew"


async def test_a_private_address_is_not_asked(
    git: Sender, client: httpx2.AsyncClient, host: HostServer, ctx: Ctx, settings: Settings
) -> None:
    shop = await reporting(git, client, host, "gitea")
    id = await pushed(git, shop, host)
    strict = Ctx(settings=settings, database=ctx.database, live=ctx.live, keys=ctx.keys, world=None)

    with pytest.raises(jobs.HostAway):
        await jobs.tell_host(strict, events.Queued(deployment_id=id, project_id=shop.project.id))

    assert host.asked == []


async def test_the_token_is_never_shown_and_can_be_forgotten(
    git: Sender, client: httpx2.AsyncClient, host: HostServer, ctx: Ctx
) -> None:
    shop = await reporting(git, client, host, "gitea")
    id = await pushed(git, shop, host)
    shown = (await client.get(shop.path)).text

    forgotten = await client.delete(f"{shop.path}/token")
    await jobs.tell_host(ctx, events.Queued(deployment_id=id, project_id=shop.project.id))

    assert TOKEN not in shown
    assert forgotten.json()["data"]["reportsTo"] is None
    assert host.asked == []


async def test_a_host_of_one_s_own_must_be_named(git: Sender, client: httpx2.AsyncClient) -> None:
    known = await git.connect("github")
    own = await git.connect("gitea", "Own")

    assert (await client.put(f"{own.path}/token", json={"token": TOKEN})).status_code == 400
    answer = await client.put(f"{known.path}/token", json={"token": TOKEN, "host": "gitea"})
    assert answer.json()["data"]["reportsTo"] == "github"
