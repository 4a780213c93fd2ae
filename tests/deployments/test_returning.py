"""Going back: with which variables, why not, and which releases are kept for it."""

import datetime as dt
from pathlib import Path

import httpx2
import msgspec
import pytest
from sqlalchemy import select, update
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.builds.models import Source
from windlass.builds.plan import Plan
from windlass.core import ids, site
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.deployments import events, jobs
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects import fingerprints
from windlass.projects import service as projects
from windlass.projects.models import Project, Site
from windlass.projects.schemas import EnvSet

pytestmark = pytest.mark.anyio
_NOW = dt.datetime.now(dt.UTC)
_SERVER = msgspec.to_builtins(Plan(framework="x", label="X", kind="server"))
_STATIC = msgspec.to_builtins(Plan(framework="x", label="X", kind="static"))


@pytest.fixture
async def earlier(
    database: RolledBack, owner: Actor, project: Project, source: Source, key_ring: KeyRing
) -> Deployment:
    """A server that was live once, when KEY had another value and GONE was there."""
    marks = fingerprints.of({"KEY": "old", "GONE": "x", "SAME": "1"}, project.id, key_ring)
    async with database.transaction() as db:
        for key, value in (("KEY", "new-s3cret"), ("SAME", "1")):
            await projects.set_variable(
                db, project, EnvSet(key=key, value=value), key_ring, by=owner
            )
    return await make.deployment(
        database,
        project,
        source,
        owner,
        status=Status.ready,
        plan=_SERVER,
        variables=marks,
        promoted_at=_NOW,
    )


def path_of(deployment: Deployment, verb: str) -> str:
    return f"/api/deployments/{ids.public('depl', deployment.id)}/{verb}"


async def site_of(database: RolledBack, project: Project) -> Site:
    async with database.transaction() as db:
        query = select(Site).where(Site.project_id == project.id, Site.is_preview.is_(False))
        return (await db.scalars(query)).one()


async def test_it_says_which_variables_are_different_today(
    client: httpx2.AsyncClient, earlier: Deployment
) -> None:
    """C-162."""
    answer = await client.get(path_of(earlier, "can-rollback"))

    found = answer.json()["data"]
    assert (found["canRollback"], found["reason"]) == (True, None)
    assert [(v["name"], v["kind"]) for v in found["variables"]] == [
        ("GONE", "removed"),
        ("KEY", "changed"),
    ]
    assert "s3cret" not in answer.text
    page = await client.get(f"/deployments/{ids.public('depl', earlier.id)}")
    assert "Different today: GONE, KEY" in page.text
    assert "s3cret" not in page.text


@pytest.mark.parametrize("with_today", [False, True])
async def test_a_rollback_asks_for_its_own_variables_unless_told_otherwise(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    earlier: Deployment,
    with_today: bool,
) -> None:
    body = {"todaysVariables": True} if with_today else None

    answer = await client.post(path_of(earlier, "rollback"), json=body)

    assert answer.status_code == 202, answer.text
    place = await site_of(database, project)
    assert (place.wanted_id, place.wanted_today) == (earlier.id, with_today)


async def test_a_static_site_has_no_variables_to_choose(
    client: httpx2.AsyncClient,
    database: RolledBack,
    owner: Actor,
    project: Project,
    source: Source,
) -> None:
    found = await make.deployment(
        database, project, source, owner, status=Status.ready, plan=_STATIC
    )

    refused = await client.post(path_of(found, "rollback"), json={"todaysVariables": True})

    assert refused.status_code == 409
    assert "inside the files" in refused.json()["error"]["message"]
    can = (await client.get(path_of(found, "can-rollback"))).json()["data"]
    assert (can["canRollback"], can["variables"]) == (True, None)


async def test_a_release_whose_files_are_gone_says_so_everywhere(
    client: httpx2.AsyncClient,
    database: RolledBack,
    settings: Settings,
    earlier: Deployment,
    source: Source,
) -> None:
    """C-161, C-162."""
    async with database.transaction() as db:
        query = update(Deployment).where(Deployment.id == earlier.id)
        await db.execute(query.values(manifest_sha256=source.manifest_sha256))

    can = (await client.get(path_of(earlier, "can-rollback"))).json()["data"]
    refused = await client.post(path_of(earlier, "rollback"))
    page = await client.get(f"/deployments/{ids.public('depl', earlier.id)}")

    assert (can["canRollback"], can["reason"]) == (False, "Its files are not on the disk any more")
    assert refused.status_code == 409
    assert "Its files are not on the disk any more" in page.text
    write_release(settings.folder, earlier)
    assert (await client.get(path_of(earlier, "can-rollback"))).json()["data"]["canRollback"]


def write_release(home: Path, deployment: Deployment) -> None:
    name = ids.public("depl", deployment.id)
    folder = site.folder(home, name)
    folder.mkdir(parents=True)
    site.write(folder, site.Site(deployment=name, kind="server"))


@pytest.mark.parametrize("wrong", [0, 101, "ten", 2.5])
async def test_how_many_are_kept_is_a_number_from_1_to_100(
    client: httpx2.AsyncClient, project: Project, wrong: object
) -> None:
    path = f"/api/projects/{ids.public('proj', project.id)}"

    refused = await client.patch(path, json={"keepReleases": wrong})
    good = await client.patch(path, json={"keepReleases": 3})

    assert refused.status_code == 422, refused.text
    assert good.json()["data"]["keepReleases"] == 3
    assert (await client.patch(path, json={"keepReleases": None})).json()["data"][
        "keepReleases"
    ] is None


async def test_the_last_ones_are_kept_and_whatever_somebody_needs(
    database: RolledBack,
    settings: Settings,
    owner: Actor,
    project: Project,
    source: Source,
    key_ring: KeyRing,
) -> None:
    """C-155, E-09: the live one and one that another address shows are spared."""
    made = [
        await make.deployment(
            database, project, source, owner, status=Status.ready, is_active=number == 0
        )
        for number in range(5)
    ]
    for deployment in made:
        write_release(settings.folder, deployment)
    async with database.transaction() as db:
        alias = await projects.claim_host(db, project, "shop-main.localhost", is_preview=True)
        alias.wanted_id = alias.active_id = made[1].id
        await db.execute(update(Project).values(keep_releases=2))
    ctx = Ctx(settings, database, Live(database), key_ring, None)

    for _ in range(2):
        await jobs.prune(
            ctx, events.Ready(deployment_id=made[4].id, project_id=project.id, seconds=1)
        )

    kept = [
        site.folder(settings.folder, ids.public("depl", deployment.id)).exists()
        for deployment in made
    ]
    assert kept == [True, True, False, False, True]
    rows = await database.fetch("select id from deployments where pruned_at is not null")
    assert {row["id"] for row in rows} == {made[2].id, made[3].id}
