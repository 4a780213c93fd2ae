"""In which order pages show the fields of a form. What is not named here comes last, folded."""

from collections.abc import Sequence

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod", "ReplicaSet")
RESOURCES = (
    "ConfigMap", "Secret", "Service", "HTTPRoute", "Ingress", "PersistentVolumeClaim",
    "NetworkPolicy", "HorizontalPodAutoscaler", "PodDisruptionBudget", "ServiceAccount", "Role",
    "RoleBinding", "GRPCRoute", "Gateway", "Certificate", "Issuer", "ResourceQuota", "LimitRange",
)  # fmt: skip
_RUNNING = ("Deployment", "StatefulSet", "DaemonSet", "Pod", "ReplicaSet")
_SCALED = ("Deployment", "StatefulSet", "ReplicaSet")
ONLY: dict[str, dict[str, Sequence[str]]] = {
    "Workload": {
        "replicas": _SCALED,
        "autoscale": _SCALED,
        "expose": _RUNNING,
        "selector": (*_SCALED, "DaemonSet"),
        "deployment": ("Deployment",),
        "replicaSet": ("ReplicaSet",),
        "statefulSet": ("StatefulSet",),
        "daemonSet": ("DaemonSet",),
        "job": ("Job", "CronJob"),
        "cronJob": ("CronJob",),
    },
}
"""Fields that only some types of workload have (K-071)."""
SUGGESTIONS = {
    "requests": ["cpu", "memory", "ephemeral-storage"],
    "limits": ["cpu", "memory", "ephemeral-storage"],
    "hard": ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "pods"],
    "add": ["NET_BIND_SERVICE"],
    "drop": ["ALL"],
    "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
}
"""Words that are often wanted in lists and as names."""
LABELS = {
    "env": "Variables",
    "envFrom": "Variables from",
    "args": "Arguments",
    "workingDir": "Working directory",
    "extra": "Fields that the form lacks",
    "tty": "Terminal",
    "stdin": "Standard input",
    "exec": "Command",
    "defaults": "What is left out",
    "cronJob": "Schedule",
}
"""Words for fields whose name says little."""
_REST = "More"
_SECTIONS: dict[str, list[tuple[str, list[str]]]] = {
    "Application": [
        ("", ["namespace", "domain", "environment"]),
        ("Traffic", ["requestsPerSecond", "rateLimiter", "routing", "gateway", "ingressClass"]),
        ("Certificate", ["certificate"]),
        ("Quota", ["quota"]),
        ("Network and access", ["network", "access", "podSecurity"]),
        ("Names and defaults", ["name", "labels", "defaults"]),
    ],
    "Workload": [
        ("", ["name", "replicas", "cronJob", "containers"]),
        ("Traffic", ["expose"]),
        ("Storage", ["storage"]),
        ("Scaling", ["autoscale"]),
        (
            "Updates and runs",
            ["deployment", "statefulSet", "daemonSet", "replicaSet", "job"],
        ),
        ("Pod", ["pod"]),
        ("More containers", ["initContainers", "ephemeralContainers"]),
        (
            "Labels and namespace",
            ["labels", "annotations", "podLabels", "podAnnotations", "selector", "namespace"],
        ),
        ("Anything else", ["extra"]),
    ],
    "Container": [
        ("", ["image", "name", "ports"]),
        ("Variables", ["env", "envFrom"]),
        ("Resources", ["resources"]),
        ("Command", ["command", "args", "workingDir"]),
        ("Health", ["readinessProbe", "livenessProbe", "startupProbe", "lifecycle"]),
        ("Volumes", ["volumeMounts", "volumeDevices"]),
        ("Security", ["securityContext"]),
        (
            "More",
            [
                "imagePullPolicy", "restartPolicy", "stdin", "stdinOnce", "tty",
                "terminationMessagePath", "terminationMessagePolicy", "resizePolicy",
                "targetContainerName",
            ],
        ),
        ("Anything else", ["extra"]),
    ],
    "PodOptions": [
        ("Volumes", ["volumes"]),
        (
            "Scheduling",
            [
                "nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "nodeName",
                "priorityClassName", "preemptionPolicy", "schedulerName", "schedulingGates",
                "runtimeClassName", "os",
            ],
        ),
        (
            "Identity and security",
            [
                "serviceAccountName", "automountServiceAccountToken", "imagePullSecrets",
                "securityContext", "hostUsers", "hostNetwork", "hostPID", "hostIPC",
                "shareProcessNamespace", "enableServiceLinks",
            ],
        ),
        (
            "Names and DNS",
            ["dnsPolicy", "dnsConfig", "hostAliases", "hostname", "subdomain", "setHostnameAsFQDN"],
        ),
        (
            "Life",
            [
                "restartPolicy", "terminationGracePeriodSeconds", "activeDeadlineSeconds",
                "resources",
            ],
        ),
    ],
    "Probe": [
        ("", ["httpGet", "tcpSocket", "exec", "grpc"]),
        (
            "Timing",
            [
                "periodSeconds", "timeoutSeconds", "failureThreshold", "initialDelaySeconds",
                "successThreshold", "terminationGracePeriodSeconds",
            ],
        ),
    ],
}  # fmt: skip
_LAST = ("labels", "annotations", "namespace", "extra")
_OPEN = 6
"""A part with no more fields than this shows all of them."""


def sections(part: str, names: list[str], needed: list[str]) -> list[tuple[str, list[str], bool]]:
    """(title, fields, whether it is open) of a part; every field is in exactly one of them."""
    if part in _SECTIONS:
        made = [(title, fields, not title) for title, fields in _SECTIONS[part]]
        named = {name for _, fields in _SECTIONS[part] for name in fields}
        rest = [name for name in names if name not in named]
        return [*made, *([(_REST, rest, False)] if rest else [])]
    last = [name for name in names if name in _LAST and len(names) > len(_LAST)]
    first = [name for name in names if name not in last]
    if len(first) > _OPEN:
        shown = [name for name in first if name in needed] + [
            name for name in first if name not in needed
        ]
        first, more = shown[:_OPEN], shown[_OPEN:]
    else:
        more = []
    rest = [*more, *last]
    return [("", first, True), *([(_REST, rest, False)] if rest else [])]


TITLES = tuple(dict.fromkeys(title for parts in _SECTIONS.values() for title, _ in parts if title))
"""Every title there is."""
