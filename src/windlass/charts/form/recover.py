"""Manifests → a form that makes exactly these manifests again: nothing is lost (K-114).

A value goes into a field of the form only when the field gives it back unchanged; everything else
goes into `extra`, and an object that does not fit at all stays a `Manifest`. So the promise does
not depend on how much of Kubernetes the form knows.
"""

import json
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar, cast, get_args

import msgspec

from windlass.charts.generate import resources, workloads
from windlass.charts.model import (
    API_VERSIONS,
    Application,
    Container,
    Kind,
    Manifest,
    PodOptions,
    Resource,
    Workload,
)
from windlass.charts.model.workloads import (
    CronJobOptions,
    DaemonSetOptions,
    DeploymentOptions,
    JobOptions,
    ReplicaSetOptions,
    StatefulSetOptions,
)

Data = dict[str, object]
T = TypeVar("T", bound=msgspec.Struct)
OPTIONS: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "Deployment": ("deployment", DeploymentOptions),
    "ReplicaSet": ("replica_set", ReplicaSetOptions),
    "StatefulSet": ("stateful_set", StatefulSetOptions),
    "DaemonSet": ("daemon_set", DaemonSetOptions),
    "Job": ("job", JobOptions),
}
CONTAINERS = {
    "containers": "containers",
    "initContainers": "init_containers",
    "ephemeralContainers": "ephemeral_containers",
}
_OWN = frozenset(["id", "name", "namespace", "labels", "annotations", "extra", "values"])
_STRUCTS: dict[str, type[msgspec.Struct]] = {one.__name__: one for one in get_args(Resource)}


def form(manifests: Iterable[Data]) -> Application:
    """The form of manifests, with `defaults: none`: what is not in them is not added."""
    found = list(manifests)
    spaces = Counter(space for one in found if (space := _namespace(one)))
    most = spaces.most_common(1)[0][0] if spaces else "default"
    app = Application(defaults="none", namespace=most)
    for one in found:
        kind = one.get("kind")
        if kind in get_args(Kind):
            workload = _workload(app, one)
            if workload is not None and _same(workloads.manifest(app, workload), one):
                app.workloads.append(workload)
                continue
        elif isinstance(kind, str) and kind in _STRUCTS and kind != "Manifest":
            resource = _resource(app, one, kind)
            if resource is not None and _same(resources.manifest(app, resource), one):
                app.resources.append(resource)
                continue
        app.resources.append(Manifest(manifest=one))
    return app


def _workload(app: Application, manifest: Data) -> Workload | None:
    kind = cast(Kind, manifest["kind"])
    top, extra = _described(app, manifest)
    if not top or not isinstance(spec := manifest.get("spec"), dict):
        return None
    rest = dict(cast(Data, spec))
    kept: Data = {}
    if kind == "CronJob":
        pod = _cron(rest, kept)
    elif kind == "Pod":
        pod, rest = rest, {}
        _pod(pod, kept)
        extra |= {"spec": pod} if pod else {}
        return _made(Workload, {"type": kind, **top, **kept, "extra": extra})
    else:
        name, struct = OPTIONS[kind]
        options, rest = _fit(struct, rest)
        kept[name] = struct(**options)
        _take(Workload, rest, kept, "replicas", "selector")
        pod = rest
    _template(pod, kept)
    if rest:
        extra["spec"] = rest
    return _made(Workload, {"type": kind, **top, **kept, "extra": extra})


def _cron(rest: Data, kept: Data) -> Data:
    """Takes what a CronJob has of its own; what is left of its job is where the pod is."""
    options, left = _fit(CronJobOptions, rest)
    rest.clear()
    rest.update(left)
    kept["cron_job"] = _made(CronJobOptions, options)
    outer = _copied(rest, "jobTemplate")
    inner = _copied(outer, "spec") if outer is not None else None
    if inner is None:
        return {}
    options, left = _fit(JobOptions, inner)
    kept["job"] = JobOptions(**options)
    inner.clear()
    inner.update(left)
    return inner


def _template(holder: Data, kept: Data) -> None:
    """Takes labels, annotations and the pod out of `template`; what is left stays in `holder`."""
    template = _copied(holder, "template")
    if template is None:
        return
    metadata = _copied(template, "metadata")
    if metadata is not None:
        for key, name in (("labels", "pod_labels"), ("annotations", "pod_annotations")):
            if _is_texts(metadata.get(key)):
                kept[name] = metadata.pop(key)
        if not metadata:
            del template["metadata"]
    spec = _copied(template, "spec")
    if spec is not None:
        _pod(spec, kept)
        if not spec:
            del template["spec"]
    if not template:
        del holder["template"]


