"""The page and the routes of a project's previews."""

import html

import httpx2
import pytest
from sqlalchemy import select

from tests import make
from tests.conftest import RolledBack
from windlass.auth.models import Actor
from windlass.core import guard, ids
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.deployments.models import Deployment
from windlass.previews import events, jobs
from windlass.previews.models import Preview
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
SHA, LATER = "5b1d9a3c7e2f4a6b8c0d1e2f3a4b5c6d7e8f9a0b", "0f9e8d7c6b5a4938271605f4e3d2c1b0a9f8e7d6"
PAGE = "/projects/shop/previews"


@pytest.fixture
async def project(database: RolledBack, owner: Actor) -> Project:
    return await make.project(database, owner, repository_url="https://github.com/acme/shop")


@pytest.fixture
async def waiting(database: RolledBack, project: Project) -> Preview:
    """A fork's pull request that nobody has looked at."""
    async with database.transaction() as db:
        row = Preview(
            project_id=project.id,
            branch="ada:fix",
            pull_number=7,
            title="Mend <the> shop",
            author="ada",
            is_fork=True,
            commit_sha=SHA,
            source_ref="refs/pull/7/head",
        )
        db.add(row)
        await db.flush()
        return row


async def test_a_fork_is_shown_and_approved_for_the_commit_that_was_shown(
    client: httpx2.AsyncClient, database: RolledBack, waiting: Preview
) -> None:
    shown = html.unescape((await client.get(PAGE)).text)
    path = f"{PAGE}/{ids.public('prev', waiting.id)}"
    late = await client.post(f"{path}/approve", data={"commit": LATER})
    done = await client.post(f"{path}/approve", data={"commit": SHA})
    again = await client.post(f"{path}/approve", data={"commit": SHA})

    assert "Needs approval" in shown
    assert "Mend <the> shop" in shown
    assert "Pull request 7" in shown
    assert f'value="{SHA}"' in shown
    assert (late.status_code, done.status_code, again.status_code) == (409, 303, 409)
    async with database.transaction() as db:
        [made] = await db.scalars(select(Deployment))
    assert (made.commit_sha, made.is_fork, made.is_preview) == (SHA, True, True)
    assert "Needs approval" not in (await client.get(PAGE)).text


async def test_a_fork_never_becomes_production(
    client: httpx2.AsyncClient, database: RolledBack, waiting: Preview
) -> None:
    await client.post(f"{PAGE}/{ids.public('prev', waiting.id)}/approve", data={"commit": SHA})
    async with database.transaction() as db:
        [made] = await db.scalars(select(Deployment))
        made.status = type(made.status).ready

    path = f"/api/deployments/{ids.public('depl', made.id)}"
    answers = [await client.post(f"{path}/{verb}") for verb in ("promote", "rollback")]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert "comes from a fork" in answers[0].json()["error"]["message"]


async def test_one_is_removed_and_stays_removed(
    client: httpx2.AsyncClient, database: RolledBack, waiting: Preview, project: Project
) -> None:
    path = f"{PAGE}/{ids.public('prev', waiting.id)}"
    removed = [await client.post(f"{path}/remove") for _ in range(2)]

    assert {answer.status_code for answer in removed} == {303}
    listed = f"/api/projects/{ids.public('proj', project.id)}/previews"
    assert (await client.get(listed)).json()["data"] == []
    assert "No previews" in (await client.get(PAGE)).text
    gone = await client.delete(f"{listed}/{ids.public('prev', waiting.id)}")
    assert gone.status_code == 204
    assert (await client.delete(f"{listed}/{ids.public('prev', project.id)}")).status_code == 404


async def test_another_project_s_preview_is_not_found(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor, waiting: Preview
) -> None:
    other = await make.project(database, owner, "Other")
    path = f"/api/projects/{ids.public('proj', other.id)}/previews"

    answer = await client.post(f"{path}/{ids.public('prev', waiting.id)}/approve")

    assert answer.status_code == 404


async def test_strangers_see_no_rows_even_by_sql(
    database: RolledBack, waiting: Preview, client: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    path = f"/api/projects/{ids.public('proj', waiting.project_id)}/previews"

    assert (await client.get(path)).json()["data"] != []
    assert (await stranger.get(path)).status_code == 404
    rows = await database.tenants.fetch("select id from previews")
    assert rows == []


async def test_how_they_are_kept_is_set_and_wrong_numbers_are_said(
    client: httpx2.AsyncClient, project: Project
) -> None:
    path = f"/api/projects/{ids.public('proj', project.id)}/preview-settings"
    before = (await client.get(path)).json()["data"]
    saved = await client.post(PAGE, data={"keep": "3", "days": "0"})
    after = (await client.get(path)).json()["data"]
    wrong = [
        await client.post(PAGE, data={"keep": keep, "days": days})
        for keep, days in (("0", ""), ("101", ""), ("x", ""), ("", "-1"), ("", "9" * 50))
    ]
    back = await client.patch(path, json={"keep": None, "days": None})

    assert before == {"keep": 10, "days": 30, "hasPassword": False}
    assert saved.status_code == 303
    assert after == {"keep": 3, "days": 0, "hasPassword": False}
    assert {answer.status_code for answer in wrong} == {422}
    assert back.json()["data"] == before


async def test_a_password_reaches_the_edge_and_is_never_shown(
    client: httpx2.AsyncClient,
    database: RolledBack,
    settings: Settings,
    key_ring: KeyRing,
    project: Project,
) -> None:
    ctx = Ctx(settings=settings, database=database, live=Live(database), keys=key_ring, world=None)
    name = ids.public("proj", project.id)
    event = events.SettingsChanged(project_id=project.id, fields=("password",))
    assert (await client.post(f"{PAGE}/password", data={"password": "short"})).status_code == 422

    saved = await client.post(f"{PAGE}/password", data={"password": "correct horse"})
    await jobs.apply_settings(ctx, event)

    assert saved.status_code == 303
    file = guard.place(settings.folder, name)
    assert guard.is_password(guard.read(file), "correct horse")
    assert not guard.is_password(guard.read(file), "wrong horse")
    shown = (await client.get(PAGE)).text
    assert "Previews ask for a password" in shown
    assert "argon2" not in shown
    answer = await client.get(f"/api/projects/{name}")
    assert "argon2" not in answer.text
    await client.post(f"{PAGE}/password/end")
    await jobs.apply_settings(ctx, event)
    assert not file.exists()
