"""In which order objects are applied, so that nothing needs what comes later (K-092)."""

from collections.abc import Iterable, Mapping
from typing import cast

_KINDS = (
    "Namespace", "CustomResourceDefinition", "ResourceQuota", "LimitRange", "PriorityClass",
    "RuntimeClass", "StorageClass", "VolumeAttributesClass", "ServiceAccount", "Role",
    "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "PersistentVolume",
    "PersistentVolumeClaim", "Service", "Pod", "ReplicaSet", "Deployment", "StatefulSet",
    "DaemonSet", "Job", "CronJob", "HorizontalPodAutoscaler", "PodDisruptionBudget",
    "ClusterIssuer", "Issuer", "Certificate", "GatewayClass", "Gateway", "Middleware", "HTTPRoute",
    "GRPCRoute", "Ingress", "*", "BackendTrafficPolicy", "NetworkPolicy", "APIService",
    "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
)  # fmt: skip
_PLACE = {kind: place for place, kind in enumerate(_KINDS)}


def place(manifest: Mapping[str, object]) -> int:
    """Where a kind comes; kinds that nobody knows come after routes."""
    return _PLACE.get(str(manifest.get("kind")), _PLACE["*"])


def ordered(manifests: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    """In the order of applying; what has the same kind is ordered by its name."""
    return sorted(manifests, key=lambda one: (place(one), identity(one)))


def identity(manifest: Mapping[str, object]) -> tuple[str, str, str, str]:
    """(group, kind, namespace, name): two objects with the same one are the same object."""
    found = manifest.get("metadata")
    metadata = cast(Mapping[str, object], found) if isinstance(found, dict) else {}
    group, _, version = str(manifest.get("apiVersion", "")).rpartition("/")
    return (
        group if version else "",
        str(manifest.get("kind", "")),
        str(metadata.get("namespace") or ""),
        str(metadata.get("name", "")),
    )
