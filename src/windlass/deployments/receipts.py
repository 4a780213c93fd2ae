"""What came of a switch of production: counted, kept, and undone when it was one for the worse.

The edge counts; this reads its figures before the link is replaced, some times afterwards, and at
the end. The row says until when, so whoever is killed in between changes nothing: the next look
goes on from there.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.adapters.edge import EdgeAway, Traffic
from windlass.adapters.world import world
from windlass.core import clock, ids, links, site
from windlass.core.context import Ctx
from windlass.core.events import emit
from windlass.core.live import announce
from windlass.core.loop import Step
from windlass.core.tally import Tally
from windlass.core.threads import blocking
from windlass.deployments import counting, events, logbook, service
from windlass.deployments.counting import Counted, Receipt
from windlass.deployments.models import Deployment
from windlass.deployments.promoting import AUTOMATIC
from windlass.deployments.switches import Outcome, Switch
from windlass.projects.models import Project, Site

LEAST_SECONDS = 30.0
_LOOK_SECONDS = 5.0
_AWAY_SECONDS = 120.0


async def begin(ctx: Ctx, place: Site, name: str) -> None:
    """Keep what both releases have counted, before the link is replaced. The first time counts.

    Without figures there is no receipt, which is no reason not to switch.
    """
    if place.is_preview or place.wanted_id is None or place.wanted_id == place.active_id:
        return
    previous = await blocking(links.current, ctx.settings.folder, place.host)
    try:
        traffic = await world(ctx).edge.traffic([name, *([previous] if previous else [])])
    except EdgeAway:
        return
    row = insert(Switch).values(
        id=ids.uuid7(),
        project_id=place.project_id,
        site_id=place.id,
        deployment_id=place.wanted_id,
        previous_id=place.active_id,
        generation=place.generation,
        host=place.host,
        reason=place.wanted_reason,
        release=name,
        previous_release=previous,
        edge_run=traffic.run,
        baseline=msgspec.to_builtins(_counted(traffic, name, previous)),
    )
    async with ctx.transaction() as db:
        # Those of wishes that came to nothing.
        older = delete(Switch).where(
            Switch.site_id == place.id,
            Switch.outcome == Outcome.begun,
            Switch.generation < place.generation,
        )
        await db.execute(older)
        await db.execute(row.on_conflict_do_nothing(index_elements=["site_id", "generation"]))


async def count(ctx: Ctx, db: AsyncSession, place: Site, *, milliseconds: float) -> None:
    """The new release was seen: from now on it is counted, in the transaction that says so."""
    minutes = await db.scalar(select(Project.watch_minutes).where(Project.id == place.project_id))
    is_watched = bool(minutes) and place.active_id is not None and place.wanted_reason != AUTOMATIC
    seconds = max(LEAST_SECONDS, ctx.settings.apps.drain_seconds)
    if is_watched:
        seconds = max(seconds, (minutes or 0) * 60.0)
    now = clock.now()
    begun = update(Switch).where(
        Switch.site_id == place.id,
        Switch.generation == place.generation,
        Switch.outcome == Outcome.begun,
    )
    values: dict[str, Any] = {
        "outcome": Outcome.counting,
        "switched_at": now,
        "switch_milliseconds": round(milliseconds, 2),
        "until": now + dt.timedelta(seconds=seconds),
        "is_watched": is_watched,
        "check_at": now + dt.timedelta(seconds=min(_LOOK_SECONDS, seconds)),
    }
    await db.execute(begun.values(values))
    await announce(db, "loop-switches")


async def forget(db: AsyncSession, place: Site) -> None:
    """The switch came to nothing."""
    await db.execute(
        delete(Switch).where(
            Switch.site_id == place.id,
            Switch.generation == place.generation,
            Switch.outcome == Outcome.begun,
        )
    )


async def look(ctx: Ctx, switch: Switch) -> Step:
    """Read the figures once more; at the end, or when errors rose, say what came of it."""
    now, until = clock.now(), switch.until or clock.now()
    wanted = [switch.release, *([switch.previous_release] if switch.previous_release else [])]
    try:
        traffic = await world(ctx).edge.traffic(wanted)
    except EdgeAway:
        if (now - until).total_seconds() < _AWAY_SECONDS:
            return Step(again_in=_LOOK_SECONDS)
        return Step({}, then=_ended(switch, Outcome.stayed))
    receipt, values = _read(switch, traffic)
    values["receipt"] = msgspec.to_builtins(receipt)
    left = (until - now).total_seconds()
    return Step(
        values,
        then=_concluded(ctx, switch, receipt, is_over=left <= 0),
        again_in=max(0.2, min(_LOOK_SECONDS, left)),
    )


def _read(switch: Switch, traffic: Traffic) -> tuple[Receipt, dict[str, Any]]:
    """The receipt up to now; and what is kept when the edge was started anew and counts from 0."""
    before = counting.counted(switch.baseline).old
    if switch.receipt is not None:
        before = msgspec.convert(switch.receipt, Receipt).before
    baseline, carried = counting.counted(switch.baseline), counting.counted(switch.carried)
    values: dict[str, Any] = {}
    if traffic.run != switch.edge_run:
        if switch.receipt is not None:
            last = msgspec.convert(switch.receipt, Receipt)
            carried = Counted(new=last.new, old=last.old)
        baseline = counting.NOTHING
        values = {
            "edge_run": traffic.run,
            "baseline": msgspec.to_builtins(baseline),
            "carried": msgspec.to_builtins(carried),
        }
    now = _counted(traffic, switch.release, switch.previous_release)
    found = counting.receipt_of(baseline, carried, now, before=before)
    was_partial = switch.carried is not None
    return msgspec.structs.replace(found, is_partial=was_partial or bool(values)), values


def _counted(traffic: Traffic, new: str, old: str | None) -> Counted:
    nothing = Tally()
    return Counted(
        new=traffic.tallies.get(new, nothing),
        old=traffic.tallies.get(old, nothing) if old else nothing,
    )


def _ended(switch: Switch, outcome: Outcome) -> Callable[[AsyncSession], Awaitable[None]]:
    async def then(db: AsyncSession) -> None:
        await _end(db, switch, outcome)

    return then


async def _end(db: AsyncSession, switch: Switch, outcome: Outcome) -> None:
    query = update(Switch).where(Switch.id == switch.id)
    await db.execute(query.values(outcome=outcome, ended_at=clock.now()))
    await announce(db, f"deployment:{switch.deployment_id}", f"project:{switch.project_id}")


def _concluded(
    ctx: Ctx, switch: Switch, receipt: Receipt, *, is_over: bool
) -> Callable[[AsyncSession], Awaitable[None]]:
    async def then(db: AsyncSession) -> None:
        query = select(Site).where(Site.id == switch.site_id).with_for_update()
        place = (await db.scalars(query)).one_or_none()
        if place is None or place.generation != switch.generation:
            # Somebody was quicker; what they want is not undone.
            await _end(db, switch, Outcome.replaced)
        elif switch.is_watched and counting.is_worse(receipt):
            await _return(ctx, db, switch, receipt, place)
        elif is_over:
            await _end(db, switch, Outcome.stayed)

    return then


async def _return(
    ctx: Ctx, db: AsyncSession, switch: Switch, receipt: Receipt, place: Site
) -> None:
    """Ask for the release that was live before, once: the switch to it is not watched."""
    previous = await db.get(Deployment, switch.previous_id) if switch.previous_id else None
    if previous is None or await service.why_not_active(db, previous) is not None:
        await _end(db, switch, Outcome.stayed)
        return
    if not (site.folder(ctx.settings.folder, switch.previous_release or "") / "site.json").exists():
        await _end(db, switch, Outcome.stayed)
        return
    await service.wish(db, place, previous.id, by=None, reason=AUTOMATIC)
    await _end(db, switch, Outcome.returned)
    event = events.Returned(
        deployment_id=switch.deployment_id,
        project_id=switch.project_id,
        previous_id=previous.id,
        host=switch.host,
        requests=receipt.new.requests,
        failed=receipt.new.failed,
        requests_before=receipt.before.requests,
        failed_before=receipt.before.failed,
    )
    await emit(db, event, by=None)
    await logbook.say(db, switch.deployment_id, _words(previous.id, receipt), level="warn")


def _words(previous: UUID, receipt: Receipt) -> str:
    new, before = receipt.new, receipt.before
    return (
        f"{new.failed} of {new.requests} requests failed, before it {before.failed} of"
        f" {before.requests}: {ids.public('depl', previous)} is made live again"
    )
