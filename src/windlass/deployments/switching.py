"""The switch: point the host at the release, see through the edge that it answers, then say so.

Nothing is marked before it was seen to be true (D-52), and every step may run twice.
"""

import time
from typing import Any
from uuid import UUID

from sqlalchemy import func, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.adapters.edge import EdgeAway
from windlass.adapters.world import world
from windlass.builds.steps import BuildFailed
from windlass.core import links, site
from windlass.core.context import Ctx
from windlass.core.events import emit
from windlass.core.live import announce
from windlass.core.loop import Step
from windlass.core.threads import blocking
from windlass.deployments import (
    building,
    events,
    logbook,
    promoting,
    receipts,
    returning,
    service,
)
from windlass.deployments.logbook import Logbook
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects.models import Site

_LOOK_AGAIN_SECONDS = 60.0
# A second each: longer than the edge is away at the most, also one that died again and again.
_EDGE_TRIES = 25
_LOG_LINES = 20


async def ask(ctx: Ctx, deployment: Deployment) -> Step:
    """A built deployment wants its host; the host's own loop does the rest and ends it."""

    async def then(db: AsyncSession) -> None:
        query = select(Site).where(
            Site.project_id == deployment.project_id,
            Site.host == deployment.host if deployment.is_preview else Site.is_preview.is_(False),
        )
        found = (await db.scalars(query.with_for_update())).one_or_none()
        if found is not None and found.wanted_id != deployment.id:
            await service.wish(db, found, deployment.id, by=deployment.created_by, reason=None)

    # Looked at again only in case the site's loop never comes to it.
    return Step({}, then=then, again_in=_LOOK_AGAIN_SECONDS)


async def converge(ctx: Ctx, place: Site) -> Step:
    """One host name: make it serve what is wanted."""
    if place.wanted_id is None:
        return await _take_down(ctx, place)
    try:
        name = await promoting.prepare(ctx, place, place.wanted_id)
        await receipts.begin(ctx, place, name)
        problem = await _bring_up(ctx, place, name)
    except BuildFailed as error:
        problem = (str(error), list[str](), True)
    except EdgeAway as error:
        problem = (str(error), list[str](), False)
    if not isinstance(problem, tuple):
        values = {"active_id": place.wanted_id, "settled": place.generation, "error": None}
        words = await _words(ctx, place)
        return Step(values, then=_promoted(ctx, place, words, milliseconds=problem))
    reason, lines, is_final = problem
    is_active = place.wanted_id == place.active_id
    if is_active or (not is_final and place.loop_failures < _EDGE_TRIES):
        values = {"loop_failures": place.loop_failures + 1, "loop_error": reason}
        return Step(values, again_in=15 if is_active else 1)
    await _explain(ctx, place.wanted_id, reason, lines)
    # A new generation: the loop comes again at once and makes the host serve what it did before.
    values = {
        "wanted_id": place.active_id,
        "wanted_today": False,
        "generation": service.NEXT_GENERATION,
        "error": reason,
    }
    return Step(values, then=_failed(place, reason), again_in=0)


Problem = tuple[str, list[str], bool]


async def _bring_up(ctx: Ctx, place: Site, name: str) -> Problem | float:
    """Warm, link, verify. Returns what is wrong: the line, the app's last lines, is it final; or
    the milliseconds from the link to the answer.

    Raises EdgeAway.
    """
    home, edge = ctx.settings.folder, world(ctx).edge
    try:
        release = await blocking(site.read, site.folder(home, name))
    except OSError:
        return ("The files of this release are gone", [], True)
    if release.kind == "server":
        seconds = release.start_timeout_seconds
        warmed = await edge.warm(name, deadline_seconds=seconds)
        if not warmed.ok:
            return (warmed.reason, warmed.log[-_LOG_LINES:], True)
    began = time.perf_counter()
    if not await blocking(links.switch, home, place.host, name, place.generation):
        return ("Another switch of this host came first", [], True)
    status, answered = await edge.serves(place.host, release.health_path)
    if answered != name:
        return (f"The edge answered with {answered or 'no release'} instead of {name}", [], False)
    if status >= 500:
        return (f"The release answered {status} through the edge", [], True)
    milliseconds = (time.perf_counter() - began) * 1000
    if release.kind == "worker":
        settled = await edge.settle(
            name,
            deadline_seconds=release.start_timeout_seconds,
            steady_seconds=ctx.settings.apps.steady_seconds,
        )
        if not settled.ok:
            return (settled.reason, settled.log[-_LOG_LINES:], True)
    return milliseconds


async def _take_down(ctx: Ctx, place: Site) -> Step:
    await blocking(links.unlink, ctx.settings.folder, place.host, place.generation)
    return Step({"active_id": None, "answers": True, "settled": place.generation})


