"""Which namespaces of a cluster releases may use (K-006, K-102, E-26). Pure."""

import fnmatch
import re
from collections.abc import Sequence

from windlass.core.languages import N_

# What runs the cluster itself, and what Rancher runs it with.
_SYSTEM = re.compile(
    r"kube-.*|cattle-.*|fleet-.*|rancher-.*|p-.{5}|local|openshift(-.*)?|calico-.*|tigera-.*"
    r"|istio-system|cert-manager|metallb-system|longhorn-system|gatekeeper-system|kyverno"
)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
PATTERN = r"^[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?$"


def refusal(namespace: str, allowed: Sequence[str]) -> str | None:
    """Why a namespace may not be used; None where it may. What is listed by its own name is meant,
    a pattern never reaches the system's."""
    if not _NAME.fullmatch(namespace):
        return N_("a namespace is small letters, digits and dashes, 63 at the most")
    if namespace in allowed:
        return None
    if _SYSTEM.fullmatch(namespace):
        return N_("it belongs to the cluster itself")
    if namespace == "default":
        return N_("everybody's things would lie in it; use one of its own")
    if allowed and not any(fnmatch.fnmatchcase(namespace, one) for one in allowed):
        return N_("the cluster's settings do not list it")
    return None


def numbered(username: str, number: int) -> str:
    """The name that is made for somebody who gives none: `ada-0`, `ada-1`, …"""
    plain = re.sub(r"[^a-z0-9]+", "-", username.lower()).strip("-")[:50].strip("-")
    return f"{plain or 'user'}-{number}"
