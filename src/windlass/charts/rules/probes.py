"""How Kubernetes learns whether a container works."""

from collections.abc import Iterator

from windlass.charts.checks.rule import Found, I, Path, Profile, Scope, W, settings
from windlass.charts.checks.views import Container, get, table, text
from windlass.charts.rules.examples import container

DOCS = "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/"
rule = settings(group="probes", scope=Scope.container, severity=W, references=(DOCS,))
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
PORTS = "ports:\n  - name: http\n    containerPort: 8080\n"


def _is_asked(c: Container) -> bool:
    """Jobs end by themselves; other containers than the main ones are not probed."""
    return c.is_main and not c.pod.is_job


@rule(
    "liveness-probe",
    "No liveness probe",
    profiles={Profile.lab: None},
    why="A program that hangs without ending is never restarted.",
    how="Add a `livenessProbe` that asks something cheap which does not depend on other services.",
    bad=container(""),
    good=container(f"{PORTS}livenessProbe:\n  httpGet:\n    path: /alive\n    port: http"),
)
def liveness_probe(c: Container) -> Iterator[Found]:
    if _is_asked(c) and not table(c.data.get("livenessProbe")):
        yield c.found("it has no liveness probe", "livenessProbe")


@rule(
    "readiness-probe",
    "No readiness probe",
    profiles={Profile.lab: None},
    why="Requests reach the container before it can answer: every rollout drops some.",
    how="Add a `readinessProbe` that answers when the program can serve.",
    bad=container(""),
    good=container(f"{PORTS}readinessProbe:\n  httpGet:\n    path: /ready\n    port: http"),
)
def readiness_probe(c: Container) -> Iterator[Found]:
    if not _is_asked(c) or table(c.data.get("readinessProbe")):
        return
    # Where the set has Services and none of them sends requests here, nobody waits for it.
    if not c.pod.world.has("Service") or c.pod.world.services_of(c.pod):
        yield c.found("it has no readiness probe", "readinessProbe")


@rule(
    "probes-identical",
    "Liveness and readiness ask the same",
    severity=I,
    why="When the answer is late under load, the container is not only spared requests but "
    "killed: the load moves on and "
    "kills the next.",
    how="Let liveness ask something cheaper, or wait longer (`failureThreshold`).",
    bad=container(
        f"{PORTS}livenessProbe:\n  tcpSocket:\n    port: http\nreadinessProbe:\n  tcpSocket:\n    "
        f"port: http"
    ),
    good=container(
        f"{PORTS}livenessProbe:\n  tcpSocket:\n    port: http\n  failureThreshold: 10\n"
        "readinessProbe:\n  tcpSocket:\n    port: http"
    ),
)
def probes_identical(c: Container) -> Iterator[Found]:
    liveness = table(c.data.get("livenessProbe"))
    if liveness and liveness == c.data.get("readinessProbe"):
        yield c.found("liveness and readiness probe are the same", "livenessProbe")


@rule(
    "probe-port",
    "A probe asks a port that the container does not declare",
    why="A name that is not declared is refused when the pod starts; a number that is not "
    "declared is most often a mistake.",
    how="Declare the port in `ports`, or correct the probe.",
    bad=container(f"{PORTS}readinessProbe:\n  httpGet:\n    path: /\n    port: 8081"),
    good=container(f"{PORTS}readinessProbe:\n  httpGet:\n    path: /\n    port: 8080"),
)
def probe_port(c: Container) -> Iterator[Found]:
    names: set[object] = set()
    for _, port in c.ports:
        names |= {port.get("containerPort"), text(port.get("name")) or None}
    for name in PROBES:
        for action in ("httpGet", "tcpSocket", "grpc"):
            path: Path = (name, action, "port")
            port = get(c.data, name, action, "port")
            number = int(port) if isinstance(port, str) and port.isdigit() else port
            if port is not None and number not in names:
                yield c.found(f"{name} asks port {port}, which is not declared", *path)
