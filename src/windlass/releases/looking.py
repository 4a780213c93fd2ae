"""The pods, events and logs of a release, read from its cluster when somebody asks."""

import datetime as dt
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from windlass.adapters.kube import Client
from windlass.adapters.kube.errors import Invalid, KubeError, NotFound
from windlass.releases import objects
from windlass.releases.errors import ObjectNotFound, ReadOnlyObject
from windlass.releases.gate import WORKLOADS
from windlass.releases.models import Item
from windlass.releases.objects import Object
from windlass.releases.schemas import EventOut, LogsOut, PodOut, ResourceOut

_TAIL_LINES = 20
_TAIL_BYTES = 64 << 10
_MOST_PODS = 50
# Made for the others of a release; they go with it (K-115).
READ_ONLY = frozenset(
    {
        "Certificate", "ClusterRole", "ClusterRoleBinding", "Issuer", "LimitRange",
        "NetworkPolicy", "ResourceQuota", "Role", "RoleBinding", "ServiceAccount",
    }
)  # fmt: skip
_JOBS = ("batch/v1", "Job")


async def pods_of(kube: Client, namespace: str, items: Iterable[Item]) -> list[Object]:
    """The pods of these workloads, each once. Each says in `owner` whose it is."""
    found: dict[str, Object] = {}
    for item in items:
        if item.kind not in WORKLOADS:
            continue
        live = await objects.live_of(kube, objects.ref_of(item))
        if live is None:
            continue
        for pod in await _of_workload(kube, live, item, namespace):
            found.setdefault(objects.uid_of(pod), {**pod, "owner": item.title})
    return list(found.values())


async def _of_workload(kube: Client, live: Object, item: Item, namespace: str) -> list[Object]:
    if item.kind == "Pod":
        return [live]
    if item.kind == "CronJob":
        jobs = (await kube.list(*_JOBS, item.namespace or namespace)).items
        mine = [job for job in jobs if objects.uid_of(live) in _owners(job)]
        return [pod for job in mine for pod in await _selected(kube, job, namespace)]
    return await _selected(kube, live, namespace)


async def _selected(kube: Client, live: Object, namespace: str) -> list[Object]:
    labels = selector_of((live.get("spec") or {}).get("selector") or {})
    return (await kube.list("v1", "Pod", namespace, labels=labels)).items if labels else []


def selector_of(selector: dict[str, Any]) -> str:
    """A selector as a query knows it; "" selects nothing here."""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or ():
        key, values = one.get("key"), ",".join(one.get("values") or ())
        match one.get("operator"):
            case "In":
                parts.append(f"{key} in ({values})")
            case "NotIn":
                parts.append(f"{key} notin ({values})")
            case "Exists":
                parts.append(str(key))
            case "DoesNotExist":
                parts.append(f"!{key}")
            case _:
                pass
    return ",".join(parts)


def _owners(live: Object) -> set[str]:
    references = (live.get("metadata") or {}).get("ownerReferences") or ()
    return {str(one.get("uid")) for one in references}


async def events_of(
    kube: Client, namespace: str, items: Sequence[Item], pods: Sequence[Object]
) -> list[Object]:
    """What the cluster says about these objects and what they made, the newest last."""
    if not items:
        return []
    names = {(item.kind, item.name) for item in items}
    names |= {("Pod", str(pod["metadata"]["name"])) for pod in pods}
    makers = [item.name for item in items if item.kind in ("Deployment", "CronJob", "StatefulSet")]
    found: list[Object] = []
    for event in (await kube.list("v1", "Event", namespace)).items:
        about: Object = event.get("involvedObject") or {}
        kind, name = str(about.get("kind")), str(about.get("name"))
        if (kind, name) in names or any(_is_made_by(kind, name, maker) for maker in makers):
            found.append(event)
    return sorted(found, key=_when)


def _is_made_by(kind: str, name: str, maker: str) -> bool:
    """A ReplicaSet of a Deployment, a Job of a CronJob, a claim of a StatefulSet: by their names,
    as the objects themselves may be gone."""
    if kind == "PersistentVolumeClaim":
        return name.rpartition("-")[0].endswith(f"-{maker}")
    return kind in ("ReplicaSet", "Job", "Pod") and name.startswith(f"{maker}-")


def _when(event: Object) -> str:
    metadata = event.get("metadata") or {}
    for found in (event.get("lastTimestamp"), event.get("eventTime")):
        if found:
            return str(found)
    return str(metadata.get("creationTimestamp") or "")


