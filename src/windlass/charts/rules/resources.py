"""How much a container asks for, and how much it may take."""

from collections.abc import Iterator
from decimal import Decimal

from windlass.charts.checks.rule import E, Found, I, Profile, Scope, W, settings
from windlass.charts.checks.views import Container, Object, Pod, table, text
from windlass.charts.quantities import parse
from windlass.charts.rules.examples import container, object_, pod, together

DOCS = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
rule = settings(group="resources", scope=Scope.container, severity=W, references=(DOCS,))
QUIET = {Profile.lab: None}


def amount(value: object) -> Decimal | None:
    """The number behind a quantity, or None when it is none."""
    return parse(value) if isinstance(value, str | int | float) else None


def _missing(c: Container, which: str, resource: str, what: str) -> Iterator[Found]:
    if c.kind == "ephemeralContainers" or c.amount(which, resource) is not None:
        return
    # From 1.34 on, amounts for the whole pod serve for its containers.
    whole = table(c.pod.spec.get("resources"))
    if c.pod.world.version >= (1, 34) and table(whole.get(which)).get(resource) is not None:
        return
    yield c.found(what, "resources", which, resource)


@rule(
    "cpu-request",
    "No CPU request",
    profiles=QUIET,
    why="The scheduler puts pods where their requests fit; without one the pod lands on a full "
    "node and starves first.",
    how="Set `resources.requests.cpu` to what it needs on an ordinary day.",
    bad=container(""),
    good=container("resources:\n  requests:\n    cpu: 100m"),
)
def cpu_request(c: Container) -> Iterator[Found]:
    yield from _missing(c, "requests", "cpu", "it requests no CPU")


@rule(
    "cpu-limit",
    "No CPU limit",
    profiles=QUIET,
    why="Without a limit one container can take all spare CPU of a node, and its speed depends on "
    "its neighbours. Some teams "
    "leave it out on purpose, to use what is idle: then suppress this rule with that reason.",
    how="Set `resources.limits.cpu`.",
    bad=container(""),
    good=container("resources:\n  limits:\n    cpu: 500m"),
)
def cpu_limit(c: Container) -> Iterator[Found]:
    yield from _missing(c, "limits", "cpu", "it has no CPU limit")


@rule(
    "memory-request",
    "No memory request",
    profiles=QUIET,
    why="Pods that request no memory are the first to be evicted when a node runs short.",
    how="Set `resources.requests.memory` to what it needs on an ordinary day.",
    bad=container(""),
    good=container("resources:\n  requests:\n    memory: 128Mi"),
)
def memory_request(c: Container) -> Iterator[Found]:
    yield from _missing(c, "requests", "memory", "it requests no memory")


@rule(
    "memory-limit",
    "No memory limit",
    profiles=QUIET,
    why="A leak in one container takes the node's memory, and the kernel kills whatever it likes.",
    how="Set `resources.limits.memory`; best to the same as the request.",
    bad=container(""),
    good=container("resources:\n  limits:\n    memory: 128Mi"),
)
def memory_limit(c: Container) -> Iterator[Found]:
    yield from _missing(c, "limits", "memory", "it has no memory limit")


@rule(
    "request-range",
    "A request is above its limit, or of the wrong size",
    why="The API server refuses a request above its limit; `cpu: 500` are five hundred cores and "
    "`memory: 512m` is half a "
    "byte, which no node can mean.",
    how="Make the request at most the limit, and check the unit: `500m` of CPU, `512Mi` of memory.",
    bad=container("resources:\n  requests:\n    memory: 512Mi\n  limits:\n    memory: 256Mi"),
    good=container("resources:\n  requests:\n    memory: 256Mi\n  limits:\n    memory: 256Mi"),
)
def request_range(c: Container) -> Iterator[Found]:
    resources = table(c.data.get("resources"))
    limits, requests = table(resources.get("limits")), table(resources.get("requests"))
    for name, value in requests.items():
        asked, most = amount(value), amount(limits.get(name))
        if asked is not None and most is not None and asked > most:
            yield c.found(
                f"the {name} request {value} is above its limit {limits[name]}",
                "resources",
                "requests",
                name,
            )
    for which, amounts in (("requests", requests), ("limits", limits)):
        cpu, memory = amount(amounts.get("cpu")), amount(amounts.get("memory"))
        if cpu is not None and cpu > 256:
            yield c.found(f"{amounts['cpu']} is {cpu} whole cores", "resources", which, "cpu")
        if memory is not None and 0 < memory < 1_000_000:
            yield c.found(
                f"{amounts['memory']} is less than a megabyte of memory",
                "resources",
                which,
                "memory",
            )


