"""What generated objects are called and labelled."""

from collections.abc import Mapping
from typing import cast

from windlass.charts.model import Application, Workload
from windlass.charts.model.containers import ContainerPort, Texts

MANAGED_BY = "windlass"
RUNNING = frozenset(["Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
"""Kinds that stay: probes, services and routes are for them."""
SCALED = frozenset(["Deployment", "ReplicaSet", "StatefulSet"])
"""Kinds that have `replicas`."""
_LONGEST = 63


def application(app: Application) -> str:
    """What the whole is called."""
    if app.name:
        return app.name
    return app.namespace if app.namespace != "default" else "app"


def joined(*parts: str) -> str:
    """One name of several, not longer than a name may be."""
    return "-".join(parts)[:_LONGEST].rstrip("-.")


def identity(workload: Workload) -> Texts:
    """The labels that a workload's pods are found by; they never change."""
    return {
        "app.kubernetes.io/name": workload.name,
        "app.kubernetes.io/instance": workload.name,
    }


def labels(app: Application) -> Texts:
    """The labels of everything that is made for an application."""
    return {
        "app.kubernetes.io/part-of": application(app),
        "app.kubernetes.io/managed-by": MANAGED_BY,
        **(app.labels or {}),
    }


def pod_labels(app: Application, workload: Workload) -> Texts:
    """The labels of a workload's pods: found by its selector and by the application's name."""
    if app.defaults == "none":
        return workload.pod_labels or {}
    chosen = workload.labels if workload.pod_labels is None else workload.pod_labels
    made = {**identity(workload), **labels(app), **(chosen or {})}
    if workload.selector and workload.selector.match_labels:
        made.update(workload.selector.match_labels)
    return made


def ports(workload: Workload) -> list[ContainerPort]:
    """All ports of a workload's containers, each with a name."""
    every = [one for container in workload.containers for one in container.ports or []]
    found = [ContainerPort(container_port=one) if isinstance(one, int) else one for one in every]
    return [_named(one, alone=len(found) == 1) for one in found]


def container_ports(workload: Workload, index: int) -> list[ContainerPort]:
    """The ports of one container, named as `ports` names them."""
    before = sum(len(one.ports or []) for one in workload.containers[:index])
    count = len(workload.containers[index].ports or [])
    return ports(workload)[before : before + count]


def _named(port: ContainerPort, *, alone: bool) -> ContainerPort:
    if port.name:
        return port
    protocol = (port.protocol or "TCP").lower()
    name = "http" if alone and protocol == "tcp" else f"{protocol}-{port.container_port}"
    return ContainerPort(
        container_port=port.container_port,
        name=name,
        protocol=port.protocol,
        host_port=port.host_port,
        host_ip=port.host_ip,
    )


def merged(base: object, extra: object) -> object:
    """`extra` laid over `base`: mappings key by key, everything else as a whole."""
    if not (isinstance(base, dict) and isinstance(extra, Mapping)):
        return extra
    made = dict(cast(dict[str, object], base))
    for key, value in cast(Mapping[str, object], extra).items():
        made[key] = merged(made[key], value) if key in made else value
    return made
