"""The verbs of the API about releases on Kubernetes clusters."""

from collections.abc import Mapping

from windlass.cli.client import ApiError
from windlass.cli.decoding import safe
from windlass.cli.people import People
from windlass.cli.release_schemas import (
    ClusterRow,
    ContainerLog,
    Release,
    ReleasePlan,
    Revision,
    RevisionDiff,
    RevisionSource,
)


class Releases(People):
    """A part of `windlass.cli.api.Api`."""

    def cluster_rows(self) -> list[ClusterRow]:
        """Names and ids of the clusters that the caller may use."""
        return self._many(ClusterRow, "/api/clusters", {}, None)

    def releases(self, **asked: str | None) -> list[Release]:
        """Newest first; `cluster_id`, `namespace` and `status` choose among them."""
        params = {
            "clusterId": asked.get("cluster_id"),
            "namespace": asked.get("namespace"),
            "status": asked.get("status"),
        }
        return self._many(Release, "/api/releases", params, None)

    def release(self, id: str) -> Release:
        return self._one(Release, self.request("GET", f"/api/releases/{safe(id)}"))

    def plan_release(self, body: Mapping[str, object]) -> ReleasePlan:
        """What `create_release` would do with the same body."""
        answer = self.request("POST", "/api/releases/plan", json=body, repeatable=True)
        return self._one(ReleasePlan, answer)

    def create_release(self, body: Mapping[str, object]) -> Release:
        """ApiError 422 with details.findings for errors of the check, 409 with details.digest for
        warnings, which `confirm` with that digest takes upon oneself."""
        return self._one(Release, self.request("POST", "/api/releases", json=body))

    def deploy_again(self, id: str, verb: str, body: Mapping[str, object]) -> Release:
        """`verb` is rollback or redeploy."""
        answer = self.request("POST", f"/api/releases/{safe(id)}/{verb}", json=body)
        return self._one(Release, answer)

    def cancel_release(self, id: str) -> Release:
        return self._one(Release, self.request("POST", f"/api/releases/{safe(id)}/cancel"))

    def delete_release(self, id: str, name: str, *, resources: bool, with_data: bool) -> Release:
        """Ends as `DELETED` after a while; `name` confirms it."""
        params = {
            "confirm": name,
            "resources": "true" if resources else "false",
            "withData": "true" if with_data else "false",
        }
        path = f"/api/releases/{safe(id)}"
        return self._one(Release, self.request("DELETE", path, params=params))

    def revisions(self, id: str) -> list[Revision]:
        return self._many(Revision, f"/api/releases/{safe(id)}/revisions", {}, None)

    def revision_source(self, id: str, number: int | None) -> RevisionSource:
        """The manifests, byte for byte."""
        params = {"revision": str(number) if number else None}
        path = f"/api/releases/{safe(id)}/source"
        return self._one(RevisionSource, self.request("GET", path, params=params))

    def revision_diff(self, id: str, revision: int | None, other: int | None) -> RevisionDiff:
        params = {
            "revision": str(revision) if revision else None,
            "compareWith": str(other) if other else None,
        }
        path = f"/api/releases/{safe(id)}/diff"
        return self._one(RevisionDiff, self.request("GET", path, params=params))

    def release_logs(
        self, id: str, *, pod: str | None, container: str | None, lines: int, previous: bool
    ) -> list[ContainerLog]:
        params = {
            "pod": pod,
            "container": container,
            "lines": str(lines),
            "previous": "true" if previous else None,
        }
        path = f"/api/releases/{safe(id)}/logs"
        return self._list(ContainerLog, self.request("GET", path, params=params))


def digest_of(error: ApiError) -> str | None:
    """What confirms the warnings that an answer of 409 names."""
    details = error.details
    if error.status != 409 or details.get("reason") != "CONFIRMATION_NEEDED":
        return None
    return str(details.get("digest") or "") or None