def _pod(spec: Data, kept: Data) -> None:
    """Takes what the form knows out of a pod's `spec`."""
    for key, name in CONTAINERS.items():
        items = spec.get(key)
        if isinstance(items, list) and items and all(isinstance(one, dict) for one in items):
            del spec[key]
            kept[name] = [_container(cast(Data, one)) for one in items]
    options, left = _fit(PodOptions, spec)
    kept["pod"] = PodOptions(**options)
    spec.clear()
    spec.update(left)


def _container(data: Data) -> Container:
    fields, rest = _fit(Container, data, but=frozenset(["id", "extra"]))
    return Container(**fields, extra=rest)


def _resource(app: Application, manifest: Data, kind: str) -> Resource | None:
    top, extra = _described(app, manifest)
    outside = ("apiVersion", "kind", "metadata")
    body = {key: one for key, one in manifest.items() if key not in outside}
    if kind == "Secret" and "type" in body:
        body["secretType"] = body.pop("type")
    struct = _STRUCTS[kind]
    fields, rest = _fit(struct, body, but=_OWN)
    inner = next((one for one in msgspec.structs.fields(struct) if one.name == "spec"), None)
    spec = rest.get("spec")
    if inner is not None and isinstance(spec, dict) and _is_struct(inner.type):
        known, left = _fit(inner.type, cast(Data, spec))
        if (made := _made(inner.type, known)) is not None:
            fields["spec"], rest["spec"] = made, left
    if "secretType" in rest:
        rest["type"] = rest.pop("secretType")
    return cast(Resource | None, _made(struct, {**top, **fields, "extra": {**extra, **rest}}))


def _described(app: Application, manifest: Data) -> tuple[Data, Data]:
    """(fields, extra) of what stands outside of `spec`; no fields when there is no name."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return {}, {}
    left = dict(cast(Data, metadata))
    space = left.get("namespace")
    top: Data = {"name": left.pop("name")}
    if isinstance(space, str) and space:
        del left["namespace"]
    top["namespace"] = None if space == app.namespace else space or ""
    for key in ("labels", "annotations"):
        if _is_texts(left.get(key)):
            top[key] = left.pop(key)
    extra: Data = {"metadata": left} if left else {}
    if manifest.get("apiVersion") != API_VERSIONS.get(str(manifest.get("kind"))):
        extra["apiVersion"] = manifest.get("apiVersion")
    if manifest.get("kind") in get_args(Kind):
        known = ("apiVersion", "kind", "metadata", "spec")
        extra |= {key: one for key, one in manifest.items() if key not in known}
    return top, extra


def _take(struct: type[msgspec.Struct], rest: Data, kept: Data, *names: str) -> None:
    for name in names:
        fields, _ = _fit(struct, {name: rest[name]} if name in rest else {})
        if fields:
            kept |= fields
            del rest[name]


def _fit(
    struct: type[msgspec.Struct], data: Data, *, but: frozenset[str] = frozenset()
) -> tuple[dict[str, Any], Data]:
    """(fields that give back exactly their value, everything else)."""
    fields: dict[str, Any] = {}
    rest: Data = {}
    known = _fields(struct)
    for key, value in data.items():
        field = known.get(key)
        if field is not None and field.name not in but:
            try:
                made = msgspec.convert(value, field.type)
            except msgspec.ValidationError:
                pass
            else:
                if made != _default(field) and _same(msgspec.to_builtins(made), value):
                    fields[field.name] = made
                    continue
        rest[key] = value
    return fields, rest


@lru_cache(maxsize=200)
def _fields(struct: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {one.encode_name: one for one in msgspec.structs.fields(struct)}


def _default(field: msgspec.structs.FieldInfo) -> object:
    factory = field.default_factory
    return field.default if factory is msgspec.NODEFAULT else factory()


def _made(struct: type[T], fields: Data) -> T | None:
    try:
        return struct(**fields)
    except TypeError:
        return None


def _copied(data: Data, key: str) -> Data | None:
    """The mapping at a key, copied, so that it can be taken apart."""
    found = data.get(key)
    if not isinstance(found, dict):
        return None
    data[key] = copy = dict(cast(Data, found))
    return copy


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _is_texts(value: object) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(one, str) for one in cast(Data, value).values())
    )


def _namespace(manifest: Data) -> str:
    metadata = manifest.get("metadata")
    space = metadata.get("namespace") if isinstance(metadata, dict) else None
    return space if isinstance(space, str) else ""


def _same(one: object, other: object) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
