"""JSON: how much there is to build, and how much of it is the caller's (C-142, C-154)."""

from litestar import get

from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.auth.plans import ALLOWANCES
from windlass.core.db import Database
from windlass.core.http import Request
from windlass.core.schemas import Out
from windlass.core.settings import Settings
from windlass.deployments import admission

_MINE = """
select count(*) filter (where status = 'QUEUED') as waiting,
  count(*) filter (where status <> 'QUEUED') as running
from deployments where owner_id = $1 and status in ('QUEUED', 'BUILDING', 'DEPLOYING')
"""


class Own(Out):
    """What counts for the caller's plan: deployments of projects that they own."""

    waiting: int
    running: int
    # How many of them the plan builds at the same time; null for admins of the platform.
    limit: int | None


class QueueOut(Out):
    waiting: int
    running: int
    # Builds that one worker runs at the same time.
    slots: int
    own: Own


@get("/api/queue", permission=Permission.deploy_read, tags=["Deployments"])
async def show_queue(request: Request, actor: CurrentActor) -> QueueOut:
    """How many builds wait and run on this instance, and what the caller's plan allows."""
    state = request.app.state
    return await of(state.database, state.settings, by=actor)


async def of(database: Database, settings: Settings, *, by: Actor) -> QueueOut:
    """The queue as somebody sees it."""
    whole = (await database.fetch("select * from queue_load()"))[0]
    mine = (await database.fetch(_MINE, by.id))[0]
    return QueueOut(
        waiting=whole["waiting"],
        running=whole["running"],
        slots=admission.slots(settings.builds),
        own=Own(
            waiting=mine["waiting"],
            running=mine["running"],
            limit=None if by.is_admin else ALLOWANCES[by.plan].concurrent_builds,
        ),
    )
