"""The client of Windlass's HTTP API, one method per verb; the command line uses nothing else.

It is public: `with Api("https://panel.example.com", token) as api: api.deployments()`. Objects are
the structs of `windlass.cli.schemas`; sizes are bytes, durations seconds, times UTC. Every method
may raise ApiError (the server refused; `code`, `status`, `details`), Unreachable, ConnectionLost,
Redirected, NotWindlass and UnknownAnswer, all of them CliError.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self
from urllib.parse import urlencode

import msgspec
from httpx2 import ServerSentEvent

from windlass.cli.clusters import Clusters
from windlass.cli.decoding import given, safe
from windlass.cli.releases import Releases
from windlass.cli.schemas import (
    Deployment,
    Diff,
    DiskUsage,
    FileEntry,
    Finding,
    LogLine,
    Preview,
    Project,
    Receipt,
    RegistryLogin,
    Resource,
    RuntimeLine,
    ServerStatus,
    Source,
    Variable,
)

LOG_PAGE = 1000
RUNTIME_PAGE = 1000


class Api(Releases, Clusters):
    """`Api(url, token, timeout_seconds=60)`. Thread-safe. Without a token only
    `ask_device_code` and `collect_device_token` work."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- sources ---

    def missing_blobs(self, hashes: Sequence[str]) -> set[str]:
        """Which of these SHA-256 digests (hex, any number) the server lacks."""
        missing: set[str] = set()
        for start in range(0, len(hashes), 10_000):
            asked = {"hashes": hashes[start : start + 10_000]}
            answer = self.request("POST", "/api/blobs/missing", json=asked, repeatable=True)
            missing.update(self._decoded(_Missing, answer.data).missing)
        return missing

    def put_blob(self, sha256: str, content: Callable[[], Iterator[bytes]], size: int) -> None:
        """Streams one file of `size` bytes; `content` is called again for a repeated upload."""
        self.request("PUT", f"/api/blobs/{safe(sha256)}", body=content, size=size)

    def put_blobs(self, packed: bytes) -> None:
        """Many files: repeated [32-byte digest][8-byte big-endian length][content], ≤ 32 MiB."""
        self.request("POST", "/api/blobs", body=packed, repeatable=True)

    def create_source(self, files: Sequence[FileEntry], name: str) -> Source:
        """A source of uploaded blobs. ApiError 409: details.missing lists what the server lacks."""
        body = {"files": files, "name": name[:200]}
        return self._one(Source, self.request("POST", "/api/sources", json=body, repeatable=True))

    def create_archive_source(
        self, name: str, content: Callable[[], Iterator[bytes]], size: int
    ) -> Source:
        """A source from an archive (.zip, .tar, .tar.gz, .tar.xz) of `size` bytes."""
        params = {"name": name}
        path = "/api/sources/archive"
        return self._one(
            Source,
            self.request("POST", path, params=params, body=content, size=size, repeatable=True),
        )

    def create_git_source(self, repository_url: str, branch: str | None) -> Source:
        """A source that the server fetches: `pending` at first, so poll `source`."""
        body = {"repositoryUrl": repository_url, **given(branch=branch)}
        return self._one(Source, self.request("POST", "/api/sources", json=body))

    def create_image_source(self, image: str) -> Source:
        """A source that is the name of an image."""
        return self._one(Source, self.request("POST", "/api/sources", json={"image": image}))

    def source(self, source_id: str, *, root_directory: str | None = None) -> Source:
        """A source with its plan; another `root_directory` plans it anew."""
        params = {"rootDirectory": root_directory}
        return self._one(
            Source, self.request("GET", f"/api/sources/{safe(source_id)}", params=params)
        )

    # --- projects ---

    def projects(self, *, limit: int | None = None, sort: str = "name") -> list[Project]:
        """All projects, or the first `limit`."""
        return self._many(Project, "/api/projects", {"sort": sort}, limit)

    def project(self, project_id: str) -> Project:
        return self._one(Project, self.request("GET", f"/api/projects/{safe(project_id)}"))

    def project_by_slug(self, slug: str) -> Project:
        return self._one(Project, self.request("GET", f"/api/projects/by-slug/{safe(slug)}"))

    def create_project(self, name: str, **settings: str | bool | None) -> Project:
        """Settings are the API's own fields in snake case: `repository_url`, `build_command`, …"""
        body = {"name": name, **given(**settings)}
        return self._one(Project, self.request("POST", "/api/projects", json=body))

    def delete_project(self, project_id: str) -> None:
        self.request("DELETE", f"/api/projects/{safe(project_id)}")

    def clean_caches(self, project_id: str) -> None:
        """Forgets what is kept between builds, as soon as none of them runs."""
        self.request("DELETE", f"/api/projects/{safe(project_id)}/caches")

    def variables(self, project_id: str) -> list[Variable]:
        """The project's environment variables; values of secret ones are None."""
        return self._many(Variable, f"/api/projects/{safe(project_id)}/env", {}, None)

    def set_variable(
        self, project_id: str, key: str, value: str, *, secret: bool, targets: Sequence[str] = ()
    ) -> list[Variable]:
        """Creates or replaces a variable of each target; none means production and preview."""
        chosen = {"targets": list(targets)} if targets else {}
        body = {"key": key, "value": value, "secret": secret, **chosen}
        path = f"/api/projects/{safe(project_id)}/env"
        return self._list(Variable, self.request("POST", path, json=body, repeatable=True))

    def delete_variable(self, project_id: str, variable_id: str) -> None:
        self.request("DELETE", f"/api/projects/{safe(project_id)}/env/{safe(variable_id)}")

    # --- previews ---

    def previews(self, project_id: str) -> list[Preview]:
        """Open pull requests and branches with a preview, newest first."""
        return self._many(Preview, f"/api/projects/{safe(project_id)}/previews", {}, None)

    def approve_preview(self, project_id: str, preview_id: str, commit: str) -> Deployment:
        """Lets this commit of a fork be built. ApiError 409 when there is another one by now."""
        path = f"/api/projects/{safe(project_id)}/previews/{safe(preview_id)}/approve"
        return self._one(Deployment, self.request("POST", path, json={"commitSha": commit}))

    def remove_preview(self, project_id: str, preview_id: str) -> None:
        self.request("DELETE", f"/api/projects/{safe(project_id)}/previews/{safe(preview_id)}")

    # --- registries ---

    def registry_logins(self, project_id: str) -> list[RegistryLogin]:
        """Where the project fetches private images, and as whom."""
        return self._many(RegistryLogin, f"/api/projects/{safe(project_id)}/registries", {}, None)

    def set_registry_login(
        self, project_id: str, registry: str, username: str, password: str
    ) -> RegistryLogin:
        """Creates or replaces the login at a registry."""
        body = {"registry": registry, "username": username, "password": password}
        path = f"/api/projects/{safe(project_id)}/registries"
        return self._one(RegistryLogin, self.request("POST", path, json=body, repeatable=True))

    def remove_registry_login(self, project_id: str, login_id: str) -> None:
        self.request("DELETE", f"/api/projects/{safe(project_id)}/registries/{safe(login_id)}")

    # --- deployments ---

    def create_deployment(
        self,
        project_id: str,
        source_id: str,
        *,
        production: bool,
        clean: bool = False,
        commit: Mapping[str, str] | None = None,
    ) -> Deployment:
        """Queues a deployment. `commit` may hold branch, commitSha and commitMessage."""
        body = {"projectId": project_id, "sourceId": source_id, "production": production}
        params = {"clean": "true" if clean else None}
        answer = self.request(
            "POST", "/api/deployments", params=params, json={**body, **(commit or {})}
        )
        return self._one(Deployment, answer)

    def deployments(
        self,
        *,
        project_id: str | None = None,
        status: str | None = None,
        branch: str | None = None,
        preview: bool | None = None,
        limit: int | None = 20,
    ) -> list[Deployment]:
        """Newest first. `status` may be a comma list. `limit` None: all of them."""
        filters = {
            "projectId": project_id,
            "status": status,
            "branch": branch,
            "isPreview": None if preview is None else str(preview).lower(),
            "sort": "-createdAt",
        }
        return self._many(Deployment, "/api/deployments", filters, limit)

    def deployment(self, deployment_id: str) -> Deployment:
        return self._one(Deployment, self.request("GET", f"/api/deployments/{safe(deployment_id)}"))

    def cancel(self, deployment_id: str) -> Deployment:
        """ApiError 409 when the deployment has ended already."""
        return self._act(deployment_id, "cancel", {})

    def rollback(
        self, deployment_id: str, *, reason: str | None = None, todays_variables: bool = False
    ) -> Deployment:
        """Makes this earlier deployment the live one again, with the variables it had then or
        with today's."""
        wanted = True if todays_variables else None
        body = given(reason=reason, todays_variables=wanted)
        return self._act(deployment_id, "rollback", body)

    def redeploy(self, deployment_id: str, *, clean: bool = False) -> Deployment:
        """Queues a new deployment of the same source. ApiError 409 while the old one runs."""
        path = f"/api/deployments/{safe(deployment_id)}/trigger"
        params = {"clean": "true" if clean else None}
        return self._one(Deployment, self.request("POST", path, params=params))

    def promote(self, deployment_id: str) -> Deployment:
        """Makes this preview the production deployment."""
        return self._act(deployment_id, "promote", {})

    def diff(self, deployment_id: str, *, before: str | None = None) -> Diff:
        """What changed since `before`, or since the READY one made before this one."""
        path = f"/api/deployments/{safe(deployment_id)}/diff"
        return self._one(Diff, self.request("GET", path, params={"compareWith": before}))

    def receipt(self, deployment_id: str) -> Receipt:
        """What came of its last switch to production. ApiError 404: it was never live."""
        path = f"/api/deployments/{safe(deployment_id)}/receipt"
        return self._one(Receipt, self.request("GET", path))

    def logs(
        self, deployment_id: str, *, after: int | None = None, level: str | None = None
    ) -> Iterator[LogLine]:
        """The lines after number `after`, in order, page by page."""
        path = f"/api/deployments/{safe(deployment_id)}/logs"
        while True:
            params = {"after": after, "limit": LOG_PAGE, "level": level}
            page = self._list(LogLine, self.request("GET", path, params=params))
            yield from page
            if not page or (after is not None and page[-1].seq <= after):
                return
            after = page[-1].seq

    def runtime_lines(
        self, deployment_id: str, *, lines: int, wanted: Mapping[str, str | None]
    ) -> list[RuntimeLine]:
        """The newest lines that the application wrote, oldest first."""
        path = f"/api/deployments/{safe(deployment_id)}/logs/runtime"
        found: list[RuntimeLine] = []
        cursor: str | None = None
        while len(found) < lines:
            count = min(lines - len(found), RUNTIME_PAGE)
            answer = self.request("GET", path, params={**wanted, "limit": count, "cursor": cursor})
            found += self._list(RuntimeLine, answer)
            cursor = answer.cursor
            if cursor is None:
                break
        return found[::-1]

    @contextmanager
    def runtime_stream(
        self,
        deployment_id: str,
        *,
        wanted: Mapping[str, str | None],
        lines: int,
        after: str | None,
    ) -> Generator[Iterator[tuple[str, RuntimeLine]]]:
        """What it writes, as it is written, each line with the place to resume after it."""
        asked = {name: value for name, value in wanted.items() if value} | {"last": str(lines)}
        path = f"/api/deployments/{safe(deployment_id)}/logs/runtime/stream?{urlencode(asked)}"
        with self.events(path, last_id=after) as events:
            yield (
                (event.id, self._received(RuntimeLine, event.data.encode()))
                for event in events
                if event.event == "log"
            )

    @contextmanager
    def log_stream(
        self, deployment_id: str, *, after: int | None
    ) -> Generator[Iterator[LogLine | Deployment]]:
        """The live log from line `after` on, with the deployment at every change of state.

        Ends when the server ends it; `windlass.cli.follow` resumes and falls back to polling.
        """
        path = f"/api/deployments/{safe(deployment_id)}/logs/stream"
        with self.events(path, last_id=after) as events:
            yield self._read_events(events)

    # --- the server ---

    def disk(self) -> DiskUsage:
        """Where the bytes of the server's home went; for administrators."""
        return self._one(DiskUsage, self.request("GET", "/api/admin/disk"))

    def doctor(self) -> list[Finding]:
        """What the server found about its own machine."""
        return self._list(Finding, self.request("GET", "/api/doctor"))

    def status(self) -> ServerStatus:
        return self._one(ServerStatus, self.request("GET", "/api/status"))

    # --- decoding ---

    def _act(self, deployment_id: str, verb: str, body: Mapping[str, object]) -> Deployment:
        path = f"/api/deployments/{safe(deployment_id)}/{verb}"
        return self._one(Deployment, self.request("POST", path, json=body))

    def _read_events(self, events: Iterator[ServerSentEvent]) -> Iterator[LogLine | Deployment]:
        for event in events:
            match event.event:
                case "log":
                    yield self._received(LogLine, event.data.encode())
                # "complete" without data: the deployment was deleted meanwhile.
                case "status" | "complete" if event.data != "null":
                    yield self._received(Deployment, event.data.encode())
                case _:
                    pass


class _Missing(msgspec.Struct):
    missing: list[str]


def as_json_list(resources: Sequence[Resource]) -> bytes:
    """The resources as the JSON array they came from."""
    return b"[" + b",".join(resource.as_received for resource in resources) + b"]"
