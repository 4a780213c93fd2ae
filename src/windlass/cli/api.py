"""The client of Windlass's HTTP API, one method per verb; the command line uses nothing else.

It is public: `with Api("https://panel.example.com", token) as api: api.deployments()`. Objects are
the structs of `windlass.cli.schemas`; sizes are bytes, durations seconds, times UTC. Every method
may raise ApiError (the server refused; `code`, `status`, `details`), Unreachable, ConnectionLost,
Redirected, NotWindlass and UnknownAnswer, all of them CliError.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self, TypeVar
from urllib.parse import quote

import msgspec
from httpx2 import ServerSentEvent

from windlass.cli.client import Answer, Connection, Params, UnknownAnswer
from windlass.cli.schemas import (
    Account,
    Deployment,
    FileEntry,
    Finding,
    LogLine,
    Project,
    Resource,
    RuntimeLog,
    ServerStatus,
    Source,
    Token,
    Variable,
)

Found = TypeVar("Found", bound=Resource)
Decoded = TypeVar("Decoded")

PAGE = 100
LOG_PAGE = 1000


class Api(Connection):
    """`Api(url, token, timeout_seconds=60)`. Thread-safe. Without a token only `sign_in` works."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- account ---

    def sign_in(self, email: str, password: str) -> None:
        """Opens a session that this object keeps as a cookie, for `create_token`."""
        self.request("POST", "/api/auth/sign-in", json={"email": email, "password": password})

    def sign_out(self) -> None:
        """Ends the session that `sign_in` opened."""
        self.request("POST", "/api/auth/sign-out")

    def me(self) -> Account:
        """The account behind the token."""
        return self._one(Account, self.request("GET", "/api/auth/me"))

    def create_token(self, name: str) -> Token:
        """A new token; its secret is in this answer only."""
        return self._one(Token, self.request("POST", "/api/auth/tokens", json={"name": name}))

    def delete_token(self, token_id: str) -> None:
        self.request("DELETE", f"/api/auth/tokens/{_safe(token_id)}")

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
        self.request("PUT", f"/api/blobs/{_safe(sha256)}", body=content, size=size)

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
        body = {"repositoryUrl": repository_url, **_given(branch=branch)}
        return self._one(Source, self.request("POST", "/api/sources", json=body))

    def source(self, source_id: str, *, root_directory: str | None = None) -> Source:
        """A source with its plan; another `root_directory` plans it anew."""
        params = {"rootDirectory": root_directory}
        return self._one(
            Source, self.request("GET", f"/api/sources/{_safe(source_id)}", params=params)
        )

    # --- projects ---

    def projects(self, *, limit: int | None = None, sort: str = "name") -> list[Project]:
        """All projects, or the first `limit`."""
        return self._many(Project, "/api/projects", {"sort": sort}, limit)

    def project(self, project_id: str) -> Project:
        return self._one(Project, self.request("GET", f"/api/projects/{_safe(project_id)}"))

    def project_by_slug(self, slug: str) -> Project:
        return self._one(Project, self.request("GET", f"/api/projects/by-slug/{_safe(slug)}"))

    def create_project(self, name: str, **settings: str | bool | None) -> Project:
        """Settings are the API's own fields in snake case: `repository_url`, `build_command`, …"""
        body = {"name": name, **_given(**settings)}
        return self._one(Project, self.request("POST", "/api/projects", json=body))

    def delete_project(self, project_id: str) -> None:
        self.request("DELETE", f"/api/projects/{_safe(project_id)}")

    def variables(self, project_id: str) -> list[Variable]:
        """The project's environment variables; values of secret ones are None."""
        return self._many(Variable, f"/api/projects/{_safe(project_id)}/env", {}, None)

    def set_variable(
        self, project_id: str, key: str, value: str, *, secret: bool, targets: Sequence[str] = ()
    ) -> list[Variable]:
        """Creates or replaces a variable of each target; none means production and preview."""
        chosen = {"targets": list(targets)} if targets else {}
        body = {"key": key, "value": value, "secret": secret, **chosen}
        path = f"/api/projects/{_safe(project_id)}/env"
        return self._list(Variable, self.request("POST", path, json=body, repeatable=True))

    def delete_variable(self, project_id: str, variable_id: str) -> None:
        self.request("DELETE", f"/api/projects/{_safe(project_id)}/env/{_safe(variable_id)}")

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
        return self._one(
            Deployment, self.request("GET", f"/api/deployments/{_safe(deployment_id)}")
        )

    def cancel(self, deployment_id: str) -> Deployment:
        """ApiError 409 when the deployment has ended already."""
        return self._act(deployment_id, "cancel", {})

    def rollback(self, deployment_id: str, *, reason: str | None = None) -> Deployment:
        """Makes this earlier deployment the live one again."""
        return self._act(deployment_id, "rollback", _given(reason=reason))

    def promote(self, deployment_id: str) -> Deployment:
        """Makes this preview the production deployment."""
        return self._act(deployment_id, "promote", {})

    def logs(
        self, deployment_id: str, *, after: int | None = None, level: str | None = None
    ) -> Iterator[LogLine]:
        """The lines after number `after`, in order, page by page."""
        path = f"/api/deployments/{_safe(deployment_id)}/logs"
        while True:
            params = {"after": after, "limit": LOG_PAGE, "level": level}
            page = self._list(LogLine, self.request("GET", path, params=params))
            yield from page
            if not page or (after is not None and page[-1].seq <= after):
                return
            after = page[-1].seq

    def runtime_logs(self, deployment_id: str, *, lines: int) -> RuntimeLog:
        """The last lines that the deployed application wrote."""
        path = f"/api/deployments/{_safe(deployment_id)}/runtime-logs"
        data = self.request("GET", path, params={"lines": lines}).data
        if data.startswith(b"["):
            items = self._decoded(list[str | _Text], data)
        else:
            items = self._decoded(_Lines, data).lines
        texts = [item if isinstance(item, str) else item.message for item in items]
        return RuntimeLog(lines=texts, as_received=data)

    @contextmanager
    def log_stream(
        self, deployment_id: str, *, after: int | None
    ) -> Generator[Iterator[LogLine | Deployment]]:
        """The live log from line `after` on, with the deployment at every change of state.

        Ends when the server ends it; `windlass.cli.follow` resumes and falls back to polling.
        """
        path = f"/api/deployments/{_safe(deployment_id)}/logs/stream"
        with self.events(path, last_id=after) as events:
            yield self._read_events(events)

    # --- the server ---

    def doctor(self) -> list[Finding]:
        """What the server found about its own machine."""
        return self._list(Finding, self.request("GET", "/api/doctor"))

    def status(self) -> ServerStatus:
        return self._one(ServerStatus, self.request("GET", "/api/status"))

    # --- decoding ---

    def _act(self, deployment_id: str, verb: str, body: Mapping[str, str | bool]) -> Deployment:
        path = f"/api/deployments/{_safe(deployment_id)}/{verb}"
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

    def _one(self, kind: type[Found], answer: Answer) -> Found:
        return self._received(kind, answer.data)

    def _list(self, kind: type[Found], answer: Answer) -> list[Found]:
        items = self._decoded(list[msgspec.Raw], answer.data)
        return [self._received(kind, bytes(item)) for item in items]

    def _many(
        self, kind: type[Found], path: str, filters: Params, limit: int | None
    ) -> list[Found]:
        found: list[Found] = []
        cursor: str | None = None
        while True:
            page = PAGE if limit is None else min(PAGE, limit - len(found))
            answer = self.request("GET", path, params={**filters, "limit": page, "cursor": cursor})
            found += self._list(kind, answer)
            cursor = answer.cursor
            if cursor is None or (limit is not None and len(found) >= limit):
                return found

    def _received(self, kind: type[Found], data: bytes) -> Found:
        resource = self._decoded(kind, data)
        resource.as_received = data
        return resource

    def _decoded(self, kind: type[Decoded], data: bytes) -> Decoded:
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.MsgspecError as error:
            raise UnknownAnswer(url=self.url, reason=error) from error


class _Text(msgspec.Struct):
    message: str = ""


class _Lines(msgspec.Struct):
    lines: list[str | _Text] = []


class _Missing(msgspec.Struct):
    missing: list[str]


def as_json_list(resources: Sequence[Resource]) -> bytes:
    """The resources as the JSON array they came from."""
    return b"[" + b",".join(resource.as_received for resource in resources) + b"]"


def _safe(part: str) -> str:
    """One segment of a path: an id typed by a person must not reach another route."""
    return quote(part, safe="") if part not in {".", ".."} else "%2E"


def _given(**fields: str | bool | None) -> dict[str, str | bool]:
    """Fields that have a value, in the API's camel case."""
    return {_camel(key): value for key, value in fields.items() if value is not None}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
