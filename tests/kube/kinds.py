"""The kinds that the server knows: those of Kubernetes itself, of extensions that are installed,
and of CustomResourceDefinitions that were applied."""

from typing import Any, NamedTuple

from tests.kube.listing import BuiltIn, Defined, Typed
from windlass.charts import schemas
from windlass.charts.validate import Check

VERSION = "1.33"
_CLUSTER_WIDE = {
    "Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "StorageClass",
    "CustomResourceDefinition", "PriorityClass", "RuntimeClass", "GatewayClass", "ClusterIssuer",
    "IngressClass", "APIService", "CSIDriver", "CSINode", "VolumeAttachment", "FlowSchema",
    "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "PriorityLevelConfiguration",
    "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "CertificateSigningRequest",
    "ComponentStatus", "VolumeAttributesClass", "ServiceCIDR", "IPAddress",
}  # fmt: skip
_OURS = {
    "admissionregistration.k8s.io", "apps", "autoscaling", "batch", "certificates.k8s.io",
    "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "networking.k8s.io",
    "node.k8s.io", "policy", "rbac.authorization.k8s.io", "scheduling.k8s.io", "storage.k8s.io",
    "apiextensions.k8s.io", "apiregistration.k8s.io", "",
}  # fmt: skip
_NO_STATUS = {
    "ConfigMap", "Secret", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "LimitRange",
    "ClusterRoleBinding", "StorageClass", "PriorityClass", "Event", "Endpoints", "Lease",
    "NetworkPolicy", "IngressClass", "RuntimeClass",
}  # fmt: skip
_NO_OBJECTS = {
    "Binding", "Status", "Eviction", "Scale", "PodTemplate", "APIGroup", "APIResourceList",
    "TokenRequest", "DeleteOptions", "WatchEvent", "APIVersions", "APIGroupList",
}  # fmt: skip
_SCALED = {"Deployment", "ReplicaSet", "StatefulSet"}
_NO_PLURAL = {"Endpoints"}
# The versions that a server prefers come first; alphas and betas are off.
_PREFERRED = {"autoscaling": ("autoscaling/v2", "autoscaling/v1")}


class Kind(NamedTuple):
    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    has_status: bool
    typed: Typed
    check: Check | None
    is_custom: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """As messages call it: deployments.apps."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def title(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def subresources(self) -> list[str]:
        found = ["status"] if self.has_status else []
        found += ["scale"] if self.kind in _SCALED else []
        return found + (["log", "eviction"] if self.kind == "Pod" else [])


def built_in(extensions: set[str]) -> dict[tuple[str, str], Kind]:
    """By (apiVersion, plural)."""
    known = schemas.of(VERSION)
    names = sorted(schemas.packed().kinds, key=_rank)
    found: dict[tuple[str, str], Kind] = {}
    for name in names:
        api_version, _, kind = name.rpartition("/")
        group, _, version = api_version.rpartition("/")
        if group not in _OURS | extensions or kind.endswith("List") or kind in _NO_OBJECTS:
            continue
        if group in _OURS and version not in ("v1", "v2"):
            continue
        if (check := known.find(api_version, kind)) is None or kind.endswith(("Review", "Options")):
            continue
        one = Kind(
            group=group,
            version=version,
            kind=kind,
            plural=plural_of(kind),
            namespaced=kind not in _CLUSTER_WIDE,
            has_status=kind not in _NO_STATUS,
            typed=BuiltIn(),
            check=check,
        )
        found[api_version, one.plural] = one
    return found


def custom(definition: dict[str, Any]) -> list[Kind]:
    """Those that a CustomResourceDefinition makes."""
    spec = definition["spec"]
    checks = schemas.from_definitions([definition])
    found: list[Kind] = []
    for version in spec["versions"]:
        if not version.get("served", True):
            continue
        name = f"{spec['group']}/{version['name']}/{spec['names']['kind']}"
        found.append(
            Kind(
                group=spec["group"],
                version=version["name"],
                kind=spec["names"]["kind"],
                plural=spec["names"]["plural"],
                namespaced=spec["scope"] == "Namespaced",
                has_status="status" in (version.get("subresources") or {}),
                typed=Defined((version.get("schema") or {}).get("openAPIV3Schema") or {}),
                check=checks.get(name),
                is_custom=True,
            )
        )
    return found


def plural_of(kind: str) -> str:
    word = kind.lower()
    if kind in _NO_PLURAL:
        return word
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


def _rank(name: str) -> tuple[str, int, str]:
    api_version = name.rpartition("/")[0]
    group = api_version.rpartition("/")[0]
    order = _PREFERRED.get(group, ())
    return group, order.index(api_version) if api_version in order else 9, name
