"""Which kinds a cluster has: its aggregated discovery, two answers for everything (K8s 1.30+)."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from windlass.adapters.kube.errors import Invalid

# The second form is that of servers that do not aggregate: it has no resources in it.
ACCEPT = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)


class Resource(msgspec.Struct, frozen=True):
    """A kind and where its objects are."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Below the server's address, with a slash in front. Names come from documents that
        anybody writes: none may lead to another object, or to all of them. Raises Invalid."""
        path = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        if self.namespaced and namespace is not None:
            path += f"/namespaces/{_segment(namespace)}"
        path += f"/{self.plural}"
        return path if name is None else f"{path}/{_segment(name)}"


class Discovery(msgspec.Struct, frozen=True):
    """All kinds of a cluster by (apiVersion, kind). Keep it as long as the cluster's version."""

    resources: dict[tuple[str, str], Resource]

    def find(self, api_version: str, kind: str) -> Resource | None:
        return self.resources.get((api_version, kind))

    def has_group(self, group: str) -> bool:
        return any(one.group == group for one in self.resources.values())

    def of_kind(self, group: str, kind: str) -> Resource | None:
        """In the version that the cluster prefers."""
        for one in self.resources.values():
            if one.group == group and one.kind == kind:
                return one
        return None

    @classmethod
    def of(cls, *answers: object) -> "Discovery":
        """Of what `/api` and `/apis` answered; what is not understood is left out."""
        found: dict[tuple[str, str], Resource] = {}
        for answer in answers:
            for one in _resources(answer):
                found.setdefault((one.api_version, one.kind), one)
        return cls(found)


def is_aggregated(answer: object) -> bool:
    return isinstance(answer, dict) and answer.get("kind") == "APIGroupDiscoveryList"


def of_list(group_version: str, answer: dict[str, Any]) -> Iterator[Resource]:
    """Of an APIResourceList, as servers have it that do not aggregate."""
    group, _, version = group_version.rpartition("/")
    listed: list[dict[str, Any]] = answer.get("resources") or []
    for one in listed:
        name = str(one["name"])
        if "/" in name:
            continue
        yield Resource(
            group=group,
            version=version,
            kind=str(one["kind"]),
            plural=name,
            namespaced=bool(one.get("namespaced")),
            verbs=tuple(one.get("verbs") or ()),
            subresources=tuple(
                str(sub["name"]).partition("/")[2]
                for sub in listed
                if str(sub["name"]).startswith(f"{name}/")
            ),
        )


def _segment(name: str) -> str:
    if name in {"", ".", ".."}:
        raise Invalid(f"{name!r} is no name of an object", status=0, causes=())
    return quote(name, safe="")


def _resources(answer: object) -> Iterator[Resource]:
    whole: dict[str, Any] = answer if isinstance(answer, dict) else {}
    for item in whole.get("items") or ():
        group = str((item.get("metadata") or {}).get("name") or "")
        for version in item.get("versions") or ():
            for one in version.get("resources") or ():
                kind = (one.get("responseKind") or {}).get("kind")
                if not kind:
                    continue
                yield Resource(
                    group=group,
                    version=str(version["version"]),
                    kind=str(kind),
                    plural=str(one["resource"]),
                    namespaced=one.get("scope") == "Namespaced",
                    verbs=tuple(one.get("verbs") or ()),
                    subresources=tuple(
                        str(sub["subresource"]) for sub in one.get("subresources") or ()
                    ),
                )
