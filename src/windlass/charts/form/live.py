"""Objects of a running cluster as somebody would have written them: without what the cluster adds,
and without what other objects make (pods of a Deployment, endpoints of a Service).
"""

import copy
from collections.abc import Iterable
from typing import Any, cast

Data = dict[str, Any]
_METADATA = frozenset(
    [
        "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers",
        "generation", "managedFields", "ownerReferences", "resourceVersion", "selfLink", "uid",
    ]
)  # fmt: skip
_ANNOTATIONS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubectl.kubernetes.io/restartedAt",
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "control-plane.alpha.kubernetes.io/leader",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
    "autoscaling.alpha.kubernetes.io/",
)
_MADE = frozenset(["Endpoints", "EndpointSlice", "Event", "ControllerRevision", "Lease"])
# What the API server writes where nobody says anything: left out, it writes it again.
_POD = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "securityContext": {},
}
_CONTAINER = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "resources": {},
}
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_SPEC: dict[str, Data] = {
    "Deployment": {
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 10,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
        },
    },
    "StatefulSet": {"revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady"},
    "DaemonSet": {"revisionHistoryLimit": 10},
    "Service": {
        "internalTrafficPolicy": "Cluster",
        "ipFamilyPolicy": "SingleStack",
        "sessionAffinity": "None",
        "type": "ClusterIP",
    },
    "PersistentVolumeClaim": {"volumeMode": "Filesystem"},
}
_GIVEN_OUT = {
    "Service": ("clusterIP", "clusterIPs", "ipFamilies", "healthCheckNodePort"),
    "PersistentVolumeClaim": ("volumeName",),
}


def applied(objects: Iterable[Data]) -> list[Data]:
    """The objects that somebody wrote, as they may be applied elsewhere."""
    return [_applied(one) for one in objects if not _is_made(one)]


def _is_made(one: Data) -> bool:
    metadata = _table(one, "metadata")
    name, kind = str(metadata.get("name")), one.get("kind")
    return (
        any(_is_controller(owner) for owner in metadata.get("ownerReferences") or [])
        or kind in _MADE
        or (kind == "ConfigMap" and name == "kube-root-ca.crt")
        or (kind == "ServiceAccount" and name == "default")
        or (kind == "Secret" and one.get("type") == "kubernetes.io/service-account-token")
        or (kind == "Secret" and str(one.get("type")).startswith("helm.sh/"))
    )


def _is_controller(owner: object) -> bool:
    return isinstance(owner, dict) and bool(cast(Data, owner).get("controller"))


def _applied(one: Data) -> Data:
    made = copy.deepcopy(one)
    is_live = "uid" in _table(made, "metadata")
    if not is_live:
        return made
    made.pop("status", None)
    _described(made)
    spec = made.get("spec")
    if isinstance(spec, dict):
        kind = str(made.get("kind"))
        _without(cast(Data, spec), _SPEC.get(kind, {}))
        if not (kind == "Service" and spec.get("clusterIP") == "None"):
            for name in _GIVEN_OUT.get(kind, ()):
                spec.pop(name, None)
        for port in spec.get("ports") or [] if kind == "Service" else []:
            _without(port, {"protocol": "TCP"})
            if port.get("targetPort") == port.get("port"):
                port.pop("targetPort", None)
        for pod in _pods(kind, cast(Data, spec)):
            _pod(pod)
    return made


def _pods(kind: str, spec: Data) -> Iterable[Data]:
    if kind == "CronJob":
        spec = _table(_table(spec, "jobTemplate"), "spec")
    template = _table(spec, "template")
    if template:
        _described(template)
        yield _table(template, "spec")
    elif kind == "Pod":
        spec.pop("nodeName", None)
        yield spec


def _pod(spec: Data) -> None:
    _without(spec, _POD)
    # The older name of serviceAccountName, written beside it.
    spec.pop("serviceAccount", None)
    for group in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(group) or []:
            _without(container, _CONTAINER)
            image = str(container.get("image")).rpartition("/")[2]
            usual = "IfNotPresent" if ":" in image and not image.endswith(":latest") else "Always"
            _without(container, {"imagePullPolicy": usual})
            for port in container.get("ports") or []:
                _without(port, {"protocol": "TCP"})
            for name in ("livenessProbe", "readinessProbe", "startupProbe"):
                if isinstance(probe := container.get(name), dict):
                    _without(cast(Data, probe), _PROBE)
                    if isinstance(get := probe.get("httpGet"), dict):
                        _without(cast(Data, get), {"scheme": "HTTP"})


def _described(holder: Data) -> None:
    metadata = _table(holder, "metadata")
    for name in _METADATA & metadata.keys():
        del metadata[name]
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict):
        for name in [one for one in annotations if str(one).startswith(_ANNOTATIONS)]:
            del annotations[name]
        if not annotations:
            del metadata["annotations"]


def _without(holder: Data, usual: Data) -> None:
    for name, value in usual.items():
        if holder.get(name) == value:
            del holder[name]


def _table(holder: Data, key: str) -> Data:
    found = holder.get(key)
    return cast(Data, found) if isinstance(found, dict) else {}