async def tail(
    kube: Client,
    namespace: str,
    pod: str,
    container: str | None,
    *,
    lines: int = _TAIL_LINES,
    previous: bool = False,
) -> list[str]:
    """The last lines of a container. Raises KubeError."""
    parts: list[bytes] = []
    stream = kube.logs(
        namespace, pod, container, tail=lines, previous=previous, most_bytes=_TAIL_BYTES
    )
    async with aclosing(stream) as found:  # pyright: ignore[reportArgumentType] - a generator
        async for part in found:
            parts.append(part)
    return b"".join(parts).decode(errors="replace").splitlines()[-lines:]


async def reason(kube: Client, namespace: str, items: Sequence[Item]) -> str | None:
    """Why these objects do not become what they should: the first of what is in the way, with the
    last lines of a log where a program ended."""
    from windlass.charts.trouble import troubles

    try:
        pods = await pods_of(kube, namespace, items)
        found = troubles(pods, await events_of(kube, namespace, items, pods))
    except KubeError:
        return None
    if not found:
        return None
    first = found[0]
    where = f"{first.pod}, container {first.container}" if first.container else first.pod
    said = f"{where}: {first.message}" if where else first.message
    if not first.has_log:
        return said
    try:
        lines = await tail(kube, namespace, first.pod, first.container, previous=first.is_previous)
    except NotFound:
        lines = []
    except KubeError:
        return said
    return said + "".join(f"\n  {line[:300]}" for line in lines[-_TAIL_LINES:])


async def resource(kube: Client, item: Item) -> ResourceOut:
    """One object of a release as it is now."""
    from windlass.charts.rollout import verdict

    try:
        live = await objects.live_of(kube, objects.ref_of(item))
        found = verdict(live)
        state, message = found.state.value, found.message
    except KubeError as error:
        state, message = "unknown", error.message
    return ResourceOut(
        api_version=item.api_version,
        kind=item.kind,
        name=item.name,
        namespace=item.namespace,
        state=state,
        message=message,
        is_deletable=item.kind not in READ_ONLY and item.kind not in objects.KEEPS_DATA,
        keeps_data=item.kind in objects.KEEPS_DATA,
    )


def refuse_read_only(item: Item) -> None:
    if item.kind in READ_ONLY or item.kind in objects.KEEPS_DATA:
        raise ReadOnlyObject(object=item.title)


async def remove_one(kube: Client, item: Item, release: str) -> None:
    """Only where it is this release's. Raises KubeError."""
    ref = objects.ref_of(item)
    live = await objects.live_of(kube, ref)
    if live is None or objects.release_of(live) != release:
        raise ObjectNotFound()
    await kube.delete(ref, uid=objects.uid_of(live) or None)


async def logs_of(
    kube: Client,
    namespace: str,
    items: Sequence[Item],
    *,
    pod: str | None,
    container: str | None,
    lines: int,
    previous: bool,
) -> list[LogsOut]:
    """Of each container of its pods, or of those that are named: only of its own pods."""
    found: list[LogsOut] = []
    for one in (await pods_of(kube, namespace, items))[:_MOST_PODS]:
        name = str(one["metadata"]["name"])
        if pod not in (None, name):
            continue
        for each in _containers(one):
            if container not in (None, each):
                continue
            try:
                told = await tail(kube, namespace, name, each, lines=lines, previous=previous)
            except (Invalid, NotFound):
                told = []  # It has not begun, or there was no run before.
            found.append(LogsOut(pod=name, container=each, lines=told, is_previous=previous))
    if not found and (pod or container):
        raise ObjectNotFound()
    return found


def pod(live: Object) -> PodOut:
    from windlass.charts.trouble import troubles

    status: Object = live.get("status") or {}
    states: list[Object] = status.get("containerStatuses") or []
    wrong = troubles([live], [])
    return PodOut(
        name=str(live["metadata"]["name"]),
        phase=str(status.get("phase") or "Pending"),
        ready=f"{sum(bool(one.get('ready')) for one in states)}/{len(_containers(live))}",
        restarts=sum(int(one.get("restartCount") or 0) for one in states),
        node=str((live.get("spec") or {}).get("nodeName") or ""),
        owner=str(live.get("owner") or ""),
        containers=_containers(live),
        message=wrong[0].message if wrong else "",
        created_at=_time(live["metadata"].get("creationTimestamp")),
    )


def _containers(live: Object) -> list[str]:
    spec: Object = live.get("spec") or {}
    return [str(one.get("name")) for one in spec.get("containers") or ()]


def event(live: Object) -> EventOut:
    about: Object = live.get("involvedObject") or {}
    return EventOut(
        type=str(live.get("type") or "Normal"),
        reason=str(live.get("reason") or ""),
        message=str(live.get("message") or ""),
        object=f"{about.get('kind')}/{about.get('name')}",
        count=int(live.get("count") or 1),
        last_seen=_time(_when(live)),
    )


def _time(text: object) -> dt.datetime | None:
    try:
        return msgspec.convert(text, dt.datetime, strict=False) if text else None
    except msgspec.ValidationError:
        return None
