"""The steps of a release that is a set of manifests: begin, apply stage by stage, take away what
is not wanted any more. Each may run twice: applying is idempotent, and the inventory is written
before the first object is sent, so whoever goes on after a kill knows all there may be."""

from collections.abc import Sequence
from typing import Any

import msgspec

from windlass.adapters.kube import Client
from windlass.core import clock
from windlass.core.loop import Step
from windlass.releases import events, rolling, saying, service
from windlass.releases.applying import FOREIGN, GOING, GONE, WHOLE, Later, Stage
from windlass.releases.gate import CLUSTER_WIDE, item_of
from windlass.releases.models import Item, Result
from windlass.releases.phases import DONE, Outcome, Status
from windlass.releases.work import Work

_STAGE_SECONDS = 0.5


class Documents(msgspec.Struct, frozen=True):
    """The objects of a revision, and the stages of their indexes."""

    objects: list[dict[str, Any]]
    stages: list[list[int]]

    @classmethod
    def of(cls, text: str) -> "Documents":
        from windlass.charts.documents import load, read, resources
        from windlass.charts.stages import stages

        load(text)
        found = [one.data for one in resources(read(text)).resources]
        return cls(found, stages(found))


async def begin(work: Work) -> Step:
    """Write down everything that is going to be sent, before anything is."""
    documents = Documents.of(work.manifest())
    namespace = work.release.namespace
    work.results = [
        Result(index=index, stage=number, item=item_in(documents.objects[index], namespace))
        for number, stage in enumerate(documents.stages)
        for index in stage
    ]
    now = {"status": Status.applying, "started_at": work.revision.started_at or clock.now()}
    wanted = [one.item for one in work.results]
    known = {item.key for item in wanted}
    inventory = [*wanted, *(item for item in work.inventory if item.key not in known)]
    return work.step(Status.applying, inventory=inventory, revision=now)


async def apply(work: Work) -> Step:
    """One stage; the next one when what it brings is there."""
    documents = Documents.of(work.manifest())
    try:
        async with work.kube() as kube:
            return await _apply(work, kube, documents)
    except Later as later:
        return work.step(Status.applying, reason=str(later), again_in=later.seconds)
    except WHOLE as error:
        return _broken_off(work, saying.line(error))


async def _apply(work: Work, kube: Client, documents: Documents) -> Step:
    stage = _stage(work, kube)
    if work.wishes.create_namespace and not any(one.outcome in DONE for one in work.results):
        await stage.make_namespace()
    for number in range(len(documents.stages)):
        mine = [one for one in work.results if one.stage == number]
        await stage.apply([documents.objects[one.index] for one in mine], mine)
        if any(one.outcome is Outcome.failed for one in mine):
            return _broken_off(work, None)
        if number + 1 < len(documents.stages):
            await rolling.look(kube, work.release.namespace, mine)
            if behind := rolling.waiting(mine):
                reason = rolling.line(behind[0])
                if work.is_late() or rolling.failed(mine):
                    return _broken_off(work, reason)
                return work.step(Status.applying, reason=reason, again_in=_STAGE_SECONDS)
    return await _prune(work, stage)


async def _prune(work: Work, stage: Stage) -> Step:
    wanted = [one.item for one in work.results]
    pruned = await stage.prune(work.inventory, wanted)
    still = [one.item for one in pruned if one.state not in (GONE, GOING, FOREIGN)]
    return work.step(
        Status.rolling_out,
        inventory=[*wanted, *still],
        revision={"status": Status.rolling_out, "pruned": msgspec.to_builtins(pruned)},
    )


def _stage(work: Work, kube: Client) -> Stage:
    return Stage(
        kube,
        release=work.label,
        namespace=work.release.namespace,
        wishes=work.wishes,
        may_cluster_wide=work.wishes.cluster_wide,
        is_late=work.is_late,
    )


def _broken_off(work: Work, reason: str | None) -> Step:
    """What could not be applied keeps what comes after it back (K-099)."""
    for one in work.results:
        if one.outcome is Outcome.waiting:
            one.outcome = Outcome.skipped
            one.message = "It was not tried, as something before it failed"
    wrong = [one for one in work.results if one.outcome is Outcome.failed]
    if reason is None and wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        reason = f"{wrong[0].item.title}: {wrong[0].message}{more}"
    is_partly = any(one.outcome in DONE for one in work.results)
    return work.end(Status.partial if is_partly else Status.failed, reason)


def item_in(document: dict[str, Any], namespace: str) -> Item:
    return item_of(document, "" if document.get("kind") in CLUSTER_WIDE else namespace)


async def remove(work: Work) -> Step:
    """Delete what is in the inventory, the last stage first, each when what needs it is gone."""
    try:
        async with work.kube() as kube:
            return await _remove(work, _stage(work, kube))
    except Later as later:
        return work.step(Status.deleting, reason=str(later), again_in=later.seconds)
    except WHOLE as error:
        return _not_removed(work, saying.line(error), work.inventory)


async def _remove(work: Work, stage: Stage) -> Step:
    rest, last = _last_stage(work.inventory)
    left: list[Result] = []
    for item in reversed(last):
        found = await stage.remove(item, with_data=work.release.with_data)
        if found.state in (GOING, "") or found.outcome is Outcome.failed:
            left.append(found)
    still = [one.item for one in left]
    if not left and not rest:
        fact = events.Deleted(**service.about(work.release, work.cluster))
        values = {"deployed_revision": None, "drift": []}
        return work.step(Status.deleted, inventory=[], values=values, fact=fact)
    if left and (left[0].outcome is Outcome.failed or work.is_late()):
        said = f"{left[0].item.title}: {left[0].message or 'it does not go'} {left[0].hint}"
        return _not_removed(work, said.strip(), [*rest, *still])
    again_in = _STAGE_SECONDS if left else 0
    return work.step(Status.deleting, inventory=[*rest, *still], again_in=again_in)


def _not_removed(work: Work, reason: str, inventory: list[Item]) -> Step:
    fact = events.Failed(
        **service.about(work.release, work.cluster),
        revision=work.revision.number,
        reason=reason[:500],
    )
    return work.step(Status.failed, reason=reason, inventory=inventory, fact=fact)


def _last_stage(items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """(the stages before, the last one), each in the order of applying."""
    from windlass.charts.stages import stages

    manifests = [
        {"apiVersion": item.api_version, "kind": item.kind, "metadata": {"name": item.name}}
        for item in items
    ]
    found = [[items[index] for index in stage] for stage in stages(manifests)]
    return [item for stage in found[:-1] for item in stage], found[-1] if found else []
