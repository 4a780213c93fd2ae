"""A small but real HTTP server that keeps the API's contract in memory, for these tests.

It checks what it is sent as the real server does (digests, lengths, tokens), records every request,
and can be told to misbehave: drop a stream, refuse streams, answer with an error.
"""

import hashlib
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "wl_test_token"
EMAIL = "owner@example.com"
FINISHED = {"ready", "error", "cancelled"}


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]
    raw_path: str


@dataclass
class Panel:
    """The state of the server and its moods. All of it is guarded by `changed`."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    calls: list[Call] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    projects: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=lambda: {"tok_0": TOKEN})
    findings: list[dict[str, Any]] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    device_answers: list[str] = field(default_factory=list)
    # Moods
    script: list[tuple[str, str, str]] = field(
        default_factory=lambda: [
            ("info", "install", "installing"),
            ("warn", "build", "a warning"),
            ("success", "build", "built"),
        ]
    )
    ends: str = "ready"
    reason: str | None = None
    holds: bool = False
    switch_fails: str | None = None
    drop_stream_after: int | None = None
    streams: bool = True
    largest_source: int | None = None
    plan_error: str | None = None
    git_error: str | None = None
    # The answers to the next requests; None is none, "" breaks the connection.
    failures: list[tuple[int, dict[str, str]] | Literal[""] | None] = field(default_factory=list)
    forget_blobs_once: bool = False
    may_create: threading.Event = field(default_factory=threading.Event)
    may_upload: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    counter: int = 0

    def name(self, prefix: str) -> str:
        self.counter += 1
        return f"{prefix}_{self.counter:026d}"

    def paths(self, method: str) -> list[str]:
        return [call.path for call in self.calls if call.method == method]

    def moment(self) -> str:
        """Times that differ: one second per object made."""
        return f"2026-01-01T00:{self.counter // 60:02d}:{self.counter % 60:02d}Z"

    def add_project(self, name: str, **more: Any) -> dict[str, Any]:
        project = {
            "id": self.name("proj"),
            "name": name,
            "slug": name.lower().replace(" ", "-"),
            "repositoryUrl": None,
            "url": f"http://{name.lower()}.localhost",
            "latestDeployment": None,
            "activeDeploymentId": None,
            "createdAt": self.moment(),
            **more,
        }
        self.projects[project["id"]] = project
        self.variables[project["id"]] = {}
        return project

    def add_deployment(self, project: dict[str, Any], **more: Any) -> dict[str, Any]:
        made = {
            "id": self.name("depl"),
            "projectId": project["id"],
            "project": {"name": project["name"], "slug": project["slug"]},
            "status": "ready",
            "branch": None,
            "commitSha": None,
            "commitMessage": None,
            "url": project["url"],
            "buildTimeSeconds": 1.5,
            "isActive": False,
            "isPreview": False,
            "errorMessage": None,
            "promotedAt": None,
            "createdAt": self.moment(),
            **more,
        }
        self.deployments[made["id"]] = made
        self.logs[made["id"]] = []
        project["latestDeployment"] = made
        return made

    def activate(self, deployment: dict[str, Any]) -> None:
        project = self.projects[deployment["projectId"]]
        for other in self.deployments.values():
            if other["projectId"] == project["id"]:
                other["isActive"] = False
        deployment["isActive"] = True
        project["activeDeploymentId"] = deployment["id"]

    def write_log(self, deployment_id: str, level: str, step: str, message: str) -> None:
        lines = self.logs[deployment_id]
        stamp = f"2026-01-01T00:00:{len(lines) % 60:02d}.500Z"
        lines.append(
            {
                "seq": len(lines),
                "level": level,
                "step": step,
                "message": message,
                "timestamp": stamp,
            }
        )

    def run(self, deployment: dict[str, Any]) -> None:
        """A build in its own thread: writes its script, then waits or ends."""
        with self.changed:
            if deployment["status"] in FINISHED:
                return
            deployment["status"] = "building"
            self.changed.notify_all()
        for level, step, message in self.script:
            with self.changed:
                if deployment["status"] in FINISHED:
                    return
                self.write_log(deployment["id"], level, step, message)
                self.changed.notify_all()
        with self.changed:
            while self.holds and deployment["status"] not in FINISHED:
                self.changed.wait(10)
            if deployment["status"] in FINISHED:
                return
            deployment["status"] = self.ends
            deployment["errorMessage"] = self.reason
            if self.ends == "ready" and not deployment["isPreview"]:
                self.activate(deployment)
            self.changed.notify_all()


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        self.status, self.code, self.message, self.details = status, code, message, details


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    @property
    def panel(self) -> Panel:
        return self.server.panel

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        body = self._body()
        headers = {key.lower(): value for key, value in self.headers.items()}
        call = Call(self.command, unquote(parts.path), query, body, headers, parts.path)
        with self.panel.changed:
            self.panel.calls.append(call)
        if (call.method, call.path) == ("POST", "/api/deployments"):
            self.panel.may_create.wait(10)
        if (call.method, call.path) == ("POST", "/api/blobs"):
            self.panel.may_upload.wait(10)
        try:
            failure = self.panel.failures.pop(0) if self.panel.failures else None
            if failure == "":
                self.close_connection = True
                return
            if failure is not None:
                status, more = failure
                self._send(status, self._error("SERVICE_UNAVAILABLE", "Away."), more)
                return
            self._authorise(call)
            if call.path.endswith("/logs/stream"):
                self._stream(call)
                return
            status, data, page = self._route(call)
            meta = {"timing": {"durationMs": 1}, **({"pagination": page} if page else {})}
            self._send(status, {"ok": True, "data": data, "meta": meta})
        except Refused as error:
            self._send(error.status, self._error(error.code, error.message, error.details))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("transfer-encoding", ""):
            raise AssertionError("the client must know the length of what it sends")
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _error(self, code: str, message: str, details: object = None) -> dict[str, Any]:
        shown = {"code": code, "message": message, "requestId": "req_test1"}
        if details:
            shown["details"] = details  # type: ignore[assignment]
        return {"ok": False, "error": shown}

    def _send(self, status: int, answer: object, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _authorise(self, call: Call) -> None:
        if call.path.startswith("/api/auth/device"):
            return
        given = call.headers.get("authorization", "").removeprefix("Bearer ")
        if given not in self.panel.tokens.values():
            raise Refused(401, "UNAUTHORIZED", "Sign in first.")

    def _route(self, call: Call) -> tuple[int, Any, dict[str, Any] | None]:
        words = call.path.strip("/").split("/")
        if words[0] != "api":
            raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")
        with self.panel.changed:
            answer = getattr(self, f"_{words[1]}")(call, words[2:])
            self.panel.changed.notify_all()
        if isinstance(answer, tuple):
            return answer if len(answer) == 3 else (*answer, None)
        return 200, answer, None

    def _auth(self, call: Call, words: list[str]) -> Any:
        match call.method, words:
            case "POST", ["device"]:
                self.panel.clients.append(json.loads(call.body)["client"])
                return 201, {
                    "deviceCode": "wd_1",
                    "userCode": "WDJB-MJHT",
                    "verificationUri": f"{self.panel.url}/device",
                    "verificationUriComplete": f"{self.panel.url}/device?code=WDJB-MJHT",
                    "expiresIn": 600,
                    "interval": 0,
                }
            case "POST", ["device", "token"]:
                assert json.loads(call.body) == {"deviceCode": "wd_1"}
                if self.panel.device_answers:
                    reason = self.panel.device_answers.pop(0)
                    raise Refused(400, "BAD_REQUEST", "Not yet.", reason=reason)
                made = self.panel.name("tok")
                self.panel.tokens[made] = f"wl_{made}"
                return 201, {"id": made, "name": "laptop", "token": f"wl_{made}"}
            case "GET", ["me"]:
                return {"id": "user_1", "email": EMAIL, "name": "Owner"}
            case "DELETE", ["tokens", "current"]:
                mine = call.headers["authorization"].removeprefix("Bearer ")
                self.panel.tokens = {k: v for k, v in self.panel.tokens.items() if v != mine}
                return None
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _blobs(self, call: Call, words: list[str]) -> Any:
        match call.method, words:
            case "POST", ["missing"]:
                hashes = json.loads(call.body)["hashes"]
                assert len(hashes) <= 10_000
                return {"missing": [one for one in hashes if one not in self.panel.blobs]}
            case "PUT", [sha256]:
                if hashlib.sha256(call.body).hexdigest() != sha256:
                    raise Refused(400, "BAD_REQUEST", "The content does not have this digest.")
                self.panel.blobs[sha256] = call.body
                return 201, None
            case "POST", []:
                return {"stored": self._unpack(call.body)}
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _unpack(self, body: bytes) -> int:
        assert len(body) <= 32 << 20
        at = stored = 0
        while at < len(body):
            digest, size = body[at : at + 32], int.from_bytes(body[at + 32 : at + 40], "big")
            content = body[at + 40 : at + 40 + size]
            assert len(content) == size
            assert hashlib.sha256(content).digest() == digest
            self.panel.blobs[digest.hex()] = content
            at += 40 + size
            stored += 1
        return stored

    def _sources(self, call: Call, words: list[str]) -> Any:
        panel = self.panel
        match call.method, words:
            case "POST", ["archive"]:
                return 201, self._source("archive", call.query["name"], archive=call.body)
            case "POST", []:
                told = json.loads(call.body)
                if "repositoryUrl" in told:
                    return 202, self._source("git", told["repositoryUrl"], status="pending")
                return 201, self._upload(told)
            case "GET", [source_id]:
                source = panel.sources[source_id]
                if source["status"] == "pending":
                    source["status"] = "error" if panel.git_error else "ready"
                    wrong = {"code": "GIT_FAILED", "message": panel.git_error}
                    source["error"] = wrong if panel.git_error else None
                return self._planned(source)
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _upload(self, told: dict[str, Any]) -> dict[str, Any]:
        panel, files = self.panel, told["files"]
        if panel.forget_blobs_once:
            panel.forget_blobs_once = False
            panel.blobs.clear()
        total = sum(one["size"] for one in files)
        if panel.largest_source is not None and total > panel.largest_source:
            message = f"This is too large: {total} bytes of at most {panel.largest_source}."
            raise Refused(
                413, "PAYLOAD_TOO_LARGE", message, limitBytes=panel.largest_source, foundBytes=total
            )
        contents = [one for one in files if one["mode"] != "link"]
        missing = [one["sha256"] for one in contents if one["sha256"] not in panel.blobs]
        if missing:
            raise Refused(409, "CONFLICT", "Blobs are missing.", missing=missing)
        assert all(len(panel.blobs[one["sha256"]]) == one["size"] for one in contents)
        return self._source("upload", told.get("name", ""), files=files)

    def _source(self, kind: str, name: str, **more: Any) -> dict[str, Any]:
        source = {
            "id": self.panel.name("src"),
            "kind": kind,
            "status": "ready",
            "error": None,
            "plan": None,
            "planError": None,
            "branch": None,
            "suggestedName": name,
            **{key: value for key, value in more.items() if key != "archive"},
        }
        self.panel.sources[source["id"]] = source
        return source

    def _planned(self, source: dict[str, Any]) -> dict[str, Any]:
        """The plan comes with the source only when it is asked for by id."""
        if self.panel.plan_error:
            wrong = {"code": "NOTHING_DETECTED", "message": self.panel.plan_error}
            return {**source, "planError": wrong}
        plan = {
            "framework": "static",
            "label": "Static files",
            "kind": "static",
            "rootDirectory": ".",
            "outputDirectory": "public",
            "evidence": ["public/index.html exists"],
            "warnings": [],
        }
        return {**source, "plan": plan}

    def _projects(self, call: Call, words: list[str]) -> Any:
        panel = self.panel
        match call.method, words:
            case "GET", []:
                found = sorted(panel.projects.values(), key=lambda one: one["name"])
                return self._page(found, call)
            case "POST", []:
                told = json.loads(call.body)
                if len(told["name"]) > 100:
                    wrong = [{"field": "name", "message": "At most 100 characters."}]
                    raise Refused(422, "VALIDATION_ERROR", "Validation failed", fields=wrong)
                return 201, panel.add_project(told.pop("name"), **told)
            case "GET", ["by-slug", slug]:
                return self._found(
                    next((one for one in panel.projects.values() if one["slug"] == slug), None)
                )
            case "GET", [project_id]:
                return self._found(panel.projects.get(project_id))
            case "DELETE", [project_id]:
                return self._found(panel.projects.pop(project_id, None))
            case _, [project_id, "env", *rest]:
                return self._env(call, project_id, rest)
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _env(self, call: Call, project_id: str, rest: list[str]) -> Any:
        variables = self.panel.variables[project_id]
        match call.method, rest:
            case "GET", []:
                return [self._masked(one) for one in variables.values()]
            case "POST", []:
                told = json.loads(call.body)
                made: list[dict[str, Any]] = []
                for target in told.pop("targets", ["production", "preview"]):
                    one = {"id": self.panel.name("env"), "target": target, **told}
                    variables[f"{told['key']}/{target}"] = one
                    made.append(self._masked(one))
                return 201, made
            case "DELETE", [variable_id]:
                key = next(k for k, one in variables.items() if one["id"] == variable_id)
                return self._masked(variables.pop(key))
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _masked(self, variable: dict[str, Any]) -> dict[str, Any]:
        return {**variable, "value": None if variable["secret"] else variable["value"]}

    def _deployments(self, call: Call, words: list[str]) -> Any:
        panel = self.panel
        match call.method, words:
            case "GET", []:
                return self._page(self._filtered(call.query), call)
            case "POST", []:
                return 201, self._create(json.loads(call.body))
            case "GET", [deployment_id]:
                return self._found(panel.deployments.get(deployment_id))
            case "GET", [deployment_id, "logs"]:
                after = int(call.query.get("after", -1))
                level = call.query.get("level")
                lines = [one for one in panel.logs[deployment_id] if one["seq"] > after]
                chosen = [one for one in lines if level in {None, one["level"]}]
                return chosen[: int(call.query["limit"])]
            case "GET", [_, "runtime-logs"]:
                return ["listening on 3000", {"message": "GET / 200"}][: int(call.query["lines"])]
            case "POST", [deployment_id, verb]:
                return self._act(self._found(panel.deployments.get(deployment_id)), verb)
        raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")

    def _create(self, told: dict[str, Any]) -> dict[str, Any]:
        project = self._found(self.panel.projects.get(told["projectId"]))
        assert told["sourceId"] in self.panel.sources
        made = self.panel.add_deployment(
            project,
            status="queued",
            isPreview=not told["production"],
            branch=told.get("branch"),
            commitSha=told.get("commitSha"),
            commitMessage=told.get("commitMessage"),
        )
        threading.Thread(target=self.panel.run, args=(made,), daemon=True).start()
        return dict(made)

    def _act(self, deployment: dict[str, Any], verb: str) -> Any:
        if verb == "cancel":
            if deployment["status"] in FINISHED:
                raise Refused(409, "CONFLICT", "The deployment has ended.")
            deployment["status"] = "cancelled"
        elif deployment["status"] != "ready":
            raise Refused(409, "CONFLICT", f"A {deployment['status']} deployment cannot go live.")
        elif self.panel.switch_fails:
            self.panel.write_log(deployment["id"], "error", "deploy", self.panel.switch_fails)
        else:
            self.panel.activate(deployment)
            deployment["promotedAt"] = "2026-02-01T00:00:00Z"
        return 202, deployment

    def _filtered(self, query: dict[str, str]) -> list[dict[str, Any]]:
        found = reversed(self.panel.deployments.values())
        statuses = query.get("status", "").split(",") if "status" in query else None
        preview = query.get("isPreview")
        return [
            one
            for one in found
            if query.get("projectId") in {None, one["projectId"]}
            and (statuses is None or one["status"] in statuses)
            and (preview is None or str(one["isPreview"]).lower() == preview)
        ]

    def _page(self, found: list[dict[str, Any]], call: Call) -> Any:
        start, limit = int(call.query.get("cursor", 0)), min(int(call.query["limit"]), 100)
        more = start + limit < len(found)
        page = {"cursor": str(start + limit) if more else None, "hasMore": more}
        return 200, found[start : start + limit], page

    def _found(self, one: dict[str, Any] | None) -> dict[str, Any]:
        if one is None:
            raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")
        return one

    def _doctor(self, call: Call, words: list[str]) -> Any:
        return self.panel.findings

    def _status(self, call: Call, words: list[str]) -> Any:
        return {"version": "0.1.0", "url": self.panel.url, "projects": len(self.panel.projects)}

    def _stream(self, call: Call) -> None:
        panel, deployment_id = self.panel, call.path.split("/")[3]
        if not panel.streams:
            raise Refused(404, "NOT_FOUND", "There is no such thing, or you may not see it.")
        deployment = self._found(panel.deployments.get(deployment_id))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self._event("connected", {"id": deployment_id})
        at = int(call.headers.get("last-event-id", -1)) + 1
        status, sent = "", 0
        while True:
            with panel.changed:
                lines = panel.logs[deployment_id][at:]
                now = dict(deployment)
                if not lines and now["status"] == status:
                    panel.changed.wait(10)
                    continue
            for line in lines:
                self._event("log", line, line["seq"])
                at, sent = at + 1, sent + 1
                if panel.drop_stream_after == sent:
                    panel.drop_stream_after = None
                    return
            if now["status"] in FINISHED:
                self._event("complete", now)
                return
            if now["status"] != status:
                status = now["status"]
                self._event("status", now)

    def _event(self, name: str, value: object, number: int | None = None) -> None:
        identity = f"id: {number}\n" if number is not None else ""
        self.wfile.write(f"event: {name}\n{identity}data: {json.dumps(value)}\n\n".encode())
        self.wfile.flush()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, panel: Panel, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.panel = panel
        panel.may_create.set()
        panel.may_upload.set()
        panel.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is no error; anything else is shown by the thread's default hook."""
        import sys

        if not isinstance(sys.exception(), (BrokenPipeError, ConnectionResetError, ssl.SSLError)):
            super().handle_error(request, client_address)


def until(condition: Any, *, seconds: float = 10) -> None:
    """Waits for another process with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        threading.Event().wait(0.01)
