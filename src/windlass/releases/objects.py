"""Documents as they are sent to the cluster, and whose an object there is."""

from typing import Any, cast

from windlass.adapters.kube import Client, Ref
from windlass.adapters.kube import errors as kube_errors
from windlass.adapters.kube.errors import Invalid
from windlass.releases.models import Item

Object = dict[str, Any]
# On every object of a release, and on nothing else: what we may take away again.
LABEL = "windlass.dev/release"
# What holds data, or takes what others made with it: it goes only when somebody says so.
KEEPS_DATA = frozenset({"PersistentVolumeClaim", "Namespace", "CustomResourceDefinition"})
_KEEP = ("windlass.dev/keep", "helm.sh/resource-policy")


def sent(document: Object, namespace: str, release: str) -> Object:
    """With the label, and otherwise as it was written."""
    metadata = cast(Object, document.get("metadata") or {})
    labels = cast(Object, metadata.get("labels") or {})
    return {**document, "metadata": {**metadata, "labels": {**labels, LABEL: release}}}


def without_label(document: Object) -> Object:
    """As whoever wrote it knows it."""
    metadata = dict(cast(Object, document.get("metadata") or {}))
    labels = {k: v for k, v in (metadata.pop("labels", None) or {}).items() if k != LABEL}
    return {**document, "metadata": {**metadata, **({"labels": labels} if labels else {})}}


def release_of(live: Object) -> str | None:
    """The release that an object belongs to."""
    labels = (live.get("metadata") or {}).get("labels") or {}
    found = labels.get(LABEL)
    return found if isinstance(found, str) else None


def uid_of(live: Object) -> str:
    return str((live.get("metadata") or {}).get("uid") or "")


def is_kept(live: Object, *, with_data: bool) -> bool:
    """Whether it stays when its release does not want it any more."""
    annotations = (live.get("metadata") or {}).get("annotations") or {}
    if annotations.get(_KEEP[0]) == "true" or annotations.get(_KEEP[1]) == "keep":
        return True
    return live.get("kind") in KEEPS_DATA and not with_data


def ref_of(item: Item) -> Ref:
    return Ref(item.api_version, item.kind, item.name, item.namespace or None)


async def live_of(kube: Client, ref: Ref) -> Object | None:
    """The object as it is; None where it, its namespace or its kind is not there."""
    try:
        return await kube.get(ref)
    except (kube_errors.NotFound, kube_errors.NoSuchKind):
        return None


def fixed_fields(error: Invalid, live: Object | None, document: Object) -> list[str]:
    """Which fields can only be changed by making the object anew; none: it is wrong otherwise."""
    from windlass.charts.immutable import immutable

    if live is None:
        return []
    found = immutable(live, document)
    said = [
        one.field
        for one in error.causes
        if "immutable" in one.message or "updates to statefulset spec" in one.message
    ]
    if not found and not said and "field is immutable" in error.message:
        return ["spec"]
    return sorted(dict.fromkeys([*found, *said]))
