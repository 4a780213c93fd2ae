"""What builds keep: cleaned when nobody uses it, and counted with the reason."""

import datetime as dt

import httpx2
import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.builds import caches
from windlass.builds.models import Source
from windlass.core import ids
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.deployments import events, jobs
from windlass.deployments.phases import Status
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio


async def test_cleaning_waits_for_a_build_and_then_removes_what_was_kept(
    client: httpx2.AsyncClient,
    database: RolledBack,
    settings: Settings,
    key_ring: KeyRing,
    project: Project,
) -> None:
    name = ids.public("proj", project.id)
    kept = settings.folder / "caches" / name / "dependencies" / "abc"
    kept.mkdir(parents=True)
    ctx = Ctx(settings, database, Live(database), key_ring, None)
    event = events.CachesCleaned(project_id=project.id)

    answer = await client.delete(f"/api/projects/{name}/caches")
    async with caches.held(settings.folder, name):
        with pytest.raises(jobs.NotYet):
            await jobs.clean_caches(ctx, event)
        assert kept.exists()
    await jobs.clean_caches(ctx, event)

    assert answer.status_code == 204
    assert not kept.exists()
    asked = (await client.get("/api/audit?action=deployments.CachesCleaned")).json()["data"]
    assert [one["sentence"] for one in asked] == ["Cleaned the build caches of the project"]


async def test_strangers_clean_nothing(stranger: httpx2.AsyncClient, project: Project) -> None:
    path = f"/api/projects/{ids.public('proj', project.id)}/caches"

    assert (await stranger.delete(path)).status_code == 404


async def test_hits_and_misses_are_counted_with_their_reason(
    client: httpx2.AsyncClient,
    database: RolledBack,
    owner: Actor,
    project: Project,
    source: Source,
) -> None:
    """C-153."""
    now = dt.datetime.now(dt.UTC)
    for is_hit, reason in (
        (True, "package-lock.json unchanged"),
        (True, "uv.lock unchanged"),
        (False, "yarn.lock changed"),
        (False, "toolchain changed: 22.1 → 24.0"),
        (False, "the caches were cleaned"),
        (False, "no lock file, nothing is kept"),
    ):
        found = {"dependencies": {"is_hit": is_hit, "reason": reason}}
        await make.deployment(
            database,
            project,
            source,
            owner,
            status=Status.ready,
            caches=found,
            finished_at=now,
        )

    lines = (await client.get("/api/metrics/prometheus")).text.splitlines()

    start = 'windlass_build_caches_last_hour{cache="dependencies",'
    assert sorted(line.removeprefix(start) for line in lines if line.startswith(start)) == [
        'result="hit",reason="unchanged"} 2',
        'result="miss",reason="cleaned"} 1',
        'result="miss",reason="lock_file_changed"} 1',
        'result="miss",reason="no_lock_file"} 1',
        'result="miss",reason="toolchain_changed"} 1',
    ]
