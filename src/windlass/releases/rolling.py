"""Whether what was applied has become true, object by object."""

import datetime as dt
from collections.abc import Iterable, Sequence

from windlass.adapters.kube import Client
from windlass.core import clock
from windlass.releases import looking, objects
from windlass.releases.models import Result
from windlass.releases.phases import DONE

CURRENT, FAILED = "current", "failed"
# A rollout that lasts is looked at less often.
SOON_SECONDS, LATER_SECONDS, SOON_FOR_SECONDS = 1.0, 3.0, 60.0


async def look(kube: Client, namespace: str, results: Iterable[Result]) -> bool:
    """Look at everything that is not current yet; True when something was found different."""
    from windlass.charts.rollout import State, Verdict, verdict
    from windlass.charts.trouble import waits_for_consumer

    is_news = False
    for result in results:
        if result.outcome not in DONE or result.state == CURRENT:
            continue
        ref = objects.ref_of(result.item)
        found = verdict(await objects.live_of(kube, ref))
        if result.item.kind == "PersistentVolumeClaim" and found.state is State.in_progress:
            events = await looking.events_of(kube, namespace, [result.item], [])
            if waits_for_consumer(events):
                found = Verdict(State.current, "it waits for the first pod that wants it")
        if (result.state, result.state_message) != (found.state.value, found.message):
            result.state, result.state_message = found.state.value, found.message
            is_news = True
    return is_news


def waiting(results: Iterable[Result]) -> list[Result]:
    return [one for one in results if one.outcome in DONE and one.state != CURRENT]


def failed(results: Iterable[Result]) -> Result | None:
    return next((one for one in results if one.state == FAILED), None)


def line(result: Result) -> str:
    return f"{result.item.title}: {result.state_message or 'it is not there yet'}"


async def why(kube: Client, namespace: str, results: Sequence[Result]) -> str:
    """The one thing to say of a rollout that did not end well."""
    first = failed(results) or next(iter(waiting(results)))
    behind = [first, *(one for one in waiting(results) if one is not first)]
    reason = await looking.reason(kube, namespace, [one.item for one in behind])
    return f"{line(first)} · {reason}" if reason else line(first)


def pause(begun: dt.datetime | None) -> float:
    """How long until the next look."""
    lasts = (clock.now() - begun).total_seconds() if begun is not None else 0
    return SOON_SECONDS if lasts < SOON_FOR_SECONDS else LATER_SECONDS
