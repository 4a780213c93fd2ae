"""Whether somebody changed in the cluster what a release has deployed.

For each document: what is there now, and what it would be if it were applied again without force.
Two small requests each, every ten minutes; a cluster that is away is no drift.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from windlass.adapters.kube import Client
from windlass.adapters.kube.errors import Conflict, KubeError
from windlass.core import clock
from windlass.core.loop import Step
from windlass.releases import events, objects, saying, service
from windlass.releases.manifests import Documents, item_in
from windlass.releases.models import Item
from windlass.releases.phases import Status
from windlass.releases.work import DRIFT_SECONDS, Work


class Drift(msgspec.Struct, kw_only=True):
    """One object that is not as it was deployed."""

    item: Item
    is_missing: bool = False
    message: str = ""
    changes: list[dict[str, Any]] = msgspec.field(default_factory=list[dict[str, Any]])


async def look(work: Work) -> Step:
    """The release stays deployed; what drifted is written, and told once."""
    documents = Documents.of(work.manifest()).objects
    try:
        async with work.kube() as kube:
            found = await drifts(kube, documents, work.release.namespace, work.label)
    except KubeError as error:
        return work.step(
            Status.deployed, again_in=DRIFT_SECONDS, values={"loop_error": saying.line(error)}
        )
    told = msgspec.to_builtins(found)
    is_news = bool(found) and not work.release.drift
    fact = (
        events.Drifted(**service.about(work.release, work.cluster), objects=len(found))
        if is_news
        else None
    )
    values = {"drift": told, "drift_checked_at": clock.now()}
    return work.step(Status.deployed, again_in=DRIFT_SECONDS, values=values, fact=fact)


async def drifts(
    kube: Client, documents: Sequence[dict[str, Any]], namespace: str, release: str
) -> list[Drift]:
    from windlass.charts.changes import changes

    found: list[Drift] = []
    for document in documents:
        item = item_in(document, namespace)
        live = await objects.live_of(kube, objects.ref_of(item))
        if live is None and _goes_by_itself(document):
            continue
        if live is None:
            found.append(Drift(item=item, is_missing=True, message="It is not there any more"))
            continue
        sent = objects.sent(document, namespace, release)
        try:
            again = (await kube.apply(sent, namespace=namespace, dry_run=True)).object
        except Conflict as error:
            again = (await kube.apply(sent, namespace=namespace, dry_run=True, force=True)).object
            message = "Others decide now: " + ", ".join(saying.owners(error))
        else:
            message = ""
        differing = changes(again, live)
        if differing:
            told = [msgspec.to_builtins(one) for one in differing]
            found.append(Drift(item=item, message=message, changes=told))
    return found


def _goes_by_itself(document: dict[str, Any]) -> bool:
    """A job that is cleaned up when it has ended."""
    spec: dict[str, Any] = document.get("spec") or {}
    return document.get("kind") == "Job" and "ttlSecondsAfterFinished" in spec
