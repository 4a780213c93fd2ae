"""JSON: is it up, is it ready, and what this machine can do (C-280 to C-283)."""

from typing import Annotated

from litestar import MediaType, Response, Router, get
from litestar.params import FromQuery
from msgspec import Meta

import windlass
from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.core import migrations
from windlass.core.http import Envelope, Request
from windlass.core.schemas import Out, Page
from windlass.health import checks, metrics
from windlass.health.checks import Finding, Health, Status

Greeting = Annotated[str, Meta(min_length=1, max_length=200)]


class Hello(Out):
    text: str


@get("/live", public=True, rate="health")
async def live() -> Health:
    """Always 200 while the process answers; touches nothing else."""
    return Health(status="ok", version=windlass.__version__, checks=[])


@get("/startup", public=True, rate="health", also=(503,))
async def startup(request: Request) -> Response[Health]:
    """503 until every migration is applied, then 200 for good."""
    state = request.app.state
    if not getattr(state, "is_started", False):
        rows = await state.database.fetch("select version_num from alembic_version")
        state.is_started = bool(rows) and rows[0]["version_num"] >= migrations.head()
    status = "ok" if state.is_started else "down"
    body = Health(status=status, version=windlass.__version__, checks=[])
    return Envelope(body, status_code=200 if state.is_started else 503)


@get("/ready", public=True, rate="health", also=(503,))
async def ready(request: Request) -> Response[Health]:
    """503 when something that is required is down."""
    body = await checks.health(request)
    return Envelope(body, status_code=503 if body.status == "down" else 200)


@get("/", public=True, rate="health", also=(503,))
async def health(request: Request) -> Response[Health]:
    """Everything that can be wrong, each with its latency."""
    body = await checks.health(request)
    return Envelope(body, status_code=503 if body.status == "down" else 200)


@get("/api/ping", public=True, rate="health", media_type=MediaType.JSON, tags=["Health"])
async def ping() -> str:
    """Answers pong (K-020)."""
    return "pong"


@get("/api/hello", public=True, tags=["Health"])
async def hello(text: FromQuery[Greeting] = "hello") -> Hello:
    """Says what it was told: a smoke test of everything in front of it (B-081)."""
    return Hello(text=text)


@get("/api/doctor", permission=Permission.admin_read)
async def doctor(request: Request) -> Page[Finding]:
    """What this machine can do, line by line, and how to mend what it cannot."""
    return Page(await checks.findings(request))


@get("/api/status", permission=Permission.project_read)
async def status(request: Request, actor: CurrentActor) -> Status:
    """The instance at a glance."""
    return await checks.status(request, by=actor)


router = Router("/api/health", route_handlers=[live, startup, ready, health], tags=["Health"])
ROUTES = [router, ping, hello, doctor, status, metrics.metrics]
