"""What the API server writes into objects by itself, and what it refuses to have changed."""

from collections.abc import Callable, Iterator
from typing import Any

Object = dict[str, Any]
# Fields that cannot be changed, below `spec` or at the top; * stands for all but those after it.
_IMMUTABLE: dict[str, tuple[str, ...]] = {
    "Deployment": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "Job": ("spec.selector", "spec.template", "spec.completions", "spec.completionMode"),
    "Service": ("spec.clusterIP",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy"),
    "Secret": ("type",),
}
_SETS_MAY_CHANGE = {
    "replicas", "ordinals", "template", "updateStrategy", "minReadySeconds", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
}  # fmt: skip


def fill_in(kind: str, item: Object, *, address: Callable[[], str]) -> None:
    """The defaults of a kind."""
    spec: Object = item.get("spec") or {}
    match kind:
        case "Deployment":
            spec.setdefault("replicas", 1)
            spec.setdefault("revisionHistoryLimit", 10)
            spec.setdefault("progressDeadlineSeconds", 600)
            strategy = spec.setdefault("strategy", {})
            strategy.setdefault("type", "RollingUpdate")
            if strategy["type"] == "RollingUpdate":
                rolling = strategy.setdefault("rollingUpdate", {})
                rolling.setdefault("maxSurge", "25%")
                rolling.setdefault("maxUnavailable", "25%")
        case "StatefulSet":
            spec.setdefault("replicas", 1)
            spec.setdefault("revisionHistoryLimit", 10)
            spec.setdefault("podManagementPolicy", "OrderedReady")
            strategy = spec.setdefault("updateStrategy", {})
            strategy.setdefault("type", "RollingUpdate")
        case "DaemonSet":
            spec.setdefault("revisionHistoryLimit", 10)
            spec.setdefault("updateStrategy", {}).setdefault("type", "RollingUpdate")
        case "ReplicaSet":
            spec.setdefault("replicas", 1)
        case "Job":
            _job(item, spec)
        case "CronJob":
            spec.setdefault("concurrencyPolicy", "Allow")
            spec.setdefault("suspend", False)
            spec.setdefault("successfulJobsHistoryLimit", 3)
            spec.setdefault("failedJobsHistoryLimit", 1)
        case "Service":
            _service(spec, address)
        case "Secret":
            item.setdefault("type", "Opaque")
            _strings(item)
        case "PersistentVolumeClaim":
            spec.setdefault("volumeMode", "Filesystem")
        case "Namespace":
            item.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
            item.setdefault("status", {}).setdefault("phase", "Active")
            labels = item["metadata"].setdefault("labels", {})
            labels.setdefault("kubernetes.io/metadata.name", item["metadata"]["name"])
        case _:
            pass
    for pod in _pods(kind, item):
        _pod(pod, restart="Always" if kind not in ("Job", "CronJob") else None)


def _job(item: Object, spec: Object) -> None:
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completions", 1)
    spec.setdefault("parallelism", 1)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    uid = item["metadata"].get("uid", "")
    spec.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})
    labels = spec.setdefault("template", {}).setdefault("metadata", {}).setdefault("labels", {})
    labels.setdefault("batch.kubernetes.io/controller-uid", uid)
    labels.setdefault("batch.kubernetes.io/job-name", item["metadata"]["name"])


def _service(spec: Object, address: Callable[[], str]) -> None:
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    if spec["type"] == "ExternalName":
        return
    if not spec.get("clusterIP"):
        spec["clusterIP"] = address()
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    spec.setdefault("internalTrafficPolicy", "Cluster")
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port["port"])


def _strings(secret: Object) -> None:
    import base64

    for key, value in (secret.pop("stringData", None) or {}).items():
        data = secret.setdefault("data", {})
        data[key] = base64.b64encode(str(value).encode()).decode()


def _pods(kind: str, item: Object) -> Iterator[Object]:
    spec: Object = item.get("spec") or {}
    if kind == "Pod":
        yield spec
    if kind == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    found = (spec.get("template") or {}).get("spec")
    if kind != "Pod" and isinstance(found, dict):
        yield found


