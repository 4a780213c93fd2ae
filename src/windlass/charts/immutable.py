"""Fields that cannot be changed once an object is there: only deleting and making it anew can."""

from collections.abc import Iterator, Mapping
from typing import cast

from windlass.charts.checks.views import Table, get, listed, table, text
from windlass.charts.quantities import parse

_FIELDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Deployment": (("spec", "selector"),),
    "ReplicaSet": (("spec", "selector"),),
    "DaemonSet": (("spec", "selector"),),
    "Job": (
        ("spec", "template"),
        ("spec", "selector"),
        ("spec", "completionMode"),
        ("spec", "podFailurePolicy"),
    ),
    "Service": (("spec", "clusterIP"), ("spec", "clusterIPs")),
    "Secret": (("type",),),
    "RoleBinding": (("roleRef",),),
    "ClusterRoleBinding": (("roleRef",),),
    "StorageClass": (
        ("provisioner",),
        ("parameters",),
        ("reclaimPolicy",),
        ("volumeBindingMode",),
    ),
    "PriorityClass": (("value",), ("preemptionPolicy",)),
    "RuntimeClass": (("handler",),),
    "IngressClass": (("spec", "controller"),),
    "CustomResourceDefinition": (("spec", "group"), ("spec", "scope"), ("spec", "names", "plural")),
}
# Kinds whose `spec` is fixed as a whole, but for these fields.
_FREE: dict[str, frozenset[str]] = {
    "StatefulSet": frozenset(
        (
            "replicas",
            "template",
            "updateStrategy",
            "persistentVolumeClaimRetentionPolicy",
            "minReadySeconds",
            "ordinals",
            "revisionHistoryLimit",
        )
    ),
    "PersistentVolumeClaim": frozenset(("resources", "volumeAttributesClassName")),
    "Pod": frozenset(
        ("containers", "initContainers", "activeDeadlineSeconds", "tolerations",
         "terminationGracePeriodSeconds", "schedulingGates")
    ),
}  # fmt: skip


def immutable(live: Mapping[str, object], wanted: Mapping[str, object]) -> list[str]:
    """Paths of what the API server will refuse to change, and what was asked of it."""
    before, after = dict(live), dict(wanted)
    return sorted(dict.fromkeys(_found(before, after)))


def _found(before: Table, after: Table) -> Iterator[str]:
    kind = text(after.get("kind"))
    for path in _FIELDS.get(kind, ()):
        if _is_other(get(before, *path), get(after, *path)):
            yield ".".join(path)
    if kind in _FREE:
        spec, now = table(before.get("spec")), table(after.get("spec"))
        for field, value in now.items():
            if field not in _FREE[kind] and _is_other(spec.get(field), value, absent=False):
                yield f"spec.{field}"
    if kind == "Pod":
        yield from _containers(before, after)
    if kind == "PersistentVolumeClaim" and _is_smaller(before, after):
        yield "spec.resources.requests.storage"
    if kind in ("ConfigMap", "Secret") and before.get("immutable") is True:
        for field in ("data", "binaryData", "immutable"):
            if _is_other(before.get(field), after.get(field), absent=False):
                yield field


def _containers(before: Table, after: Table) -> Iterator[str]:
    """Of a pod's containers only the image can change."""
    for field in ("containers", "initContainers"):
        one, other = (listed(get(side, "spec", field)) for side in (before, after))
        without = [
            [{k: v for k, v in table(item).items() if k != "image"} for item in side]
            for side in (one, other)
        ]
        if _is_other(without[0], without[1]):
            yield f"spec.{field}"


def _is_smaller(before: Table, after: Table) -> bool:
    amounts = [
        parse(text(get(side, "spec", "resources", "requests", "storage")))
        for side in (before, after)
    ]
    return amounts[0] is not None and amounts[1] is not None and amounts[1] < amounts[0]


def _is_other(live: object, wanted: object, *, absent: bool = True) -> bool:
    """Whether what is asked for is not there already. Defaults that the API server added to what
    is there are no difference; `absent`: what is not there at all can still be set."""
    if wanted is None or (live is None and absent):
        return False
    if isinstance(wanted, dict):
        found = table(live)
        fields = cast(Table, wanted).items()
        return any(_is_other(found.get(key), value, absent=False) for key, value in fields)
    if isinstance(wanted, list):
        items, now = listed(live), cast(list[object], wanted)
        if len(items) != len(now):
            return True
        return any(_is_other(*pair, absent=False) for pair in zip(items, now, strict=True))
    if live is None:
        return bool(wanted)  # The API server leaves out what is empty, 0 or false.
    return live != wanted and not _same_amount(live, wanted)


def _same_amount(live: object, wanted: object) -> bool:
    """`1000m` comes back as `1`."""
    amounts = [parse(one) if isinstance(one, str | int | float) else None for one in (live, wanted)]
    return amounts[0] is not None and amounts[0] == amounts[1]
