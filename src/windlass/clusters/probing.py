"""Trying a cluster: whether it can be reached, who we are there, what we may, what is installed."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from windlass.clusters.schemas import Facts, Installed, Power, Reason
from windlass.core.addresses import AddressPolicy
from windlass.core.clusters import Access

if TYPE_CHECKING:
    from windlass.adapters.kube import Client
    from windlass.adapters.kube.errors import KubeError

_SECONDS = 20.0
_ADDED = {
    "gateway.networking.k8s.io": "Gateway API",
    "cert-manager.io": "cert-manager",
    "gateway.envoyproxy.io": "Envoy Gateway",
    "traefik.io": "Traefik",
    "k8s.nginx.org": "NGINX Ingress Controller",
    "networking.istio.io": "Istio",
    "metrics.k8s.io": "metrics-server",
    "monitoring.coreos.com": "Prometheus Operator",
    "external-secrets.io": "External Secrets",
    "kyverno.io": "Kyverno",
    "argoproj.io": "Argo",
    "snapshot.storage.k8s.io": "Volume snapshots",
}
# What releases need: (verb, group, resource).
_POWERS = (
    ("patch", "apps", "deployments"),
    ("patch", "", "services"),
    ("patch", "", "configmaps"),
    ("patch", "", "secrets"),
    ("delete", "apps", "deployments"),
    ("list", "", "pods"),
    ("get", "", "pods/log"),
    ("list", "", "events"),
    ("patch", "networking.k8s.io", "ingresses"),
    ("patch", "gateway.networking.k8s.io", "httproutes"),
    ("create", "", "namespaces"),
)
_MANY_DETAILS = 500


class Probe(msgspec.Struct, frozen=True):
    """What came of it: facts, or why there are none."""

    facts: Facts | None = None
    reason: Reason | None = None
    detail: str | None = None


async def probe(access: Access, namespaces: Sequence[str], *, allow: AddressPolicy) -> Probe:
    """Never raises for what a cluster does."""
    # Late: a process that has no clusters does without the client.
    from windlass.adapters.kube import Client
    from windlass.adapters.kube.errors import KubeError

    where = next((name for name in namespaces if "*" not in name), None)
    try:
        async with Client(access, allow=allow, seconds=_SECONDS) as kube:
            return Probe(facts=await _facts(kube, where))
    except KubeError as error:
        detail = error.message.replace(access.token or "\0", "…")
        return Probe(reason=_reason(error), detail=detail[:_MANY_DETAILS])


async def _facts(kube: "Client", where: str | None) -> Facts:
    version = await kube.version()
    user = await kube.whoami()
    found = await kube.discover()
    groups: dict[str, list[str]] = {}
    for one in found.resources.values():
        if one.version not in groups.setdefault(one.group, []):
            groups[one.group].append(one.version)
    asked = [power for power in _POWERS if power[1] in groups]
    allowed = await asyncio.gather(
        *(kube.may(verb, plural, group=group, namespace=where) for verb, group, plural in asked)
    )
    return Facts(
        version=version.text,
        minor=version.minor,
        user=user,
        namespace=where,
        powers=[
            Power(verb=verb, resource=f"{plural}.{group}" if group else plural, allowed=yes)
            for (verb, group, plural), yes in zip(asked, allowed, strict=True)
        ],
        installed=[
            Installed(name=name, group=group, versions=groups[group])
            for group, name in _ADDED.items()
            if group in groups
        ],
        ingress_classes=await _names(kube, "networking.k8s.io/v1", "IngressClass"),
        gateway_classes=await _names(kube, "gateway.networking.k8s.io/v1", "GatewayClass"),
        storage_classes=await _names(kube, "storage.k8s.io/v1", "StorageClass"),
    )


async def _names(kube: "Client", api_version: str, kind: str) -> list[str]:
    """None where the cluster has no such kind, or keeps it to itself."""
    from windlass.adapters.kube.errors import Forbidden, NoSuchKind, NotFound

    if (await kube.discover()).find(api_version, kind) is None:
        return []
    try:
        listed = await kube.list(api_version, kind)
    except (Forbidden, NoSuchKind, NotFound):
        return []
    return [str(one["metadata"]["name"]) for one in listed.items]


def _reason(error: "KubeError") -> Reason:
    from windlass.adapters.kube import errors

    kinds: dict[type[KubeError], Reason] = {
        errors.Away: "AWAY",
        errors.Untrusted: "UNTRUSTED",
        errors.AddressNotAllowed: "ADDRESS_REFUSED",
        errors.BadAccess: "UNREADABLE",
        errors.Unauthorized: "UNAUTHORIZED",
        errors.Forbidden: "FORBIDDEN",
        errors.NotFound: "NOT_KUBERNETES",
    }
    return kinds.get(type(error), "BROKEN")
