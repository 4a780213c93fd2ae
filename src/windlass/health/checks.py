"""What is looked at to say whether this instance is well; routes and the status page share it."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import windlass
from windlass.adapters import sandbox
from windlass.adapters.edge import EdgeAway, EdgeClient
from windlass.auth.models import Actor
from windlass.builds import uids
from windlass.core import engine as engines
from windlass.core import netns
from windlass.core.containers import GUARD
from windlass.core.engine import Engine, EngineAway, EngineRefused
from windlass.core.http import Request
from windlass.core.languages import N_
from windlass.core.schemas import Out
from windlass.core.settings import Settings

_NO_ENGINE = N_("no engine: a Dockerfile or an image cannot be deployed")
_START_ENGINE = "apt-get install docker.io, or WINDLASS_DOCKER_HOST=unix:///…"
_TIMEOUT_SECONDS = 2.0
_CACHE_SECONDS = 3.0
_COUNTS = "select status, count(*) as n from deployments where owner_id = $1 group by status"
_PROJECTS = "select count(*) as n from projects where owner_id = $1 and deleted_at is null"


class Check(Out):
    name: str
    ok: bool
    required: bool
    detail: str
    latency_ms: float


class Health(Out):
    status: Literal["ok", "degraded", "down"]
    version: str
    checks: list[Check]


class Finding(Out):
    """One line of `windlass doctor`: what was looked at, and what to do when it is wrong."""

    name: str
    ok: bool
    detail: str
    fix: str | None


class Status(Out):
    version: str
    url: str
    uptime_seconds: float
    projects: int
    deployments: dict[str, int]
    edge: dict[str, Any] | None


async def health(request: Request) -> Health:
    """The checks run side by side; their result is kept for three seconds (D-48)."""
    state = request.app.state
    kept: tuple[float, Health] | None = getattr(state, "health", None)
    if kept is not None and time.monotonic() - kept[0] < _CACHE_SECONDS:
        return kept[1]
    client = EdgeClient(state.settings.folder, host=state.settings.host, port=state.settings.port)

    async def database() -> str:
        await state.database.fetch("select 1")
        return N_("answers")

    async def files() -> str:
        free = shutil.disk_usage(state.settings.folder).free
        if free < state.settings.builds.disk_reserve_bytes:
            raise OSError(N_("only {size} MiB are free").format(size=free >> 20))
        return N_("{size} GiB free").format(size=free >> 30)

    async def edge() -> str:
        return N_("process {pid}").format(pid=(await client.status()).pid)

    checks = await asyncio.gather(
        _check(N_("database"), database, required=True),
        _check(N_("files"), files, required=True),
        _check("edge", edge, required=False),
    )
    bad = [check for check in checks if not check.ok]
    status = "down" if any(c.required for c in bad) else "degraded" if bad else "ok"
    body = Health(status=status, version=windlass.__version__, checks=list(checks))
    state.health = (time.monotonic(), body)
    return body


async def _check(name: str, look: Callable[[], Awaitable[str]], *, required: bool) -> Check:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            detail, ok = await look(), True
    except Exception as error:  # whatever is wrong with a part is the answer here
        detail, ok = (str(error) or type(error).__name__)[:200], False
    latency = round((time.perf_counter() - began) * 1000, 2)
    return Check(name=name, ok=ok, required=required, detail=detail, latency_ms=latency)


async def findings(request: Request) -> list[Finding]:
    """What this machine can do, line by line, and how to mend what it cannot."""
    found = await asyncio.to_thread(sandbox.doctor, uids.of_fetch(request.app.state.settings))
    lines = [Finding(name=f.name, ok=f.ok, detail=f.detail, fix=f.fix) for f in found]
    lines.append(await containers(request.app.state.settings))
    lines += [
        Finding(name=check.name, ok=check.ok, detail=check.detail, fix=None)
        for check in (await health(request)).checks
    ]
    return lines


async def containers(settings: Settings) -> Finding:
    """Which engine builds Dockerfiles and runs images; without one everything else goes on."""
    engine = Engine(engines.find(settings.docker_host))
    try:
        about = await engine.about()
    except (EngineAway, EngineRefused) as error:
        wanted = bool(settings.docker_host)
        detail = str(error) if wanted else _NO_ENGINE
        return Finding(name=N_("containers"), ok=not wanted, detail=detail, fix=_START_ENGINE)
    finally:
        await engine.close()
    if about.name != "Docker":
        detail = f"{about.sentence} is not supported yet"
        return Finding(name="containers", ok=False, detail=detail, fix=_START_ENGINE)
    is_guarded = engine.is_local and netns.can_enter()
    if is_guarded or settings.containers.open_network:
        message = (
            N_("{engine}, guarded networks")
            if is_guarded
            else N_("{engine}, networks without a guard, as is set")
        )
        detail = message.format(engine=about.sentence)
        return Finding(name=N_("containers"), ok=True, detail=detail, fix=None)
    return Finding(name=N_("containers"), ok=False, detail=about.sentence, fix=GUARD)


async def status(request: Request, *, by: Actor) -> Status:
    """The instance at a glance."""
    state = request.app.state
    rows = await state.database.fetch(_COUNTS, by.id)
    projects = await state.database.fetch(_PROJECTS, by.id)
    client = EdgeClient(state.settings.folder, host=state.settings.host, port=state.settings.port)
    try:
        found = await client.status()
        edge = {"pid": found.pid, "apps": len(found.apps)}
    except EdgeAway:
        edge = None
    return Status(
        version=windlass.__version__,
        url=state.settings.panel_url,
        uptime_seconds=round(time.monotonic() - state.started_at, 1),
        projects=projects[0]["n"],
        deployments={row["status"].lower(): row["n"] for row in rows},
        edge=edge,
    )
