"""The address of a branch, and which previews stay."""

import datetime as dt
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select, update

from tests import make
from tests.conftest import RolledBack
from windlass.auth.models import Actor
from windlass.builds.models import Source
from windlass.core import clock
from windlass.core.blobs import BlobStore
from windlass.core.settings import Settings
from windlass.deployments import aliases, retention, retiring
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects.models import Project, Site

pytestmark = pytest.mark.anyio


@pytest.fixture
async def project(database: RolledBack, owner: Actor) -> Project:
    return await make.project(database, owner)


@pytest.fixture
async def source(database: RolledBack, settings: Settings, owner: Actor) -> Source:
    return await make.source(database, BlobStore(settings.folder / "blobs"), owner)


class Previews:
    """Makes ready previews, and looks at the addresses."""

    def __init__(
        self, database: RolledBack, project: Project, source: Source, owner: Actor
    ) -> None:
        self.database, self.project, self.source, self.owner = database, project, source, owner

    async def ready(self, branch: str | None = "fix", *, follows: bool = True) -> Deployment:
        made = await make.deployment(
            self.database,
            self.project,
            self.source,
            self.owner,
            status=Status.ready,
            is_preview=True,
            branch=branch,
        )
        if follows:
            await self.follow(made)
        return made

    async def follow(self, made: Deployment) -> None:
        async with self.database.transaction() as db:
            await aliases.follow(db, made.id, base_domain="localhost")

    async def shown(self) -> dict[str, UUID | None]:
        async with self.database.transaction() as db:
            rows = await db.scalars(select(Site).where(Site.alias_of.is_not(None)))
            return {row.host: row.wanted_id for row in rows}

    async def pruned(self) -> set[UUID]:
        async with self.database.transaction() as db:
            query = select(Deployment.id).where(Deployment.pruned_at.is_not(None))
            return set(await db.scalars(query))


@pytest.fixture
def previews(database: RolledBack, project: Project, source: Source, owner: Actor) -> Previews:
    return Previews(database, project, source, owner)


async def test_the_address_of_a_branch_shows_its_newest_ready_preview(previews: Previews) -> None:
    first = await previews.ready()
    second = await previews.ready(follows=False)
    third = await previews.ready()

    # The second took longer than the third.
    await previews.follow(second)

    assert await previews.shown() == {"shop-git-fix.localhost": third.id}
    assert first.id < second.id < third.id


async def test_branches_that_would_share_a_name_do_not(previews: Previews) -> None:
    slashed, dashed = await previews.ready("a/b"), await previews.ready("a-b")
    await previews.ready(None)

    found = await previews.shown()

    assert found["shop-git-a-b.localhost"] == slashed.id
    [other] = [host for host in found if host != "shop-git-a-b.localhost"]
    assert other.startswith("shop-git-a-b-")
    assert found[other] == dashed.id


async def test_a_deleted_preview_gives_the_address_to_the_one_before(previews: Previews) -> None:
    first, second = await previews.ready(), await previews.ready()
    for gone, left in ((second, first.id), (first, None)):
        async with previews.database.transaction() as db:
            row = await db.get_one(Deployment, gone.id)
            await retiring.remove(db, row, by=previews.owner)

        assert await previews.shown() == {"shop-git-fix.localhost": left}


async def test_too_many_and_too_old_previews_go_but_not_what_an_address_shows(
    previews: Previews, settings: Settings
) -> None:
    old_alias = await previews.ready("old")
    many = [await previews.ready("many") for _ in range(4)]
    old = await previews.ready("other")
    await previews.ready("other")
    long_ago = clock.now() - dt.timedelta(days=40)
    async with previews.database.transaction() as db:
        aged = update(Deployment).where(Deployment.id.in_([old.id, old_alias.id]))
        await db.execute(aged.values(created_at=long_ago))
        builds = msgspec.structs.replace(settings.builds, keep_previews=4, preview_days=30)
        await retention.prune(db, builds, previews.project.id)

    # The newest four: two of `other`, two of `many`; the older of `other` is too old.
    assert await previews.pruned() == {many[0].id, many[1].id, old.id}


async def test_a_project_may_say_otherwise(previews: Previews, settings: Settings) -> None:
    made = [await previews.ready("many") for _ in range(3)]
    async with previews.database.transaction() as db:
        change = update(Project).where(Project.id == previews.project.id)
        await db.execute(change.values(preview_keep=1, preview_days=0))
        await retention.prune(db, settings.builds, previews.project.id)

    assert await previews.pruned() == {made[0].id, made[1].id}


async def test_what_was_promoted_keeps_its_files_when_its_branch_goes(
    previews: Previews,
) -> None:
    live, other = await previews.ready(), await previews.ready()
    async with previews.database.transaction() as db:
        change = update(Deployment).where(Deployment.id == live.id)
        await db.execute(change.values(is_active=True))
    async with previews.database.transaction() as db:
        count = await retiring.retire_branch(
            db, previews.project, "fix", why="closed", by=previews.owner
        )

    assert count == 2
    assert await previews.pruned() == {other.id}
    assert await previews.shown() == {"shop-git-fix.localhost": None}
