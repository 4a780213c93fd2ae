"""The whole set of objects: who selects whom, who names whom, and what the set is checked for."""

from collections.abc import Iterable, Iterator
from functools import cached_property

from windlass.charts.checks.views import Object, Pod, Table, get, listed, table, tables, text
from windlass.charts.documents import Resource
from windlass.charts.schemas import Schemas


class World:
    """All objects of a check and its settings. Built once for a check; rules only read it."""

    def __init__(
        self,
        resources: Iterable[Resource],
        schemas: Schemas,
        *,
        namespace: str = "",
        registries: tuple[str, ...] = (),
    ) -> None:
        self.schemas = schemas
        self.version = tuple(int(part) for part in schemas.version.split("."))
        self.namespace = namespace
        """Where objects go that name no namespace: empty when that is not known."""
        self.registries = registries
        """Registries that are trusted; all are when none is named."""
        self.objects = [Object(resource, self) for resource in resources]
        self._of_kind: dict[str, list[Object]] = {}
        for one in self.objects:
            self._of_kind.setdefault(one.kind, []).append(one)

    def of(self, *kinds: str) -> list[Object]:
        return [one for kind in kinds for one in self._of_kind.get(kind, ())]

    def named(self, kind: str, name: str, namespace: str) -> Object | None:
        """The first object of that kind and name in the namespace."""
        return self._by_name.get((kind, name, namespace))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str], Object]:
        return {(one.kind, one.name, one.namespace): one for one in reversed(self.objects)}

    def named_namespace(self, name: str) -> Object | None:
        """The Namespace itself; it belongs to none."""
        return next((one for one in self._of_kind.get("Namespace", ()) if one.name == name), None)

    @cached_property
    def pods(self) -> list[Pod]:
        return [one.pod for one in self.objects if one.pod is not None]

    @cached_property
    def _pods_in(self) -> dict[str, list[Pod]]:
        found: dict[str, list[Pod]] = {}
        for pod in self.pods:
            found.setdefault(pod.owner.namespace, []).append(pod)
        return found

    def pods_in(self, namespace: str) -> list[Pod]:
        return self._pods_in.get(namespace, [])

    def selected(self, selector: Table, namespace: str) -> list[Pod]:
        """The pods of the namespace that a label selector fits; an empty one fits all."""
        return [pod for pod in self.pods_in(namespace) if fits(selector, pod.labels)]

    @cached_property
    def _services(self) -> dict[str, list[tuple[Object, Table]]]:
        found: dict[str, list[tuple[Object, Table]]] = {}
        for service in self.of("Service"):
            selector = table(service.spec.get("selector"))
            if selector:
                found.setdefault(service.namespace, []).append((service, selector))
        return found

    def services_of(self, pod: Pod) -> list[Object]:
        """The Services that send requests to a pod."""
        mine = self._services.get(pod.owner.namespace, ())
        return [service for service, selector in mine if has_labels(selector, pod.labels)]

    @cached_property
    def _scaled(self) -> dict[tuple[str, str, str], Object]:
        found: dict[tuple[str, str, str], Object] = {}
        for scaler in self.of("HorizontalPodAutoscaler"):
            target = table(scaler.spec.get("scaleTargetRef"))
            found[text(target.get("kind")), text(target.get("name")), scaler.namespace] = scaler
        return found

    def scaler_of(self, owner: Object) -> Object | None:
        """The HorizontalPodAutoscaler that decides how many pods a workload has."""
        return self._scaled.get((owner.kind, owner.name, owner.namespace))

    @cached_property
    def network_policies(self) -> dict[str, list[tuple[Table, frozenset[str]]]]:
        """(pod selector, directions) of every NetworkPolicy, by namespace."""
        found: dict[str, list[tuple[Table, frozenset[str]]]] = {}
        for policy in self.of("NetworkPolicy"):
            types = frozenset(text(one) for one in listed(policy.spec.get("policyTypes")))
            if not types:
                types = frozenset(
                    ("Ingress", "Egress") if "egress" in policy.spec else ("Ingress",)
                )
            selector = table(policy.spec.get("podSelector"))
            found.setdefault(policy.namespace, []).append((selector, types))
        return found

    @cached_property
    def settings(self) -> frozenset[str]:
        """Namespaces that hold a LimitRange or a ResourceQuota, as `Kind namespace`."""
        return frozenset(
            f"{one.kind} {one.namespace}" for one in self.of("LimitRange", "ResourceQuota")
        )

    def has(self, kind: str) -> bool:
        return kind in self._of_kind


def has_labels(wanted: Table, labels: Table) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())


def fits(selector: Table, labels: Table) -> bool:
    """Whether labels satisfy `matchLabels` and `matchExpressions`."""
    if not has_labels(table(selector.get("matchLabels")), labels):
        return False
    return all(_holds(one, labels) for _, one in tables(selector.get("matchExpressions")))


def _holds(expression: Table, labels: Table) -> bool:
    key, values = text(expression.get("key")), listed(expression.get("values"))
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False


def replicas(owner: Object) -> int:
    """How many pods a workload asks for."""
    value = get(owner.spec, "replicas")
    return value if isinstance(value, int) and not isinstance(value, bool) else 1


def selectors(owner: Object) -> Iterator[tuple[str, Table]]:
    """(field, label selector) of a workload."""
    if isinstance(selector := owner.spec.get("selector"), dict):
        yield "selector", table(selector)
