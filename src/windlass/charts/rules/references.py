"""Names that lead nowhere."""

from collections.abc import Iterator

from windlass.charts.checks.rule import E, Found, I, Path, Profile, Scope, W, settings
from windlass.charts.checks.views import Object, Pod, get, table, tables, text
from windlass.charts.rules.examples import deployment, object_, pod, service, together
from windlass.charts.rules.network import ingress
from windlass.charts.rules.secrets import is_missing

DOCS = "https://kubernetes.io/docs/concepts/services-networking/"
rule = settings(group="references", severity=E, references=(DOCS,))
ROUTES = "HTTPRoute GRPCRoute TCPRoute TLSRoute UDPRoute"


@rule(
    "ingress-dangling",
    "An Ingress or a route leads to a Service or a port that is not there",
    kinds=f"Ingress {ROUTES}",
    profiles={Profile.lab: W},
    why="Visitors get an error.",
    how="Correct the name or the port of the backend.",
    bad=together(service(name="shop"), ingress()),
    good=together(service(), ingress()),
)
def ingress_dangling(owner: Object) -> Iterator[Found]:
    backends = _of_ingress(owner) if owner.kind == "Ingress" else _of_route(owner)
    for name, port, space, path in backends:
        found = owner.world.named("Service", name, space or owner.namespace)
        if found is None:
            is_known = owner.world.has("Service") and not space
            yield owner.found(
                f"there is no Service {name} in the set", *path, severity=None if is_known else W
            )
        elif (
            port is not None
            and found.spec.get("type") != "ExternalName"
            and not _has_port(found, port)
        ):
            yield owner.found(f"the Service {name} has no port {port}", *path)


def _of_ingress(owner: Object) -> Iterator[tuple[str, object, str, Path]]:
    places: list[tuple[Path, object]] = [
        (("spec", "defaultBackend"), owner.spec.get("defaultBackend"))
    ]
    for index, one in tables(owner.spec.get("rules")):
        for number, path in tables(get(one, "http", "paths")):
            places.append(
                (("spec", "rules", index, "http", "paths", number, "backend"), path.get("backend"))
            )
    for place, backend in places:
        service = table(table(backend).get("service"))
        if name := text(service.get("name")):
            port = table(service.get("port"))
            yield name, port.get("name") or port.get("number"), "", (*place, "service")


def _of_route(owner: Object) -> Iterator[tuple[str, object, str, Path]]:
    for index, one in tables(owner.spec.get("rules")):
        for number, backend in tables(one.get("backendRefs")):
            if backend.get("kind") in (None, "Service") and not backend.get("group"):
                place: Path = ("spec", "rules", index, "backendRefs", number)
                yield (
                    text(backend.get("name")),
                    backend.get("port"),
                    text(backend.get("namespace")),
                    place,
                )


def _has_port(service: Object, port: object) -> bool:
    return any(
        port in (one.get("port"), one.get("name")) for _, one in tables(service.spec.get("ports"))
    )


@rule(
    "sa-missing",
    "The service account is not in the set",
    severity=W,
    scope=Scope.pod,
    profiles={Profile.lab: I},
    why="Pods of an account that does not exist are refused.",
    how="Add the ServiceAccount to the set, or correct the name.",
    bad=pod("serviceAccountName: app"),
    good=together(pod("serviceAccountName: app"), object_("v1", "ServiceAccount")),
)
def sa_missing(p: Pod) -> Iterator[Found]:
    field = "serviceAccountName" if p.spec.get("serviceAccountName") else "serviceAccount"
    name = text(p.spec.get(field))
    if name and name != "default" and not p.world.named("ServiceAccount", name, p.owner.namespace):
        yield p.found(f"the ServiceAccount {name} is not in the set", field)


@rule(
    "volume-source-missing",
    "A volume comes from an object that is not in the set",
    severity=W,
    scope=Scope.pod,
    profiles={Profile.lab: I},
    why="Without it the pod stays in ContainerCreating.",
    how="Add the object to the set, correct the name, or mark it `optional: true`.",
    bad=pod("volumes:\n  - name: settings\n    configMap:\n      name: settings"),
    good=pod(
        "volumes:\n  - name: settings\n    configMap:\n      name: settings\n      optional: true"
    ),
)
def volume_source_missing(p: Pod) -> Iterator[Found]:
    for index, volume in p.volumes:
        for kind, field, key in (
            ("ConfigMap", "configMap", "name"),
            ("Secret", "secret", "secretName"),
            ("PersistentVolumeClaim", "persistentVolumeClaim", "claimName"),
        ):
            source = table(volume.get(field))
            name = text(source.get(key))
            if name and source.get("optional") is not True and is_missing(p, kind, name):
                yield p.found(f"the {kind} {name} is not in the set", "volumes", index, field)


@rule(
    "duplicate-object",
    "The same object stands twice in the set",
    why="The second one overwrites the first, or takes turns with it.",
    how="Remove one of them, or give it another name.",
    bad=together(object_("v1", "ServiceAccount"), object_("v1", "ServiceAccount")),
    good=together(object_("v1", "ServiceAccount"), object_("v1", "ServiceAccount", name="other")),
    references=("https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",),
)
def duplicate_object(owner: Object) -> Iterator[Found]:
    first = owner.world.named(owner.kind, owner.name, owner.namespace)
    metadata = table(owner.data.get("metadata"))
    if (
        first is not None
        and first is not owner
        and first.group == owner.group
        and metadata.get("name")
    ):
        yield owner.found(f"{owner.title} stands in the set already", "metadata", "name")


@rule(
    "selector-overlap",
    "Two workloads with the same selector",
    severity=W,
    kinds="Deployment StatefulSet ReplicaSet",
    why="Each takes the other's pods for its own, and Services mix them.",
    how="Give each workload a label of its own in selector and template.",
    bad=together(deployment(), deployment().replace("  name: app\n", "  name: two\n", 1)),
    good=together(deployment(), deployment(name="two")),
)
def selector_overlap(owner: Object) -> Iterator[Found]:
    selector = owner.spec.get("selector")
    if not isinstance(selector, dict):
        return
    for other in owner.world.of(owner.kind):
        if other is owner:
            return
        if (
            other.namespace == owner.namespace
            and other.spec.get("selector") == selector
            and other.name != owner.name
        ):
            yield owner.found(f"{other.title} has the same selector", "spec", "selector")
