"""One comment below each pull request, changed in its place (C-167)."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select, update

from tests.conftest import RolledBack
from tests.webhooks.conftest import TOKEN, Connected, Sender, reporting
from tests.webhooks.host_server import HostServer
from tests.webhooks.hosts import HOSTS, OLD, SHA
from tests.webhooks.pull_hosts import pull
from windlass.core import ids, loop
from windlass.core.context import Ctx
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.previews.models import Preview
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
LOOP = next(found for found in loop.LOOPS if found.model is Preview)


async def opened(git: Sender, shop: Connected, host: HostServer, **given: Any) -> dict[str, Any]:
    """A delivery about the repository at our host."""
    delivery = pull("gitea", url=f"http://{host.place}/acme/shop.git", **given)
    answer = await git.send(delivery, shop.secret)
    assert answer.status_code == 202, answer.text
    return answer.json()["data"][0]


async def turn(ctx: Ctx, database: RolledBack) -> int:
    """One look of the loop, as if the time to wait had passed."""
    async with database.transaction() as db:
        await db.execute(update(Preview).values(check_at=func.now()))
    return await loop.tick(ctx, LOOP)


async def become(database: RolledBack, status: Status, **values: Any) -> None:
    async with database.transaction() as db:
        await db.execute(update(Deployment).values(status=status, **values))
        await db.execute(update(Preview).values(news=Preview.news + 1))


@pytest.mark.parametrize("kind", HOSTS)
async def test_each_host_has_one_comment_that_follows_the_preview(
    git: Sender,
    client: httpx2.AsyncClient,
    database: RolledBack,
    host: HostServer,
    ctx: Ctx,
    kind: str,
) -> None:
    shop = await reporting(git, client, host, kind)
    made = await opened(git, shop, host)

    await turn(ctx, database)
    [(id, first)] = host.comments.items()
    await become(database, Status.ready, build_time_seconds=12.4)
    await turn(ctx, database)
    again = await turn(ctx, database)

    assert list(host.comments) == [id]
    assert "| Status | Waiting for its turn |" in first
    last = host.comments[id]
    assert "| Status | Ready, built in 12 s |" in last
    assert f"`{SHA[:12]}`" in last
    assert f"/deployments/{made['deploymentId']})" in last
    assert "http://shop-" in last
    assert again == 0
    changed = host.asked[-1]
    assert changed.method == ("PATCH" if kind in ("github", "gitea") else "PUT")
    start = {
        "github": "/api/v3/repos/Acme/Shop/issues/comments/",
        "gitea": "/api/v1/repos/Acme/Shop/issues/comments/",
        "gitlab": "/api/v4/projects/Acme%2FShop/merge_requests/7/notes/",
        "bitbucket": "/2.0/repositories/Acme/Shop/pullrequests/7/comments/",
    }[kind]
    assert changed.path == f"{start}{id}"


async def test_one_that_was_deleted_is_made_anew(
    git: Sender, client: httpx2.AsyncClient, database: RolledBack, host: HostServer, ctx: Ctx
) -> None:
    shop = await reporting(git, client, host, "gitea")
    await opened(git, shop, host)
    await turn(ctx, database)
    host.comments.clear()

    await become(database, Status.ready)
    await turn(ctx, database)
    await become(database, Status.error)
    await turn(ctx, database)

    [text] = host.comments.values()
    assert "Failed" in text


async def test_after_a_crash_ours_is_known_again(
    git: Sender, client: httpx2.AsyncClient, database: RolledBack, host: HostServer, ctx: Ctx
) -> None:
    """Made, and the process ended before it noted which one."""
    shop = await reporting(git, client, host, "github")
    await opened(git, shop, host)
    host.comments[1] = "Somebody else says something"
    await turn(ctx, database)
    async with database.transaction() as db:
        await db.execute(update(Preview).values(comment_id=None, told=0))

    await turn(ctx, database)

    assert len(host.comments) == 2
    assert host.comments[1] == "Somebody else says something"


async def test_while_the_host_is_away_it_waits_and_then_says_the_last_state(
    git: Sender, client: httpx2.AsyncClient, database: RolledBack, host: HostServer, ctx: Ctx
) -> None:
    shop = await reporting(git, client, host, "gitea")
    await opened(git, shop, host)
    host.answers = [503, 429]

    await turn(ctx, database)
    await turn(ctx, database)
    async with database.transaction() as db:
        row = (await db.scalars(select(Preview))).one()
        assert (row.comment_error, row.loop_failures) == ("it answered 429", 2)
    await become(database, Status.ready)
    await turn(ctx, database)

    [text] = host.comments.values()
    assert "Ready" in text
    async with database.transaction() as db:
        row = (await db.scalars(select(Preview))).one()
        assert (row.comment_error, row.loop_failures, row.told) == (None, 0, row.news)


async def test_after_a_day_nobody_is_told_any_more(
    git: Sender, client: httpx2.AsyncClient, database: RolledBack, host: HostServer, ctx: Ctx
) -> None:
    shop = await reporting(git, client, host, "gitea")
    await opened(git, shop, host)
    async with database.transaction() as db:
        old = func.now() - func.make_interval(0, 0, 0, 2)
        await db.execute(update(Preview).values(news_at=old))
    host.answers = [503]

    assert await turn(ctx, database) == 1
    assert await turn(ctx, database) == 0


async def test_a_refusal_is_kept_and_not_tried_again(
    git: Sender, client: httpx2.AsyncClient, database: RolledBack, host: HostServer, ctx: Ctx
) -> None:
    shop = await reporting(git, client, host, "gitea")
    await opened(git, shop, host)
    host.answers = [403]

    await turn(ctx, database)

    async with database.transaction() as db:
        assert ((await db.scalars(select(Preview))).one().comment_error or "").startswith("403")
    assert await turn(ctx, database) == 0
    [shown] = (await client.get(f"/api/projects/{shop.id}/previews")).json()["data"]
    assert shown["commentError"].startswith("403")
    page = await client.get(f"/projects/{shop.id}/previews")
    assert "The comment below the pull request could not be written: 403" in page.text


async def test_a_fork_s_comment_leads_to_who_may_approve_it_and_a_closed_one_says_so(
    git: Sender, client: httpx2.AsyncClient, database: RolledBack, host: HostServer, ctx: Ctx
) -> None:
    shop = await reporting(git, client, host, "gitea")
    await opened(git, shop, host, is_fork=True, sha=OLD)
    await turn(ctx, database)
    [waiting] = host.comments.values()
    await opened(git, shop, host, what="closed", is_fork=True)
    await turn(ctx, database)

    assert f"`{OLD[:12]}` comes from a fork" in waiting
    assert f"/projects/{shop.id}/previews)" in waiting
    [closed] = host.comments.values()
    assert "The preview was removed." in closed


async def test_two_projects_of_a_repository_say_their_own(
    git: Sender, client: httpx2.AsyncClient, database: RolledBack, host: HostServer, ctx: Ctx
) -> None:
    first = await reporting(git, client, host, "gitea")
    url = f"http://{host.place}/Acme/Shop.git"
    second = await git.connect("gitea", "Manual", repository_url=url, secret=first.secret)
    token = {"token": TOKEN, "host": "gitea"}
    assert (await client.put(f"{second.path}/token", json=token)).status_code == 200
    await opened(git, first, host)

    await turn(ctx, database)
    await turn(ctx, database)

    assert len(host.comments) == 2
    assert {ids.public("proj", project.id) for project in (first.project, second.project)} == {
        text.partition("windlass:")[2].partition(")")[0] for text in host.comments.values()
    }


async def test_what_a_build_says_is_no_markdown(
    git: Sender, client: httpx2.AsyncClient, database: RolledBack, host: HostServer, ctx: Ctx
) -> None:
    shop = await reporting(git, client, host, "gitea")
    await opened(git, shop, host)
    bad = "x` @everyone | [here](https://evil.example)\n\n<img src=x>"
    await become(database, Status.error, error_message=bad)

    await turn(ctx, database)

    [text] = host.comments.values()
    said = "`x' @everyone / [here](https://evil.example) <img src=x>`"
    assert f"| Status | Failed: {said} |" in text


async def test_without_a_token_there_is_nobody_to_tell(
    git: Sender, client: httpx2.AsyncClient, database: RolledBack, host: HostServer, ctx: Ctx
) -> None:
    shop = await reporting(git, client, host, "gitea")
    await opened(git, shop, host)
    await client.delete(f"{shop.path}/token")
    moved = {"repositoryUrl": "https://evil.example.com/acme/shop.git"}

    assert (await turn(ctx, database), await turn(ctx, database)) == (1, 0)
    token = {"token": TOKEN, "host": "gitea"}
    assert (await client.put(f"{shop.path}/token", json=token)).status_code == 200
    assert (await client.patch(f"/api/projects/{shop.id}", json=moved)).status_code == 200
    await become(database, Status.ready)
    await turn(ctx, database)

    assert host.asked == []
    async with database.transaction() as db:
        assert (await db.scalars(select(Project.id))).all() != []
