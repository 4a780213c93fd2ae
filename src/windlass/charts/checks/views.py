"""Objects as rules see them: pods with their containers and the security context that takes effect.

Whatever a manifest holds, a view answers: a field of the wrong type counts as absent, its type is
the schema's business.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from windlass.charts.checks.rule import Change, Delete, Found, Path, Set, Severity
from windlass.charts.documents import Resource

if TYPE_CHECKING:
    from windlass.charts.checks.world import World

Table = dict[str, object]
EMPTY: Table = {}
NONE: list[object] = []
TEMPLATE: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(
        (
            "Deployment",
            "ReplicaSet",
            "StatefulSet",
            "DaemonSet",
            "Job",
            "ReplicationController",
            "DeploymentConfig",
            "Rollout",
        ),
        ("spec", "template"),
    ),
}
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def table(value: object) -> Table:
    return cast(Table, value) if value.__class__ is dict else EMPTY


def listed(value: object) -> list[object]:
    return cast(list[object], value) if value.__class__ is list else NONE


def text(value: object) -> str:
    return cast(str, value) if value.__class__ is str else ""


def whole(value: object) -> int | None:
    return cast(int, value) if value.__class__ is int else None


def tables(value: object) -> Iterator[tuple[int, Table]]:
    """The mappings in a list, with their index."""
    for index, item in enumerate(listed(value)):
        if item.__class__ is dict:
            yield index, cast(Table, item)


def get(start: Table, *path: str) -> object:
    """The value at a path of keys, None where it ends."""
    value: object = start
    for part in path:
        if value.__class__ is not dict:
            return None
        value = table(value).get(part)
    return value


class Object:
    """One object of the set."""

    __slots__ = (
        "annotations", "api_version", "data", "group", "kind", "labels",
        "name", "namespace", "pod", "resource", "spec", "world",
    )  # fmt: skip

    def __init__(self, resource: Resource, world: "World") -> None:
        self.resource = resource
        self.world = world
        self.data = resource.data
        self.kind = resource.kind
        self.api_version = resource.api_version
        self.group = resource.api_version.rpartition("/")[0]
        self.name = resource.name
        metadata = table(self.data.get("metadata"))
        self.namespace = resource.namespace or world.namespace
        self.labels = table(metadata.get("labels"))
        self.annotations = table(metadata.get("annotations"))
        self.spec = table(self.data.get("spec"))
        self.pod = Pod.of(self)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"

    def found(
        self,
        message: str,
        *path: str | int,
        fix: tuple[Change, ...] = (),
        severity: Severity | None = None,
    ) -> Found:
        return Found(message, path, fix, severity)

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"


class Pod:
    """A pod, or the template that pods are made from."""

    __slots__ = (
        "annotations",
        "containers",
        "labels",
        "owner",
        "path",
        "security",
        "spec",
        "top",
        "world",
    )

    def __init__(self, owner: Object, top: Path, template: Table) -> None:
        self.owner = owner
        self.world = owner.world
        self.top = top
        """Where the template stands; its metadata and its spec are right below."""
        self.path: Path = (*top, "spec")
        self.spec = table(template.get("spec"))
        metadata = table(template.get("metadata"))
        self.labels = table(metadata.get("labels"))
        self.annotations = table(metadata.get("annotations"))
        self.security = table(self.spec.get("securityContext"))
        self.containers = [
            Container(self, kind, index, one)
            for kind in CONTAINERS
            for index, one in tables(self.spec.get(kind))
        ]

    @staticmethod
    def of(owner: Object) -> "Pod | None":
        top = TEMPLATE.get(owner.kind)
        if top is None:
            return None
        template = table(get(owner.data, *top))
        return Pod(owner, top, template) if template else None

    @property
    def main(self) -> "list[Container]":
        """The containers that run for the pod's whole life, sidecars left out."""
        return [one for one in self.containers if one.kind == "containers"]

    @property
    def volumes(self) -> Iterator[tuple[int, Table]]:
        return tables(self.spec.get("volumes"))

    @property
    def is_job(self) -> bool:
        return self.owner.kind in ("Job", "CronJob")

    @property
    def is_windows(self) -> bool:
        return get(self.spec, "os", "name") == "windows"

    @property
    def is_of_user_namespace(self) -> bool:
        return self.spec.get("hostUsers") is False

    def found(
        self,
        message: str,
        *path: str | int,
        fix: tuple[Change, ...] = (),
        severity: Severity | None = None,
    ) -> Found:
        return Found(message, (*self.path, *path), fix, severity)

    def setting(self, value: object, *path: str | int) -> tuple[Change, ...]:
        return (Set((*self.path, *path), value),)

    def deleting(self, *path: str | int) -> tuple[Change, ...]:
        return (Delete((*self.path, *path)),)


class Container:
    """A container of any of the three kinds."""

    __slots__ = ("data", "image", "kind", "name", "path", "pod", "security")

    def __init__(self, pod: Pod, kind: str, index: int, data: Table) -> None:
        self.pod = pod
        self.kind = kind
        self.path: Path = (*pod.path, kind, index)
        self.data = data
        self.name = text(data.get("name"))
        self.image = text(data.get("image"))
        self.security = table(data.get("securityContext"))

    @property
    def title(self) -> str:
        words = {"containers": "container", "initContainers": "init container"}
        return f"{words.get(self.kind, 'ephemeral container')} {self.name or '(without a name)'}"

    @property
    def is_main(self) -> bool:
        """It runs for the pod's whole life and is no sidecar."""
        return self.kind == "containers"

    @property
    def is_lasting(self) -> bool:
        """It runs for the pod's whole life: a container, or an init container that is a sidecar."""
        return self.kind == "containers" or (
            self.kind == "initContainers" and self.data.get("restartPolicy") == "Always"
        )

    def effective(self, name: str) -> object:
        """A field of the security context: the container's own, else the pod's."""
        value = self.security.get(name)
        return self.pod.security.get(name) if value is None else value

    @property
    def is_privileged(self) -> bool:
        return self.security.get("privileged") is True

    def capabilities(self, which: str) -> list[str]:
        """Added or dropped capabilities, without the prefix `CAP_`, in capitals."""
        names = listed(table(self.security.get("capabilities")).get(which))
        return [text(name).upper().removeprefix("CAP_") for name in names]

    @property
    def drops_all(self) -> bool:
        return "ALL" in self.capabilities("drop")

    @property
    def env(self) -> Iterator[tuple[int, Table]]:
        return tables(self.data.get("env"))

    @property
    def ports(self) -> Iterator[tuple[int, Table]]:
        return tables(self.data.get("ports"))

    def amount(self, which: str, resource: str) -> object:
        """`requests` or `limits` of a resource; a request that is not said is its limit."""
        resources = table(self.data.get("resources"))
        value = table(resources.get(which)).get(resource)
        return (
            table(resources.get("limits")).get(resource)
            if value is None and which == "requests"
            else value
        )

    def found(
        self,
        message: str,
        *path: str | int,
        fix: tuple[Change, ...] = (),
        severity: Severity | None = None,
    ) -> Found:
        return Found(f"{self.title}: {message}", (*self.path, *path), fix, severity)

    def setting(self, value: object, *path: str | int) -> tuple[Change, ...]:
        return (Set((*self.path, *path), value),)

    def deleting(self, *path: str | int) -> tuple[Change, ...]:
        return (Delete((*self.path, *path)),)
