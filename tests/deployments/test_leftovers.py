"""What whoever was killed did not come to remove."""

from collections.abc import Awaitable, Callable

import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.adapters import sandbox, world
from windlass.adapters.edge import EdgeAway
from windlass.auth.models import Actor
from windlass.builds.models import Source
from windlass.core import ids, links, runtime_log
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.deployments import events, jobs
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio


@pytest.fixture
def ctx(settings: Settings, database: RolledBack, key_ring: KeyRing) -> Ctx:
    adapters = world.make(settings, mirrors=sandbox.registries().hosts)
    return Ctx(settings, database, Live(database), key_ring, adapters)


@pytest.mark.parametrize("look", [jobs.sweep, jobs.collect], ids=["start", "every hour"])
async def test_files_of_a_release_that_is_not_kept_go_the_next_time(
    look: Callable[[Ctx], Awaitable[None]],
    ctx: Ctx,
    settings: Settings,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    """It was marked, then the process died; nothing would look at it again. What a host serves
    stays, whatever the row says."""

    async def release() -> Deployment:
        found = await make.deployment(database, project, source, owner, status=Status.ready)
        folder = settings.folder / "releases" / ids.public("depl", found.id)
        folder.mkdir(parents=True)
        (folder / "site.json").write_text("{}")
        return found

    marked, served, kept = [await release() for _ in range(3)]
    for each in (marked, served):
        await database.fetch("update deployments set pruned_at = now() where id = $1", each.id)
    (settings.folder / "sites").mkdir(exist_ok=True)
    links.switch(settings.folder, "a.localhost", ids.public("depl", served.id), 1)

    await look(ctx)

    left = {folder.name for folder in (settings.folder / "releases").iterdir()}
    assert left == {ids.public("depl", each.id) for each in (served, kept)}


async def test_a_release_whose_app_could_not_be_stopped_goes_when_the_edge_is_back(
    ctx: Ctx,
    settings: Settings,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    """It is marked by then: the job that is tried again must find it all the same."""
    old, newer = [
        await make.deployment(database, project, source, owner, status=Status.ready)
        for _ in range(2)
    ]
    await database.fetch("update projects set keep_releases = 1")
    folder = settings.folder / "releases" / ids.public("depl", old.id)
    folder.mkdir(parents=True)
    # It has a process; no edge runs that could stop it.
    (folder / "process.sealed").touch()
    event = events.Ready(deployment_id=newer.id, project_id=project.id, seconds=1)

    for _ in range(2):
        with pytest.raises(EdgeAway):
            await jobs.prune(ctx, event)
    (folder / "process.sealed").unlink()
    await jobs.prune(ctx, event)

    assert not folder.exists()


async def test_the_line_of_the_queue_is_looked_at_again_at_the_start(
    ctx: Ctx, database: RolledBack, project: Project, source: Source, owner: Actor
) -> None:
    await make.deployment(database, project, source, owner)
    await database.fetch("delete from queue_changes")

    await jobs.sweep(ctx)

    rows = await database.fetch("select owner_id from queue_changes")
    assert [row["owner_id"] for row in rows] == [owner.id]


@pytest.mark.parametrize("status", [Status.error, Status.cancelled])
async def test_a_release_that_never_became_ready_goes_when_nobody_works_on_it(
    ctx: Ctx,
    settings: Settings,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
    status: Status,
) -> None:
    """Its output stays: it says why."""
    row = await make.deployment(database, project, source, owner, status=status)
    name = ids.public("depl", row.id)
    release = settings.folder / "releases" / name
    work = settings.folder / "work" / name
    output = runtime_log.folder(settings.folder, name)
    for folder in (release, work, output, settings.folder / "sites"):
        folder.mkdir(parents=True, exist_ok=True)
    event = events.Cancelled(deployment_id=row.id, project_id=project.id)

    with pytest.raises(jobs.NotYet, match="build"):
        await jobs.remove_given_up(ctx, event)
    work.rmdir()
    links.switch(settings.folder, "a.localhost", name, 1)
    with pytest.raises(jobs.NotYet, match="host"):
        await jobs.remove_given_up(ctx, event)
    links.unlink(settings.folder, "a.localhost", 2)
    await jobs.remove_given_up(ctx, event)

    assert not release.exists()
    assert output.exists()
