"""Where objects go and what they are called."""

import re
from collections.abc import Iterator

from windlass.charts.checks.rule import E, Found, I, Path, Profile, W, settings
from windlass.charts.checks.views import Container, Object, table, text
from windlass.charts.rules.examples import deployment, object_

DOCS = "https://kubernetes.io/docs/concepts/overview/working-with-objects/"
rule = settings(group="hygiene", references=(DOCS,))
CLUSTER_WIDE = frozenset(
    [
        "Namespace",
        "Node",
        "PersistentVolume",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "StorageClass",
        "IngressClass",
        "GatewayClass",
        "PriorityClass",
        "RuntimeClass",
        "CSIDriver",
        "CSINode",
        "APIService",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ClusterIssuer",
        "CertificateSigningRequest",
        "FlowSchema",
        "PriorityLevelConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "VolumeSnapshotClass",
        "ComponentStatus",
        "PodSecurityPolicy",
        "ClusterPolicy",
        "ClusterSecretStore",
        "ServiceCIDR",
        "IPAddress",
        "ClusterTrustBundle",
        "DeviceClass",
        "ResourceSlice",
    ]
)
LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
LABEL_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
LABEL_PREFIX = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
# Names that are a part of a path only.
FREELY_NAMED = frozenset(
    ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "CSIDriver", "Service")
)


@rule(
    "default-namespace",
    "The object goes into the namespace `default`",
    severity=W,
    profiles={Profile.lab: None, Profile.baseline: I},
    why="In `default` everything that names no namespace comes together: rights, quotas and "
    "policies cannot be told apart.",
    how="Give the application a namespace of its own, in `metadata.namespace` or with `-n`.",
    bad=deployment().replace("  name: app\n", "  name: app\n  namespace: default\n", 1),
    good=deployment().replace("  name: app\n", "  name: app\n  namespace: shop\n", 1),
)
def default_namespace(owner: Object) -> Iterator[Found]:
    if owner.kind in CLUSTER_WIDE:
        return
    # Without a namespace the one who applies it decides: only what is said is found.
    if owner.namespace == "default":
        yield owner.found("it goes into the namespace default", "metadata", "namespace")


@rule(
    "kube-system",
    "The object goes into a namespace of the cluster",
    severity=W,
    why="kube-system and its like hold the cluster's own parts; whoever has rights there can "
    "break or take over all.",
    how="Use a namespace of your own.",
    bad=deployment().replace("  name: app\n", "  name: app\n  namespace: kube-system\n", 1),
    good=deployment().replace("  name: app\n", "  name: app\n  namespace: shop\n", 1),
)
def kube_system(owner: Object) -> Iterator[Found]:
    if owner.kind not in CLUSTER_WIDE and owner.namespace in (
        "kube-system",
        "kube-public",
        "kube-node-lease",
    ):
        yield owner.found(f"it goes into the namespace {owner.namespace}", "metadata", "namespace")


@rule(
    "label-values",
    "A label that cannot be",
    severity=E,
    why="The API server refuses labels whose name or value breaks the rules.",
    how="Values have up to 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both "
    "ends; numbers and booleans "
    "need quotes. Longer texts are annotations.",
    bad=object_("v1", "ServiceAccount").replace(
        "  name: app\n", "  name: app\n  labels:\n    team: shop & cart\n"
    ),
    good=object_("v1", "ServiceAccount").replace(
        "  name: app\n", "  name: app\n  labels:\n    team: shop\n"
    ),
    references=("https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/",),
)
def label_values(owner: Object) -> Iterator[Found]:
    yield from _labels(owner, owner.labels, ("metadata", "labels"))
    if owner.pod is not None and owner.pod.top:
        yield from _labels(owner, owner.pod.labels, (*owner.pod.top, "metadata", "labels"))


def _labels(owner: Object, labels: dict[str, object], path: Path) -> Iterator[Found]:
    for key, value in labels.items():
        prefix, slash, name = key.rpartition("/")
        if not LABEL_NAME.fullmatch(name) or (slash and not LABEL_PREFIX.fullmatch(prefix)):
            yield owner.found(f"{key} is no name of a label", *path, key)
        if isinstance(value, str) and not LABEL_VALUE.fullmatch(value):
            yield owner.found(f"the value of the label {key} is not allowed", *path, key)


@rule(
    "object-name",
    "A name that cannot be",
    severity=E,
    why="The API server refuses it.",
    how="Use small letters, digits, `-` and `.`, with a letter or digit at both ends, up to 253; "
    "for a Namespace up to 63 and "
    "no dots.",
    bad=object_("v1", "ConfigMap", name="My_Settings"),
    good=object_("v1", "ConfigMap", name="my-settings"),
    references=("https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",),
)
def object_name(owner: Object) -> Iterator[Found]:
    name = text(table(owner.data.get("metadata")).get("name"))
    if (
        not name
        or owner.kind in FREELY_NAMED
        or owner.world.schemas.find(owner.api_version, owner.kind) is None
    ):
        return
    most = 63 if owner.kind == "Namespace" else 253
    if (
        len(name) > most
        or not SUBDOMAIN.fullmatch(name)
        or (owner.kind == "Namespace" and "." in name)
    ):
        yield owner.found(f"{name} cannot be the name of a {owner.kind}", "metadata", "name")