def _pod(pod: Object, *, restart: str | None) -> None:
    if restart:
        pod.setdefault("restartPolicy", restart)
    pod.setdefault("dnsPolicy", "ClusterFirst")
    pod.setdefault("schedulerName", "default-scheduler")
    pod.setdefault("terminationGracePeriodSeconds", 30)
    pod.setdefault("securityContext", {})
    if name := pod.get("serviceAccountName"):
        pod.setdefault("serviceAccount", name)
    for container in [*(pod.get("initContainers") or ()), *(pod.get("containers") or ())]:
        image = str(container.get("image") or "")
        newest = ":" not in image.rpartition("/")[2] or image.endswith(":latest")
        always = newest and "@" not in image
        container.setdefault("imagePullPolicy", "Always" if always else "IfNotPresent")
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        container.setdefault("resources", {})
        for port in container.get("ports") or ():
            port.setdefault("protocol", "TCP")
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            if (found := container.get(probe)) is not None:
                _probe(found)
    for volume in pod.get("volumes") or ():
        for source in ("configMap", "secret", "projected"):
            if (found := volume.get(source)) is not None:
                found.setdefault("defaultMode", 420)


def _probe(probe: Object) -> None:
    for field, value in (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ):
        probe.setdefault(field, value)
    if (get := probe.get("httpGet")) is not None:
        get.setdefault("scheme", "HTTP")


def frozen(kind: str, before: Object, after: Object) -> list[tuple[str, str]]:
    """(field, what the server says) of each field that was changed and must not be."""
    found = [
        (path, "field is immutable")
        for path in _IMMUTABLE.get(kind, ())
        if _at(before, path) is not None and _at(before, path) != _at(after, path)
    ]
    if kind in ("ConfigMap", "Secret") and before.get("immutable"):
        found += [
            (field, "field is immutable when `immutable` is set")
            for field in ("data", "binaryData")
            if before.get(field) != after.get(field)
        ]
    if kind == "StatefulSet":
        was, is_ = before.get("spec") or {}, after.get("spec") or {}
        if any(was.get(k) != is_.get(k) for k in {*was, *is_} - _SETS_MAY_CHANGE):
            message = (
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                "'template', 'updateStrategy', 'revisionHistoryLimit', "
                "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
            )
            found.append(("spec", message))
    if kind == "Pod" and _pod_changed(before, after):
        found.append(
            ("spec", "pod updates may not change fields other than `spec.containers[*].image`,…")
        )
    return found


def _pod_changed(before: Object, after: Object) -> bool:
    def rest(item: Object) -> Object:
        spec = {k: v for k, v in (item.get("spec") or {}).items() if k != "activeDeadlineSeconds"}
        spec["containers"] = [
            {k: v for k, v in one.items() if k != "image"} for one in spec.get("containers") or ()
        ]
        # Where it runs is the scheduler's to say.
        return {k: v for k, v in spec.items() if k not in ("nodeName", "tolerations")}

    return rest(before) != rest(after)


def _at(item: Object, path: str) -> Any:
    found: Any = item
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def lacking(kind: str, item: Object) -> list[tuple[str, str]]:
    """(field, message) of what the schema does not say and the server refuses all the same."""
    found: list[tuple[str, str]] = []
    spec: Object = item.get("spec") or {}
    if kind in ("Deployment", "DaemonSet", "StatefulSet", "ReplicaSet"):
        selected = (spec.get("selector") or {}).get("matchLabels") or {}
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        if not spec.get("selector"):
            found.append(("spec.selector", "Required value"))
        elif any(labels.get(key) != value for key, value in selected.items()):
            found.append(
                (
                    "spec.template.metadata.labels",
                    f"Invalid value: {labels}: `selector` does not match template `labels`",
                )
            )
    for pod in _pods(kind, item):
        if not pod.get("containers"):
            found.append(("spec.template.spec.containers", "Required value"))
        for index, one in enumerate(pod.get("containers") or ()):
            if not one.get("image"):
                found.append((f"spec.template.spec.containers[{index}].image", "Required value"))
    return found
