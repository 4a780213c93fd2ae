"""Which field of a form a place of a manifest comes from, so that a finding stands beside the field
that causes it, and its fix can be made there.
"""

from collections.abc import Sequence
from typing import cast

import msgspec

from windlass.charts import order
from windlass.charts.documents import Path
from windlass.charts.form.recover import CONTAINERS, OPTIONS
from windlass.charts.generate import resources, workloads
from windlass.charts.model import Application, Manifest

Data = dict[str, object]
_PODS: dict[str, Path] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_POD: Path = ("spec", "template", "spec")
# What makes an object that nobody wrote.
_CAUSES: dict[str, Path] = {
    "Namespace": ("namespace",),
    "ResourceQuota": ("quota",),
    "ServiceAccount": ("access",),
    "Role": ("access",),
    "RoleBinding": ("access",),
    "NetworkPolicy": ("network",),
    "Gateway": ("gateway",),
    "HTTPRoute": ("domain",),
    "Ingress": ("domain",),
    "Certificate": ("certificate",),
    "Issuer": ("certificate",),
    "BackendTrafficPolicy": ("requestsPerSecond",),
    "Middleware": ("requestsPerSecond",),
}
_OF_WORKLOADS: dict[str, Path] = {
    "Service": ("containers",),
    "PersistentVolumeClaim": ("storage",),
    "HorizontalPodAutoscaler": ("autoscale",),
    "PodDisruptionBudget": ("replicas",),
}
_DESCRIBED = frozenset(["name", "namespace", "labels", "annotations"])


class Origin(msgspec.Struct, frozen=True):
    """Where an object comes from: the workload or resource, or the field that makes it."""

    path: Path
    is_generated: bool


def origins(app: Application, manifests: Sequence[Data]) -> list[Origin]:
    """The origin of each of the manifests that were made of a form."""
    own: dict[object, Path] = {}
    for index, one in enumerate(app.workloads):
        own[order.identity(workloads.manifest(app, one))] = ("workloads", index)
    for index, one in enumerate(app.resources):
        own[order.identity(resources.manifest(app, one))] = ("resources", index)
    return [
        Origin(found, is_generated=False)
        if (found := own.get(order.identity(one))) is not None
        else Origin(_cause(app, one), is_generated=True)
        for one in manifests
    ]


def _cause(app: Application, manifest: Data) -> Path:
    kind = str(manifest.get("kind"))
    if kind in _OF_WORKLOADS:
        name = order.identity(manifest)[3]
        for index, one in enumerate(app.workloads):
            if name == one.name or name.startswith(f"{one.name}-"):
                return ("workloads", index, *_OF_WORKLOADS[kind])
    return _CAUSES.get(kind, ())


def place(app: Application, origin: Origin, path: Path) -> Path:
    """The field of the form behind a path of the object."""
    if origin.is_generated or len(origin.path) != 2:
        return origin.path
    group, index = cast(tuple[str, int], origin.path)
    if group == "workloads":
        return (*origin.path, *_in_workload(app.workloads[index].type, path))
    resource = app.resources[index]
    if isinstance(resource, Manifest):
        return (*origin.path, "manifest", *path)
    if path[:1] == ("metadata",):
        return (*origin.path, *_described(path[1:]))
    if type(resource).__name__ == "Secret":
        if path[:1] == ("type",):
            return (*origin.path, "secretType")
        if path[:1] == ("data",) and path[1:2] and path[1] in (resource.values or {}):  # type: ignore[union-attr]
            return (*origin.path, "values", *path[1:])
    return (*origin.path, *path)


def _in_workload(kind: str, path: Path) -> Path:
    if path[:1] == ("metadata",):
        return _described(path[1:])
    pod = _PODS.get(kind, _POD)
    if path[: len(pod)] == pod:
        rest = path[len(pod) :]
        if rest and rest[0] in CONTAINERS:
            return rest
        return ("pod", *rest)
    if path[: len(pod)] == (*pod[:-1], "metadata"):
        rest = path[len(pod) :]
        names: dict[object, str] = {"labels": "podLabels", "annotations": "podAnnotations"}
        return (names[rest[0]], *rest[1:]) if rest and rest[0] in names else ()
    if path[:1] != ("spec",) or len(path) < 2:
        return ()
    if kind == "CronJob":
        inner = ("spec", "jobTemplate", "spec")
        return ("job", *path[3:]) if path[:3] == inner else ("cronJob", *path[1:])
    if path[1] in ("replicas", "selector"):
        return path[1:]
    return (_camel(OPTIONS[kind][0]), *path[1:]) if kind in OPTIONS else ()


def _described(path: Path) -> Path:
    return path if path and path[0] in _DESCRIBED else ("extra", "metadata", *path)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
