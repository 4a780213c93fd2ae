"""Services and ports."""

import re
from collections.abc import Iterator

from windlass.charts.checks.rule import Delete, E, Found, I, Path, Profile, Scope, W, settings
from windlass.charts.checks.views import Container, Object, Table, get, listed, table, tables, text
from windlass.charts.checks.world import fits
from windlass.charts.rules.examples import container, deployment, object_, service, together

DOCS = "https://kubernetes.io/docs/concepts/services-networking/service/"
rule = settings(group="services", severity=E, kinds="Service", references=(DOCS,))
PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9](?:[a-z0-9]|-(?!-))*(?<!-)")
PORTS = "ports:\n  - name: http\n    containerPort: 8080"


def is_port_name(name: str) -> bool:
    """IANA_SVC_NAME: up to 15 small letters, digits and single hyphens, one letter at least."""
    return len(name) <= 15 and PORT_NAME.fullmatch(name) is not None


@rule(
    "service-dangling",
    "A Service that selects no pod",
    profiles={Profile.lab: W},
    why="Nobody answers behind it.",
    how="Make `selector` fit the labels of the pod template.",
    bad=together(deployment(), service(selector="app: other")),
    good=together(deployment(), service()),
)
def service_dangling(owner: Object) -> Iterator[Found]:
    selector = table(owner.spec.get("selector"))
    pods = owner.world.pods_in(owner.namespace)
    if not selector or owner.spec.get("type") == "ExternalName":
        return
    if owner.world.selected({"matchLabels": selector}, owner.namespace):
        return
    # Without any workload in the set the cluster holds the other side.
    yield owner.found(
        "its selector fits no pod of the set", "spec", "selector", severity=None if pods else W
    )


@rule(
    "service-type",
    "A Service that is reachable from outside",
    severity=W,
    profiles={Profile.lab: None, Profile.baseline: I},
    why="A NodePort is open on every node past Ingress, TLS and NetworkPolicies; a LoadBalancer "
    "has a public address of its own.",
    how="Use ClusterIP behind an Ingress or a route of the Gateway API.",
    bad=service("type: NodePort"),
    good=service("type: ClusterIP"),
)
def service_type(owner: Object) -> Iterator[Found]:
    kind = owner.spec.get("type")
    if kind == "NodePort":
        yield owner.found("it opens a port on every node", "spec", "type")
    elif kind == "LoadBalancer":
        internal = any("internal" in key.lower() for key in owner.annotations)
        if not internal and not owner.spec.get("loadBalancerSourceRanges"):
            yield owner.found("it asks for a public address", "spec", "type", severity=I)


@rule(
    "service-external-ip",
    "A Service takes over addresses",
    why="With `externalIPs` a Service catches traffic that is meant for somebody else "
    "(CVE-2020-8554).",
    how="Remove `externalIPs`; use type LoadBalancer.",
    bad=service("externalIPs: [203.0.113.7]"),
    good=service(),
    references=("https://github.com/kubernetes/kubernetes/issues/97076",),
)
def service_external_ip(owner: Object) -> Iterator[Found]:
    if owner.spec.get("externalIPs"):
        path = ("spec", "externalIPs")
        yield owner.found("`externalIPs` takes over addresses", *path, fix=(Delete(path),))


@rule(
    "target-port",
    "A target port that nothing can be reached by",
    kinds="Service",
    why="A port name that breaks the rules is refused; one that no container has leads nowhere.",
    how="Use the name or the number of a container's port: names have up to 15 small letters, "
    "digits and hyphens.",
    bad=service("ports:\n  - port: 80\n    targetPort: Http_Port"),
    good=service("ports:\n  - port: 80\n    targetPort: http"),
)
def target_port(owner: Object) -> Iterator[Found]:
    selector = table(owner.spec.get("selector"))
    chosen: Table = {"matchLabels": selector}
    pods = owner.world.selected(chosen, owner.namespace) if selector else []
    names = {port.get("name") for pod in pods for c in pod.containers for _, port in c.ports}
    for index, port in tables(owner.spec.get("ports")):
        target, at = port.get("targetPort"), ("spec", "ports", index, "targetPort")
        if isinstance(target, str):
            if not is_port_name(target):
                yield owner.found(f"{target} is no name of a port", *at)
            elif pods and target not in names:
                yield owner.found(f"no pod has a port named {target}", *at)
        elif isinstance(target, int) and not 0 < target < 65536:
            yield owner.found(f"{target} is no port", *at)
        name = port.get("name")
        if isinstance(name, str) and not is_service_port_name(name):
            yield owner.found(f"{name} is no name of a port", "spec", "ports", index, "name")


def is_service_port_name(name: str) -> bool:
    return re.fullmatch(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?", name) is not None


@rule(
    "container-ports",
    "Ports of a container that cannot be",
    kinds="",
    scope=Scope.container,
    why="Names that are used twice or break the rules, and numbers out of range, are refused.",
    how="Give every port a number from 1 to 65535 and a name of its own, up to 15 small letters, "
    "digits and hyphens.",
    bad=container("ports:\n  - name: the-long-name-of-it\n    containerPort: 8080"),
    good=container(PORTS),
)
def container_ports(c: Container) -> Iterator[Found]:
    seen: set[str] = set()
    for index, port in c.ports:
        path: Path = ("ports", index)
        number, name = port.get("containerPort"), port.get("name")
        if number is None or number == 0:
            yield c.found("a port has no containerPort", *path)
        elif isinstance(number, int) and not 0 < number < 65536:
            yield c.found(f"{number} is no port", *path, "containerPort")
        if isinstance(name, str):
            if not is_port_name(name):
                yield c.found(f"{name} is no name of a port", *path, "name")
            if name in seen:
                yield c.found(f"the name {name} is used twice", *path, "name")
            seen.add(name)


@rule(
    "servicemonitor-dangling",
    "A ServiceMonitor that selects no Service",
    severity=I,
    kinds="ServiceMonitor",
    why="Prometheus scrapes nothing.",
    how="Make `selector` fit the labels of the Service.",
    bad=together(
        service(),
        object_(
            "monitoring.coreos.com/v1",
            "ServiceMonitor",
            "spec:\n  selector:\n    matchLabels: {app: b}",
        ),
    ),
    good=together(
        service().replace("  name: app\n", "  name: app\n  labels: {app: app}\n", 1),
        object_(
            "monitoring.coreos.com/v1",
            "ServiceMonitor",
            "spec:\n  selector:\n    matchLabels: {app: app}",
        ),
    ),
    references=("https://prometheus-operator.dev/docs/developer/getting-started/",),
)
def servicemonitor_dangling(owner: Object) -> Iterator[Found]:
    services = owner.world.of("Service")
    selector = table(owner.spec.get("selector"))
    spaces = listed(get(owner.spec, "namespaceSelector", "matchNames"))
    found = [one for one in services if not spaces or one.namespace in spaces]
    if services and not any(fits(selector, one.labels) for one in found):
        yield owner.found("it selects no Service of the set", "spec", "selector")


@rule(
    "service-name",
    "A Service's name that is no DNS label",
    kinds="Service",
    why="The name becomes a host name: it begins with a letter and has up to 63 small letters, "
    "digits and hyphens.",
    how="Choose another name.",
    bad=service(name="1-app"),
    good=service(name="app-1"),
)
def service_name(owner: Object) -> Iterator[Found]:
    name = text(table(owner.data.get("metadata")).get("name"))
    # A digit in front is allowed by the newest versions only, and behind a feature gate.
    if name and re.fullmatch(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?", name) is None:
        yield owner.found(f"{name} cannot be a Service's name", "metadata", "name")
