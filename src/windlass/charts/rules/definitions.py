"""Whether the API server knows what is written: kinds, versions, fields, types."""

import difflib
from collections.abc import Iterator

from windlass.charts.checks.rule import Change, E, Found, I, Path, Rename, Set, W, settings
from windlass.charts.checks.views import Object, listed, table
from windlass.charts.rules.examples import deployment, object_
from windlass.charts.validate import Wrong

DOCS = "https://kubernetes.io/docs/reference/using-api/deprecation-guide/"
rule = settings(group="schema", severity=E, references=(DOCS,))
# What is gone or going → (who removed it, apiVersion to use, whether nothing else changes).
GONE: dict[tuple[str, str], tuple[str, str, bool]] = {
    **{
        ("extensions/v1beta1", kind): ("1.16", "apps/v1", False)
        for kind in ("Deployment", "DaemonSet", "ReplicaSet")
    },
    **{
        ("apps/v1beta1", kind): ("1.16", "apps/v1", False) for kind in ("Deployment", "StatefulSet")
    },
    **{
        ("apps/v1beta2", kind): ("1.16", "apps/v1", False)
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
    },
    ("extensions/v1beta1", "NetworkPolicy"): ("1.16", "networking.k8s.io/v1", True),
    ("extensions/v1beta1", "Ingress"): ("1.22", "networking.k8s.io/v1", False),
    ("networking.k8s.io/v1beta1", "Ingress"): ("1.22", "networking.k8s.io/v1", False),
    ("networking.k8s.io/v1beta1", "IngressClass"): ("1.22", "networking.k8s.io/v1", True),
    ("extensions/v1beta1", "PodSecurityPolicy"): ("1.16", "", False),
    ("policy/v1beta1", "PodSecurityPolicy"): ("1.25", "", False),
    ("policy/v1beta1", "PodDisruptionBudget"): ("1.25", "policy/v1", True),
    ("batch/v1beta1", "CronJob"): ("1.25", "batch/v1", True),
    ("batch/v2alpha1", "CronJob"): ("1.21", "batch/v1", True),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): ("1.25", "autoscaling/v2", False),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): ("1.26", "autoscaling/v2", True),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"): (
        "1.22",
        "apiextensions.k8s.io/v1",
        False,
    ),
    **{
        (f"rbac.authorization.k8s.io/{old}", kind): ("1.22", "rbac.authorization.k8s.io/v1", True)
        for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
        for old in ("v1alpha1", "v1beta1")
    },
    **{
        ("admissionregistration.k8s.io/v1beta1", kind): (
            "1.22",
            "admissionregistration.k8s.io/v1",
            False,
        )
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    },
    ("apiregistration.k8s.io/v1beta1", "APIService"): ("1.22", "apiregistration.k8s.io/v1", True),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest"): (
        "1.22",
        "certificates.k8s.io/v1",
        False,
    ),
    ("coordination.k8s.io/v1beta1", "Lease"): ("1.22", "coordination.k8s.io/v1", True),
    ("scheduling.k8s.io/v1beta1", "PriorityClass"): ("1.22", "scheduling.k8s.io/v1", True),
    ("storage.k8s.io/v1beta1", "StorageClass"): ("1.22", "storage.k8s.io/v1", True),
    ("storage.k8s.io/v1beta1", "CSIDriver"): ("1.22", "storage.k8s.io/v1", True),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity"): ("1.27", "storage.k8s.io/v1", True),
    ("discovery.k8s.io/v1beta1", "EndpointSlice"): ("1.25", "discovery.k8s.io/v1", False),
    ("node.k8s.io/v1beta1", "RuntimeClass"): ("1.25", "node.k8s.io/v1", True),
    **{
        (f"flowcontrol.apiserver.k8s.io/{old}", kind): (
            gone,
            "flowcontrol.apiserver.k8s.io/v1",
            True,
        )
        for kind in ("FlowSchema", "PriorityLevelConfiguration")
        for old, gone in (("v1beta1", "1.26"), ("v1beta2", "1.29"), ("v1beta3", "1.32"))
    },
    ("cert-manager.io/v1alpha2", "Certificate"): ("cert-manager 1.6", "cert-manager.io/v1", False),
    ("cert-manager.io/v1alpha2", "Issuer"): ("cert-manager 1.6", "cert-manager.io/v1", True),
    ("cert-manager.io/v1alpha2", "ClusterIssuer"): ("cert-manager 1.6", "cert-manager.io/v1", True),
}


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@rule(
    "deprecated-api",
    "An apiVersion that is gone, or going",
    why="The API server of the version that is checked for does not know it any more.",
    how="Use the apiVersion that is named; where more than the name changed, the deprecation "
    "guide says what.",
    bad=object_("coordination.k8s.io/v1beta1", "Lease", "spec:\n  holderIdentity: app-0"),
    good=object_("coordination.k8s.io/v1", "Lease", "spec:\n  holderIdentity: app-0"),
)
def deprecated_api(owner: Object) -> Iterator[Found]:
    gone = GONE.get((owner.api_version, owner.kind))
    if gone is None:
        return
    since, instead, is_only_a_name = gone
    is_removed = not since[0].isdigit() or owner.world.version >= _number(since)
    what = (
        f"{owner.api_version} {owner.kind} is gone since {since}"
        if is_removed
        else f"{owner.api_version} goes with {since}"
    )
    advice = f": use {instead}" if instead else " and nothing takes its place"
    fix: tuple[Change, ...] = (Set(("apiVersion",), instead),) if is_only_a_name else ()
    yield owner.found(what + advice, "apiVersion", fix=fix, severity=None if is_removed else W)