@rule(
    "requests-equal-limits",
    "Requests and limits differ",
    severity=I,
    optional=True,
    why="Only a pod whose requests are its limits is Guaranteed: it is evicted last and never "
    "slowed by neighbours.",
    how="Set requests and limits to the same amounts.",
    bad=container(
        "resources:\n  requests: {cpu: 100m, memory: 64Mi}\n  limits: {cpu: 200m, memory: 64Mi}"
    ),
    good=container(
        "resources:\n  requests: {cpu: 100m, memory: 64Mi}\n  limits: {cpu: 100m, memory: 64Mi}"
    ),
)
def requests_equal_limits(c: Container) -> Iterator[Found]:
    for name in ("cpu", "memory"):
        request, limit = amount(c.amount("requests", name)), amount(c.amount("limits", name))
        if request != limit:
            yield c.found(f"its {name} request is not its limit", "resources", "requests", name)


@rule(
    "ephemeral-storage",
    "No request or limit for scratch space",
    severity=I,
    optional=True,
    why="A container that fills the node's disk has every pod of the node evicted.",
    how="Set `ephemeral-storage` in requests and limits, and a `sizeLimit` on every emptyDir.",
    bad=container(""),
    good=container(
        "resources:\n  requests:\n    ephemeral-storage: 100Mi\n  limits:\n    ephemeral-storage: "
        "100Mi"
    ),
)
def ephemeral_storage(c: Container) -> Iterator[Found]:
    for which in ("requests", "limits"):
        if c.kind != "ephemeralContainers" and c.amount(which, "ephemeral-storage") is None:
            yield c.found(
                f"no {which} for ephemeral-storage", "resources", which, "ephemeral-storage"
            )


@rule(
    "limit-range-missing",
    "The namespace has no LimitRange",
    severity=I,
    scope=Scope.resource,
    kinds="Namespace",
    optional=True,
    why="A LimitRange gives every container amounts that names none.",
    how="Add a LimitRange to the namespace.",
    bad=object_("v1", "Namespace"),
    good=together(
        object_("v1", "Namespace"),
        object_(
            "v1",
            "LimitRange",
            "spec:\n  limits:\n    - type: Container\n      default: {memory: 256Mi}",
        ).replace("  name: app\n", "  name: app\n  namespace: app\n"),
    ),
)
def limit_range_missing(owner: Object) -> Iterator[Found]:
    if f"LimitRange {owner.name}" not in owner.world.settings:
        yield owner.found(f"namespace {owner.name} has no LimitRange", "metadata", "name")


@rule(
    "resource-quota-missing",
    "The namespace has no ResourceQuota",
    severity=I,
    scope=Scope.resource,
    kinds="Namespace",
    optional=True,
    why="Without a quota one application can take the whole cluster.",
    how="Add a ResourceQuota to the namespace.",
    bad=object_("v1", "Namespace"),
    good=together(
        object_("v1", "Namespace"),
        object_("v1", "ResourceQuota", "spec:\n  hard: {requests.cpu: '4'}").replace(
            "  name: app\n", "  name: app\n  namespace: app\n"
        ),
    ),
)
def resource_quota_missing(owner: Object) -> Iterator[Found]:
    if f"ResourceQuota {owner.name}" not in owner.world.settings:
        yield owner.found(f"namespace {owner.name} has no ResourceQuota", "metadata", "name")


@rule(
    "volume-unknown",
    "A mounted volume does not exist in the pod",
    severity=E,
    scope=Scope.pod,
    why="The API server refuses a mount of a volume that the pod does not declare.",
    how="Correct the name, or add the volume.",
    bad=container("volumeMounts:\n  - name: data\n    mountPath: /data"),
    good=pod(
        "volumes:\n  - name: data\n    emptyDir: {}",
        container="volumeMounts:\n  - name: data\n    mountPath: /data",
    ),
)
def volume_unknown(p: Pod) -> Iterator[Found]:
    names = {text(volume.get("name")) for _, volume in p.volumes}
    if p.owner.kind == "StatefulSet":
        claims = p.owner.spec.get("volumeClaimTemplates")
        for claim in claims if isinstance(claims, list) else ():
            names.add(text(table(table(claim).get("metadata")).get("name")))
    for c in p.containers:
        mounts = c.data.get("volumeMounts")
        for index, mount in enumerate(mounts if isinstance(mounts, list) else ()):
            name = text(table(mount).get("name"))
            if name and name not in names:
                yield c.found(f"there is no volume {name}", "volumeMounts", index, "name")