def _promoted(ctx: Ctx, place: Site, words: str | None, *, milliseconds: float) -> Any:
    """In one transaction: exactly one active deployment, the deployment's end, the event."""

    async def then(db: AsyncSession) -> None:
        wanted = (
            await db.scalars(
                select(Deployment).where(Deployment.id == place.wanted_id).with_for_update()
            )
        ).one_or_none()
        if wanted is None or place.wanted_id == place.active_id:
            return
        answers = update(Site).where(Site.id == place.id).values(answers=not _is_worker(wanted))
        await db.execute(answers)
        values: dict[str, Any] = {}
        if not place.is_preview:
            clear = update(Deployment).where(
                Deployment.project_id == wanted.project_id, Deployment.is_active
            )
            await db.execute(clear.values(is_active=False))
            values = {
                "is_active": True,
                "promoted_at": func.now(),
                "promoted_by": place.wanted_by,
            }
        if wanted.status is Status.deploying:
            values |= {
                "status": Status.ready,
                "finished_at": func.now(),
                "lease_token": None,
                "lease_until": None,
            }
            seconds = wanted.build_time_seconds or 0.0
            ready = events.Ready(
                deployment_id=wanted.id, project_id=wanted.project_id, seconds=seconds
            )
            await emit(db, ready, by=wanted.created_by)
            await logbook.say(db, wanted.id, _live(ctx, wanted, place))
        elif words is not None:
            await logbook.say(db, wanted.id, words)
        is_as_built = not place.wanted_today and place.wanted_reason != promoting.AUTOMATIC
        if not wanted.is_preview and is_as_built:
            values["live_variables"] = null()
        if values:
            await db.execute(update(Deployment).where(Deployment.id == wanted.id).values(values))
        event = events.Promoted(
            deployment_id=wanted.id,
            project_id=wanted.project_id,
            previous_id=place.active_id,
            host=place.host,
        )
        await emit(db, event, by=place.wanted_by)
        await receipts.count(ctx, db, place, milliseconds=milliseconds)
        if place.active_id is not None:
            await announce(db, f"deployment:{place.active_id}")
        await building.tell(db, wanted)

    return then


def _live(ctx: Ctx, wanted: Deployment, place: Site) -> str:
    if _is_worker(wanted):
        return "Its workers run; it has no web process, so it has no address"
    return f"Live at {ctx.settings.site_url(place.host)}"


def _is_worker(deployment: Deployment) -> bool:
    return deployment.plan is not None and deployment.plan.get("kind") == "worker"


async def _words(ctx: Ctx, place: Site) -> str | None:
    """What the log of a release says that was ready before and goes live now (C-163)."""
    if place.is_preview or place.wanted_id == place.active_id:
        return None
    async with ctx.transaction() as db:
        wanted = await db.get(Deployment, place.wanted_id)
        if wanted is None or wanted.status is not Status.ready:
            return None
        differing = await returning.differing(db, wanted, ctx.keys) or ()
    where = "" if _is_worker(wanted) else f" at {ctx.settings.site_url(place.host)}"
    if wanted.is_preview and wanted.promoted_at is None:
        is_server = returning.has_variables(wanted)
        variables = ", running with the variables of production" if is_server else ""
        return f"Promoted: live{where}{variables}"
    if place.wanted_today:
        return f"Live again{where}, with the variables of today"
    if not differing:
        return f"Live again{where}"
    names = ", ".join(change.name for change in differing)
    return f"Live again{where}, with the variables of its own time; different today: {names}"


def _failed(place: Site, reason: str) -> Any:
    """The old release keeps serving; a deployment that was waiting for the switch has failed."""

    async def then(db: AsyncSession) -> None:
        await receipts.forget(db, place)
        wanted = await db.get(Deployment, place.wanted_id)
        if wanted is None:
            return
        if wanted.status is Status.deploying:
            step = building.failed(wanted, BuildFailed("START_FAILED", reason), _Silent())
            query = update(Deployment).where(
                Deployment.id == wanted.id, Deployment.status == Status.deploying
            )
            release = {"lease_token": None, "lease_until": None}
            await db.execute(query.values({**step.values, **release}))
            if step.then is not None:
                await step.then(db)
            return
        event = events.SwitchFailed(
            deployment_id=wanted.id,
            project_id=wanted.project_id,
            host=place.host,
            reason=reason,
        )
        await emit(db, event, by=place.wanted_by)
        await building.tell(db, wanted)

    return then


async def _explain(ctx: Ctx, id: UUID, reason: str, lines: list[str]) -> None:
    """The reason and the app's last words, in the deployment's log."""
    async with Logbook(ctx.database, id, secrets=(), max_bytes=1 << 20) as log:
        log.step = "deploy"
        for line in lines:
            log.say(line)
        log.say(reason, "error")


class _Silent:
    """The reason is in the log already."""

    step = "deploy"

    def say(self, message: str, level: str = "info") -> None: ...
    def write(self, output: bytes) -> None: ...
    def hide(self, secrets: tuple[str, ...]) -> None: ...