@rule(
    "schema",
    "The object is not what the API server expects",
    why="Unknown fields vanish without a word, wrong types are refused.",
    how="Correct the field; the finding says what is expected there.",
    bad=deployment("paused: 'true'"),
    good=deployment("paused: true"),
    references=("https://kubernetes.io/docs/reference/kubernetes-api/",),
)
def schema(owner: Object) -> Iterator[Found]:
    if (owner.api_version, owner.kind) in GONE:
        return  # deprecated-api says it.
    check = owner.world.schemas.find(owner.api_version, owner.kind)
    if check is None:
        yield from _unknown(owner)
        return
    for wrong in check(owner.data) or ():
        path = tuple(wrong.path)
        yield owner.found(
            f"{wrong.message}; expected {wrong.expected}", *path, fix=_mended(owner, wrong, path)
        )


def _is_of_kubernetes(group: str) -> bool:
    """Whether a group is a part of Kubernetes itself: what it does not have does not exist. Kinds
    of other groups come with CustomResourceDefinitions, of which ours may be older.
    """
    return "." not in group or (group.endswith(".k8s.io") and not group.startswith("gateway."))


def _unknown(owner: Object) -> Iterator[Found]:
    schemas = owner.world.schemas
    if not _is_of_kubernetes(owner.group) or not schemas.knows_group(owner.group):
        return  # no-schema says it.
    others = schemas.versions_of(owner.group, owner.kind)
    what = f"Kubernetes {schemas.version} has no {owner.kind} in {owner.api_version}"
    if others:
        fix = (Set(("apiVersion",), others[0]),) if len(others) == 1 else ()
        yield owner.found(f"{what}; expected {' or '.join(others)}", "apiVersion", fix=fix)
    elif elsewhere := schemas.versions_of("", owner.kind):
        yield owner.found(f"{what}; expected {' or '.join(elsewhere)}", "apiVersion")
    else:
        yield owner.found(what, "kind")


@rule(
    "no-schema",
    "A kind without a schema",
    severity=W,
    why="Its fields are not checked: neither Kubernetes nor the projects that come with us define "
    "it, and no CustomResourceDefinition of the set does.",
    how="Give its definition: `--crds FOLDER` with CustomResourceDefinitions, or `--openapi FILE` "
    "from a cluster (`kubectl get --raw /openapi/v3/apis/GROUP/VERSION`).",
    bad=object_("example.com/v1", "Widget", "spec:\n  size: 3"),
    good=object_("v1", "ConfigMap", "data:\n  size: '3'"),
    references=(
        "https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/",
    ),
)
def no_schema(owner: Object) -> Iterator[Found]:
    schemas = owner.world.schemas
    if (owner.api_version, owner.kind) in GONE or schemas.find(owner.api_version, owner.kind):
        return
    if _is_of_kubernetes(owner.group) and schemas.knows_group(owner.group):
        return
    what = f"there is no schema for {owner.api_version} {owner.kind}: its fields are not checked"
    others = schemas.versions_of(owner.group, owner.kind)
    near = difflib.get_close_matches(owner.kind, schemas.kinds_of(owner.group), n=1, cutoff=0.8)
    if others:
        what += f"; there is one for {' and '.join(others)}"
    elif near:
        what += f"; did you mean {near[0]}?"
    yield owner.found(what, "kind", severity=None if others or near else I)


def _mended(owner: Object, wrong: Wrong, path: Path) -> tuple[Change, ...]:
    """The one thing that can be meant: a name with a slip, a number that must be text, …"""
    value = _at(owner.data, path)
    if wrong.code == "unknown-field" and "did you mean `" in wrong.message:
        name = wrong.message.rsplit("`", 2)[1]
        return () if name in table(_at(owner.data, path[:-1])) else (Rename(path, name),)
    if wrong.code == "type" and "quotes around" in wrong.expected:
        # `y`, `1.20` and `010` are meant as they are written, not as they are read.
        written = owner.resource.written(path)
        return () if written is None else (Set(path, written),)
    if wrong.code == "type" and isinstance(value, str):
        if wrong.expected == "a whole number" and value.isdecimal() and str(int(value)) == value:
            return (Set(path, int(value)),)
        if wrong.expected.startswith("true or false") and value in ("true", "false"):
            return (Set(path, value == "true"),)
    return ()


def _at(value: object, path: Path) -> object:
    for part in path:
        value = table(value).get(part) if isinstance(part, str) else listed(value)[part]
    return value
