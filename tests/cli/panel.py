"""What the panel of these tests knows: an API's state in memory, and its moods."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.running import PATIENCE_SECONDS

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
    previews: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    logins: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    cluster_test: dict[str, Any] = field(default_factory=lambda: {"state": "working"})
    """What comes of trying a cluster."""
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    output: list[dict[str, Any]] = field(default_factory=list)
    """What the application wrote."""
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
    imports: dict[str, object] | None = None
    git_error: str | None = None
    disk: dict[str, object] = field(default_factory=dict)
    receipt: dict[str, object] = field(default_factory=dict)
    diff: dict[str, object] = field(default_factory=dict)
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
        project: dict[str, Any] = {
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
        made: dict[str, Any] = {
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


def until(condition: Any, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Waits for another process with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        threading.Event().wait(0.01)
