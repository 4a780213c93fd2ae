"""What a form leaves out gets the safe value: "restricted" of the Pod Security Standards, a
read-only root, requests and limits, probes. What a form says is never changed (K-081).
"""

from collections.abc import Mapping
from typing import cast

from windlass.charts import quantities
from windlass.charts.model import Application, Workload
from windlass.charts.model.containers import Container, ContainerPort

Data = dict[str, object]

USER = 10_001
"""An id that no image and no node uses for somebody else."""
_REQUESTS: dict[str, str] = {"cpu": "100m", "memory": "128Mi"}
_LIMITS: dict[str, str] = {"cpu": "500m", "memory": "256Mi"}
_TMP = "/tmp"  # noqa: S108 - inside of the container


def pod(app: Application, workload: Workload, spec: Data, replicas: int, labels: Data) -> Data:
    """The pod's own options, completed."""
    security = _table(spec, "securityContext")
    if _is_windows(spec):
        security.setdefault("runAsNonRoot", True)
    else:
        security.setdefault("seccompProfile", {"type": "RuntimeDefault"})
        if _is_root(security, workload):
            # Somebody wants root and says so: the rest would contradict it.
            pass
        else:
            security.setdefault("runAsNonRoot", True)
            security.setdefault("runAsUser", USER)
            security.setdefault("runAsGroup", USER)
            security.setdefault("fsGroup", USER)
    made: Data = {**spec, "securityContext": security}
    made.setdefault("automountServiceAccountToken", bool(app.access and app.access.token))
    made.setdefault("enableServiceLinks", False)
    if replicas > 1 and "affinity" not in made:
        made.setdefault(
            "topologySpreadConstraints",
            [
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": labels},
                }
            ],
        )
    return made


def container(
    data: Data, model: Container, ports: list[ContainerPort], *, is_running: bool, is_windows: bool
) -> Data:
    """A container, completed: what it may do, what it uses, how it is asked."""
    made = dict(data)
    security = _table(data, "securityContext")
    if not security.get("privileged"):
        capabilities = _table(security, "capabilities")
        added = cast(list[str], capabilities.get("add") or [])
        if "SYS_ADMIN" not in added and "CAP_SYS_ADMIN" not in added:
            security.setdefault("allowPrivilegeEscalation", False)
        if not is_windows:
            capabilities.setdefault("drop", ["ALL"])
            security["capabilities"] = capabilities
            security.setdefault("readOnlyRootFilesystem", True)
    if security:
        made["securityContext"] = security
    made["resources"] = _resources(_table(data, "resources"))
    probed = next((one for one in ports if one.protocol in (None, "TCP")), None)
    if is_running and probed is not None:
        socket: Data = {"tcpSocket": {"port": probed.name}}
        made.setdefault("readinessProbe", {**socket, "periodSeconds": 10})
        made.setdefault("livenessProbe", {**socket, "periodSeconds": 20, "failureThreshold": 6})
    return made


def writable_tmp(spec: Data) -> Data:
    """Containers with a read-only root get a `/tmp` that they can write to."""
    containers = cast(list[Data], spec.get("containers") or [])
    closed = [one for one in containers if _wants_tmp(one)]
    if not closed:
        return spec
    for one in closed:
        mounts = cast(list[Data], one.get("volumeMounts") or [])
        one["volumeMounts"] = [*mounts, {"name": "tmp", "mountPath": _TMP}]
    volumes = cast(list[Data], spec.get("volumes") or [])
    if any(one.get("name") == "tmp" for one in volumes):
        return spec
    return {**spec, "volumes": [*volumes, {"name": "tmp", "emptyDir": {"sizeLimit": "128Mi"}}]}


def _wants_tmp(container: Data) -> bool:
    mounts = cast(list[Data], container.get("volumeMounts") or [])
    read_only = _table(container, "securityContext").get("readOnlyRootFilesystem")
    return read_only is True and not any(one.get("mountPath") == _TMP for one in mounts)


def _resources(resources: Data) -> Data:
    asked, most = _table(resources, "requests"), _table(resources, "limits")
    requests, limits = dict(asked), dict(most)
    for name, usual in _REQUESTS.items():
        if name not in asked:
            limit = cast(str | None, most.get(name))
            # A container with a small limit asks for no more than that.
            requests[name] = usual if limit is None or _fits(usual, limit) else limit
    for name, usual in _LIMITS.items():
        if name not in most:
            limits[name] = quantities.larger(usual, cast(str, requests[name]))
    return {**resources, "requests": requests, "limits": limits}


def _fits(amount: str, limit: str) -> bool:
    one, other = quantities.parse(amount), quantities.parse(limit)
    return one is None or other is None or one <= other


def _is_root(security: Data, workload: Workload) -> bool:
    if security.get("runAsUser") == 0 or security.get("runAsNonRoot") is False:
        return True
    contexts = [one.security_context for one in workload.containers]
    return any(one and (one.run_as_user == 0 or one.run_as_non_root is False) for one in contexts)


def _is_windows(spec: Data) -> bool:
    return _table(spec, "os").get("name") == "windows"


def _table(data: Mapping[str, object], key: str) -> Data:
    found = data.get(key)
    return dict(cast(Data, found)) if isinstance(found, dict) else {}
