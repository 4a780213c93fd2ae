"""From a plan to how each process of a release is started."""

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from windlass.builds import release
from windlass.builds.plan import Plan, ProcessSettings
from windlass.builds.release import Release
from windlass.core import process, runtime_log, site
from windlass.core.egress import EgressPolicy
from windlass.core.process import Process
from windlass.core.settings import Apps, Settings
from windlass.deployments import jobs

APPS = Apps(memory_bytes=512 << 20, max_memory_bytes=1 << 30, cpus=1, max_cpus=2)


def sealed(home: Path, plan: Plan, apps: Apps = APPS) -> Process:
    settings = Settings(home=str(home), apps=apps)
    made = Release(
        deployment="depl_1",
        project="proj_1",
        uid=None,
        env={"A": "b"},
        secrets=("s3cret",),
        is_preview=False,
    )
    (site.folder(settings.folder, "depl_1") / "files").mkdir(parents=True)
    (settings.folder / "keys").mkdir(mode=0o700, exist_ok=True)
    world = cast(Any, SimpleNamespace(app_egress=EgressPolicy()))
    release._seal(settings, world, plan, made)  # pyright: ignore[reportPrivateUsage]
    return process.read(settings.folder, "depl_1")


def test_each_process_has_its_own_launch_with_its_own_limits(tmp_path: Path):
    plan = Plan(
        framework="custom",
        label="x",
        kind="server",
        start_command="serve",
        processes={"worker": "work --hard", "clock": "tick"},
        process_settings={
            "web": ProcessSettings(memory_mb=256, grace_seconds=1),
            "worker": ProcessSettings(memory_mb=4096, cpus=8, restart="on-failure"),
        },
    )
    web = sealed(tmp_path, plan)
    worker, clock = web.others

    assert [web.name, worker.name, clock.name] == ["web", "worker", "clock"]
    names = [one.launch.name for one in (web, worker, clock)]
    assert names == ["app-depl_1", "app-depl_1-worker", "app-depl_1-clock"]
    assert (web.limits.memory_bytes, web.grace_seconds, web.restart) == (256 << 20, 1, "always")
    # Nobody gets more than the server gives.
    assert (worker.limits.memory_bytes, worker.limits.cpus) == (1 << 30, 2)
    assert (worker.restart, worker.tries, worker.grace_seconds) == ("on-failure", 10, 10)
    assert (clock.limits.memory_bytes, clock.limits.cpus) == (512 << 20, 1)
    folder = site.folder(Path(tmp_path), "depl_1")
    assert "exec serve" in (folder / "start.sh").read_text()
    assert "exec work --hard" in (folder / "process-worker.sh").read_text()
    assert all(one.mask == ("s3cret",) for one in (web, worker, clock))
    assert all(one.launch.env["A"] == "b" for one in (web, worker, clock))


@pytest.mark.anyio
async def test_what_apps_wrote_long_ago_is_forgotten(tmp_path: Path):
    where = runtime_log.folder(tmp_path, "depl_1")
    where.mkdir(parents=True)
    old, new = (runtime_log.segment(where, "web", number).path for number in (1, 2))
    for path in (old, new):
        path.write_text("x")
    os.utime(old, (0, time.time() - 15 * 86_400))

    await jobs.forget_old_output(cast(Any, SimpleNamespace(settings=Settings(home=str(tmp_path)))))

    assert [path.name for path in where.iterdir()] == [new.name]
