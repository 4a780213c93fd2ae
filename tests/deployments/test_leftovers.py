"""What whoever was killed did not come to remove."""

from collections.abc import Awaitable, Callable

import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.adapters import sandbox, world
from windlass.auth.models import Actor
from windlass.builds.models import Source
from windlass.core import ids, links
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.deployments import jobs
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("look", [jobs.sweep, jobs.collect], ids=["start", "every hour"])
async def test_files_of_a_release_that_is_not_kept_go_the_next_time(
    look: Callable[[Ctx], Awaitable[None]],
    settings: Settings,
    database: RolledBack,
    key_ring: KeyRing,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    """It was marked, then the process died; nothing would look at it again. What a host serves
    stays, whatever the row says."""
    adapters = world.make(settings, mirrors=sandbox.registries().hosts)
    ctx = Ctx(settings, database, Live(database), key_ring, adapters)

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