@rule(
    "instance-label",
    "The label of the instance is not the object's name",
    severity=I,
    optional=True,
    why="Tools that group by app.kubernetes.io/instance show it elsewhere than its name says.",
    how="Make the label and the name the same.",
    bad=deployment().replace(
        "  name: app\n", "  name: app\n  labels:\n    app.kubernetes.io/instance: b\n", 1
    ),
    good=deployment().replace(
        "  name: app\n", "  name: app\n  labels:\n    app.kubernetes.io/instance: app\n", 1
    ),
)
def instance_label(owner: Object) -> Iterator[Found]:
    label = owner.labels.get("app.kubernetes.io/instance")
    if label is not None and label != owner.name:
        yield owner.found(
            f"the instance label is {label}", "metadata", "labels", "app.kubernetes.io/instance"
        )


@rule(
    "required-metadata",
    "Nobody is named who answers for it",
    severity=I,
    optional=True,
    kinds="Deployment StatefulSet DaemonSet CronJob",
    why="When it breaks at night, somebody must know whom to wake.",
    how="Add the label `owner`, or the annotation `owner` or `email`.",
    bad=deployment(),
    good=deployment().replace("  name: app\n", "  name: app\n  labels:\n    owner: shop\n", 1),
)
def required_metadata(owner: Object) -> Iterator[Found]:
    names = {key.rpartition("/")[2] for key in (*owner.labels, *owner.annotations)}
    if not names & {"owner", "email", "team"}:
        yield owner.found("it names no owner", "metadata", "labels")


@rule(
    "sorted-keys",
    "Keys are not in alphabetical order",
    severity=I,
    optional=True,
    why="Some teams sort keys so that differences are small.",
    how="Sort the keys.",
    bad="kind: ServiceAccount\napiVersion: v1\nmetadata:\n  name: app\n",
    good="apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: app\n",
)
def sorted_keys(owner: Object) -> Iterator[Found]:
    yield from _sorted(owner, owner.data, ())


def _sorted(owner: Object, value: object, path: Path) -> Iterator[Found]:
    if isinstance(value, dict):
        keys = list(table(value))
        if keys != sorted(keys):
            yield owner.found("the keys are not sorted", *path)
        for key, inner in table(value).items():
            if inner.__class__ in _NESTED:
                yield from _sorted(owner, inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if inner.__class__ in _NESTED:
                yield from _sorted(owner, inner, (*path, index))


_NESTED = (dict, list)


@rule(
    "k8s-dashboard",
    "The Kubernetes dashboard",
    severity=I,
    kinds="Deployment Pod StatefulSet DaemonSet ReplicaSet",
    why="The dashboard is no longer maintained, and open ones have given away many clusters.",
    how="Use Headlamp, or the panel that you look at now.",
    bad=deployment(container="image: kubernetesui/dashboard:v2.7.0"),
    good=deployment(),
)
def dashboard(owner: Object) -> Iterator[Found]:
    for c in owner.pod.containers if owner.pod is not None else ():
        if _is_dashboard(c) or owner.labels.get("k8s-app") == "kubernetes-dashboard":
            yield c.found("it is the Kubernetes dashboard", "image")


def _is_dashboard(c: Container) -> bool:
    return "kubernetes-dashboard" in c.image or "kubernetesui/dashboard" in c.image


@rule(
    "suppression-reason",
    "A rule is suppressed without a reason",
    severity=W,
    why="The annotation's value is the reason, and it is part of every report. Without one "
    "nothing is suppressed.",
    how="Write why: `checks.windlass.dev/skip-RULE: the reason`.",
    bad=deployment().replace(
        "  name: app\n",
        "  name: app\n  annotations:\n    checks.windlass.dev/skip-cpu-limit: ''\n",
        1,
    ),
    good=deployment().replace(
        "  name: app\n",
        "  name: app\n  annotations:\n    checks.windlass.dev/skip-cpu-limit: bursts at noon\n",
        1,
    ),
)
def suppression_reason(owner: Object) -> Iterator[Found]:
    from windlass.charts.checks.engine import SKIP, is_suppression, rules

    for key, value in owner.annotations.items():
        path: Path = ("metadata", "annotations", key)
        if is_suppression(key) and not text(value).strip():
            yield owner.found(f"{key} gives no reason", *path)
        elif key.startswith(SKIP) and key.removeprefix(SKIP) not in rules():
            yield owner.found(f"there is no rule {key.removeprefix(SKIP)}", *path)
