"""Figures of the instance in the text format of Prometheus (C-285, C-286)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from litestar import get
from litestar.response import Stream

from windlass.auth.permissions import Permission
from windlass.core.http import Request
from windlass.deployments import admission

_QUEUE = """
select count(*) filter (where status = 'QUEUED') as waiting,
  count(*) filter (where status <> 'QUEUED') as running,
  coalesce(extract(epoch from now() - min(created_at) filter (where status = 'QUEUED')), 0)
    as longest
from deployments where status in ('QUEUED', 'BUILDING', 'DEPLOYING')
"""
_ENDED = """
select lower(status) as status, count(*) as n,
  percentile_cont(array[0.5, 0.95, 0.99]) within group (order by build_time_seconds) as built,
  percentile_cont(array[0.5, 0.95, 0.99]) within group (
    order by extract(epoch from started_at - created_at)) as waited
from deployments where finished_at > now() - interval '1 hour' group by status
"""
_CACHES = """
select cache, (found->>'is_hit')::boolean as is_hit, found->>'reason' as reason, count(*) as n
from deployments, jsonb_each(case when jsonb_typeof(caches) = 'object' then caches end)
  as each (cache, found)
where finished_at > now() - interval '1 hour' group by 1, 2, 3
"""
_SESSIONS = "select count(*) as n from sessions where expires_at > now()"
_KINDS = (
    ("no lock file", "no_lock_file"),
    ("unchanged", "unchanged"),
    ("kept from", "unchanged"),
    ("first build", "first_build"),
    ("nothing was", "first_build"),
    ("cleaned", "cleaned"),
    ("clean build", "cleaned"),
    ("toolchain", "toolchain_changed"),
    ("install command", "command_changed"),
    ("free the disk", "evicted"),
    ("changed", "lock_file_changed"),
)
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_QUANTILES = ("0.5", "0.95", "0.99")
Sample = tuple[str, float]


@get("/api/metrics/prometheus", permission=Permission.admin_read, streams=[_TEXT], tags=["Health"])
async def metrics(request: Request) -> Stream:
    """Queue, builds of the last hour and sessions, for Prometheus; with a token of an admin."""
    state = request.app.state
    queue = (await state.system.fetch(_QUEUE))[0]
    ended = await state.system.fetch(_ENDED)
    sessions = (await state.system.fetch(_SESSIONS))[0]
    lines = [
        *_metric("queue_depth", "Deployments that wait to be built.", [("", queue["waiting"])]),
        *_metric(
            "queue_longest_wait_seconds",
            "How long the one that came first has waited.",
            [("", queue["longest"])],
        ),
        *_metric("builds_running", "Deployments being built.", [("", queue["running"])]),
        *_metric(
            "build_slots",
            "Builds that one worker runs at the same time.",
            [("", admission.slots(state.settings.builds))],
        ),
        *_metric(
            "deployments_last_hour",
            "Deployments that ended in the last hour.",
            [(f'{{status="{row["status"]}"}}', row["n"]) for row in ended],
        ),
        *_metric(
            "build_seconds",
            "What builds of the last hour took.",
            _quantiles((row["status"], row["built"]) for row in ended),
        ),
        *_metric(
            "queue_wait_seconds",
            "How long they had waited.",
            _quantiles((row["status"], row["waited"]) for row in ended),
        ),
        *_metric(
            "build_caches_last_hour",
            "What builds of the last hour found in their caches.",
            _caches(await state.system.fetch(_CACHES)),
        ),
        *_metric("sessions_active", "Sessions that are not over.", [("", sessions["n"])]),
    ]
    return Stream(["\n".join(lines) + "\n"], media_type=_TEXT)


def _metric(name: str, about: str, samples: Iterable[Sample]) -> list[str]:
    found = [f"windlass_{name}{labels} {float(value):g}" for labels, value in samples]
    return [f"# HELP windlass_{name} {about}", f"# TYPE windlass_{name} gauge", *found]


def _caches(rows: Iterable[Mapping[str, Any]]) -> list[Sample]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        result = "hit" if row["is_hit"] else "miss"
        counts[row["cache"], result, _kind(row["reason"])] += row["n"]
    return [
        (f'{{cache="{cache}",result="{result}",reason="{reason}"}}', n)
        for (cache, result, reason), n in sorted(counts.items())
    ]


def _kind(reason: str) -> str:
    """The reason without the names of files and versions: there must be few of them."""
    return next((kind for words, kind in _KINDS if words in reason), "other")


def _quantiles(rows: Iterable[tuple[str, list[float | None] | None]]) -> list[Sample]:
    return [
        (f'{{status="{status}",quantile="{quantile}"}}', value)
        for status, values in rows
        for quantile, value in zip(_QUANTILES, values or (), strict=False)
        if value is not None
    ]
