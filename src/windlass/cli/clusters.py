"""The verbs of the API about Kubernetes clusters."""

from datetime import datetime
from typing import Any

import msgspec

from windlass.cli.decoding import Decoding, safe
from windlass.cli.schemas import Resource


class Tried(msgspec.Struct, kw_only=True, rename="camel"):
    """`state` is testing, working or failing."""

    state: str = ""
    reason: str | None = None
    detail: str | None = None
    at: datetime | None = None


class Installed(msgspec.Struct, kw_only=True, rename="camel"):
    name: str = ""
    versions: list[str] = msgspec.field(default_factory=list[str])


class Power(msgspec.Struct, kw_only=True, rename="camel"):
    verb: str = ""
    resource: str = ""
    allowed: bool = False


class Facts(msgspec.Struct, kw_only=True, rename="camel"):
    version: str = ""
    user: str = ""
    powers: list[Power] = msgspec.field(default_factory=list[Power])
    installed: list[Installed] = msgspec.field(default_factory=list[Installed])


class Cluster(Resource):
    """A Kubernetes cluster; what opens it is never told."""

    id: str
    name: str = ""
    server: str = ""
    role: str = ""
    namespaces: list[str] = msgspec.field(default_factory=list[str])
    test: Tried = msgspec.field(default_factory=Tried)
    facts: Facts | None = None


class Clusters(Decoding):
    """A part of `windlass.cli.api.Api`."""

    def clusters(self) -> list[Cluster]:
        """One's own, and those of one's teams."""
        return self._many(Cluster, "/api/clusters", {}, None)

    def cluster(self, cluster_id: str) -> Cluster:
        return self._one(Cluster, self.request("GET", f"/api/clusters/{safe(cluster_id)}"))

    def add_cluster(self, name: str, way: dict[str, Any]) -> Cluster:
        """`way` is what the API takes besides the name."""
        body = {"name": name, **way}
        return self._one(Cluster, self.request("POST", "/api/clusters", json=body))

    def replace_cluster_credential(self, cluster_id: str, way: dict[str, Any]) -> Cluster:
        path = f"/api/clusters/{safe(cluster_id)}/credential"
        return self._one(Cluster, self.request("PUT", path, json=way))

    def try_cluster(self, cluster_id: str) -> Cluster:
        """Begins a try; `cluster` says what came of it."""
        path = f"/api/clusters/{safe(cluster_id)}/test"
        return self._one(Cluster, self.request("POST", path))

    def remove_cluster(self, cluster_id: str) -> None:
        self.request("DELETE", f"/api/clusters/{safe(cluster_id)}")
