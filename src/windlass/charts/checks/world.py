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
        if len(kinds) == 1:
            return self._of_kind.get(kinds[0], [])
        return [one for kind in kinds for one in self._of_kind.get(kind, ())]

    def named(self, kind: str, name: str, namespace: str) -> Object | None:
        """The first object of that kind and name in the namespace."""
        return self._by_name.get((kind, name, namespace))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str], Object]:
        return {(one.kind, one.name, one.namespace): one for one in reversed(self.objects)}

    def of_cluster(self, kind: str, name: str) -> Object | None:
        """The first object of a kind that belongs to no namespace, such as a Namespace itself."""
        return self._of_cluster.get((kind, name))

    @cached_property
    def _of_cluster(self) -> dict[tuple[str, str], Object]:
        found = reversed(self.of("Namespace", "ClusterRole"))
        return {(one.kind, one.name): one for one in found}

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

    @cached_property
    def _pods_with(self) -> dict[tuple[str, str, object], list[Pod]]:
        """Pods by namespace and one label: thousands of pods are not asked one by one."""
        found: dict[tuple[str, str, object], list[Pod]] = {}
        for pod in self.pods:
            for key, value in pod.labels.items():
                if isinstance(value, str):
                    found.setdefault((pod.owner.namespace, key, value), []).append(pod)
        return found

    def selected(self, selector: Table, namespace: str) -> list[Pod]:
        """The pods of the namespace that a label selector fits; an empty one fits all."""
        wanted = next(iter(table(selector.get("matchLabels")).items()), None)
        if wanted is None or not isinstance(wanted[1], str):
            near = self.pods_in(namespace)
        else:
            near = self._pods_with.get((namespace, *wanted), [])
        return [pod for pod in near if fits(selector, pod.labels)]

    def services_of(self, pod: Pod) -> list[Object]:
        """The Services that send requests to a pod."""
        return [one for one in self._services.fitting(pod) if one.spec.get("selector")]

    def budgets_of(self, pod: Pod) -> list[Object]:
        """The PodDisruptionBudgets that guard a pod."""
        return self._budgets.fitting(pod)

    def policies_of(self, pod: Pod) -> list[Object]:
        """The NetworkPolicies that hold a pod."""
        return self._policies.fitting(pod)

    @cached_property
    def _services(self) -> "Selectors":
        found = Selectors()
        for one in self.of("Service"):
            found.add(one, {"matchLabels": one.spec.get("selector")})
        return found

    @cached_property
    def _budgets(self) -> "Selectors":
        found = Selectors()
        for one in self.of("PodDisruptionBudget"):
            found.add(one, table(one.spec.get("selector")))
        return found

    @cached_property
    def _policies(self) -> "Selectors":
        found = Selectors()
        for one in self.of("NetworkPolicy"):
            found.add(one, table(one.spec.get("podSelector")))
        return found

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
    def bound_accounts(self) -> frozenset[tuple[str, str]]:
        """(namespace, name) of the service accounts that a binding gives rights."""
        found: set[tuple[str, str]] = set()
        for binding in self.of("RoleBinding", "ClusterRoleBinding"):
            for _, one in tables(binding.data.get("subjects")):
                if one.get("kind") == "ServiceAccount":
                    space = text(one.get("namespace")) or binding.namespace
                    found.add((space, text(one.get("name"))))
        return frozenset(found)

    @cached_property
    def settings(self) -> frozenset[str]:
        """Namespaces that hold a LimitRange or a ResourceQuota, as `Kind namespace`."""
        return frozenset(
            f"{one.kind} {one.namespace}" for one in self.of("LimitRange", "ResourceQuota")
        )

    def has(self, kind: str) -> bool:
        return kind in self._of_kind


class Selectors:
    """Objects that select pods, by namespace and the first label that they want."""

    def __init__(self) -> None:
        self._wanting: dict[tuple[str, str, object], list[tuple[Object, Table]]] = {}
        self._others: dict[str, list[tuple[Object, Table]]] = {}

    def add(self, owner: Object, selector: Table) -> None:
        wanted = next(iter(table(selector.get("matchLabels")).items()), None)
        if wanted is None or not isinstance(wanted[1], str):
            self._others.setdefault(owner.namespace, []).append((owner, selector))
        else:
            key = (owner.namespace, *wanted)
            self._wanting.setdefault(key, []).append((owner, selector))

    def fitting(self, pod: Pod) -> list[Object]:
        """Those whose selector fits a pod of their namespace."""
        namespace = pod.owner.namespace
        near = list(self._others.get(namespace, ()))
        for key, value in pod.labels.items():
            if isinstance(value, str):
                near += self._wanting.get((namespace, key, value), ())
        return [owner for owner, selector in near if fits(selector, pod.labels)]


def directions(policy: Object) -> set[str]:
    """Whether a NetworkPolicy is about `Ingress`, `Egress` or both."""
    types = {text(one) for one in listed(policy.spec.get("policyTypes"))}
    return types or ({"Ingress", "Egress"} if "egress" in policy.spec else {"Ingress"})


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
