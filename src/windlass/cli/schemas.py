"""What the API sends, as structs: unknown fields are ignored, missing ones have defaults.

A newer or older server must not break the command line, so states are plain strings and only `id`
is certain. `as_received` keeps the exact JSON for --json.
"""

from datetime import datetime

import msgspec

_RUNNING = ("server", "worker")


class Resource(msgspec.Struct, kw_only=True, rename="camel"):
    as_received: bytes = msgspec.field(default=b"", name="$")


class Plan(msgspec.Struct, kw_only=True, rename="camel"):
    """How the server would build and run a source (see the reference of windlass.toml)."""

    framework: str = ""
    label: str = ""
    kind: str = ""
    root_directory: str = "."
    runtime: str = "none"
    package_manager: str | None = None
    install_command: str | None = None
    build_command: str | None = None
    output_directory: str | None = None
    start_command: str | None = None
    release_command: str | None = None
    evidence: list[str] = []
    warnings: list[str] = []


class Problem(msgspec.Struct, kw_only=True, rename="camel"):
    code: str = ""
    message: str = ""


class HostRow(msgspec.Struct, kw_only=True, rename="camel"):
    """One setting of a file of another host: exact, adapted or impossible here."""

    file: str = ""
    key: str = ""
    verdict: str = ""
    detail: str = ""


class HostVariable(msgspec.Struct, kw_only=True, rename="camel"):
    name: str = ""
    value: str | None = None
    detail: str = ""


class HostFiles(msgspec.Struct, kw_only=True, rename="camel"):
    """What files of other hosts become here."""

    files: list[str] = []
    rows: list[HostRow] = []
    variables: list[HostVariable] = []
    toml: str = ""


class Source(Resource):
    """Files the server holds; `status` is pending, ready or error."""

    id: str
    kind: str = ""
    status: str = "pending"
    error: str | Problem | None = None
    file_count: int | None = None
    size_bytes: int | None = None
    repository_url: str | None = None
    branch: str | None = None
    commit_sha: str | None = None
    commit_message: str | None = None
    plan: Plan | None = None
    plan_error: str | Problem | None = None
    imports: HostFiles | None = None
    suggested_name: str | None = None


class ProjectName(msgspec.Struct, kw_only=True, rename="camel"):
    name: str = ""
    slug: str = ""


class QueuePlace(Resource):
    """Which one it is of those that wait, and the seconds until its turn, if that can be known."""

    position: int = 1
    estimated_seconds: int | None = None


class PlanKind(msgspec.Struct, kw_only=True, rename="camel"):
    """`kind`: static, server or worker."""

    kind: str = ""


class Deployment(Resource):
    """`status`: queued, building, deploying, ready, error or cancelled. Times are UTC."""

    id: str
    project_id: str = ""
    project: ProjectName = msgspec.field(default_factory=ProjectName)
    status: str = "queued"
    queue: QueuePlace | None = None
    branch: str | None = None
    commit_sha: str | None = None
    commit_message: str | None = None
    url: str | None = None
    build_time_seconds: float | None = None
    is_active: bool = False
    is_preview: bool = False
    error_code: str | None = None
    error_message: str | None = None
    plan: PlanKind | None = None
    promoted_at: datetime | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        return self.status in {"ready", "error", "cancelled"}

    @property
    def runs(self) -> bool:
        """It is live and has processes that write."""
        return self.status == "ready" and self.plan is not None and self.plan.kind in _RUNNING

    @property
    def kind(self) -> str:
        return "preview" if self.is_preview else "production"


class Preview(Resource):
    """What an open pull request or a branch has as its preview."""

    id: str
    branch: str = ""
    pr_number: int | None = None
    title: str | None = None
    author: str | None = None
    needs_approval: bool = False
    commit_sha: str | None = None
    alias_url: str | None = None
    deployment: Deployment | None = None
    created_at: datetime | None = None


class Project(Resource):
    id: str
    name: str = ""
    slug: str = ""
    repository_url: str | None = None
    repository_branch: str | None = None
    framework: str | None = None
    url: str | None = None
    answers: bool = True
    latest_deployment: Deployment | None = None
    active_deployment_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Variable(Resource):
    """A variable of one target (production, preview, development); a secret's `value` is None."""

    id: str
    key: str = ""
    value: str | None = None
    secret: bool = False
    target: str = ""


class RegistryLogin(Resource):
    """As whom a project fetches images of a registry; the password is never told."""

    id: str
    registry: str = ""
    username: str = ""
    updated_at: datetime | None = None


class Change(msgspec.Struct, kw_only=True, rename="camel"):
    """`kind`: added, removed, changed, or unknown where it cannot be told."""

    name: str = ""
    kind: str = ""
    before: str | int | float | bool | None = None
    after: str | int | float | bool | None = None


class Diff(Resource):
    """What differs between two deployments; of variables the names alone."""

    kind: str = ""
    compared_with: str | None = None
    commits: list[Change] = []
    files: list[Change] = []
    config: list[Change] = []
    variables: list[Change] = []
    variables_known: bool = True


class Figures(msgspec.Struct, kw_only=True, rename="camel"):
    """Requests that one release answered; times until an answer began."""

    requests: int = 0
    failed: int = 0
    p50_milliseconds: float | None = None
    p95_milliseconds: float | None = None


class Receipt(Resource):
    """What came of a switch of production. `outcome`: counting, stayed, replaced or returned."""

    deployment_id: str = ""
    previous_deployment_id: str | None = None
    host: str = ""
    outcome: str = ""
    switched_at: datetime | None = None
    switch_milliseconds: float | None = None
    is_watched: bool = False
    before: Figures = msgspec.field(default_factory=Figures)
    old: Figures = msgspec.field(default_factory=Figures)
    new: Figures = msgspec.field(default_factory=Figures)
    is_partial: bool = False


class DiskPart(msgspec.Struct, kw_only=True, rename="camel"):
    name: str = ""
    size_bytes: int = 0
    files: int = 0


class DiskShare(msgspec.Struct, kw_only=True, rename="camel"):
    """What one project takes; shared contents stand with each of their projects."""

    project_id: str = ""
    name: str = ""
    own_bytes: int = 0
    shared_bytes: int = 0
    releases_bytes: int = 0
    caches_bytes: int = 0
    logs_bytes: int = 0
    work_bytes: int = 0


class DiskUsage(Resource):
    """Where the bytes of the server's home went."""

    size_bytes: int = 0
    free_bytes: int = 0
    unexplained_bytes: int = 0
    parts: list[DiskPart] = []
    projects: list[DiskShare] = []
    rest: list[str] = []


class LogLine(Resource):
    """One line of a log; `seq` grows by line, `step` is the phase it belongs to."""

    seq: int = 0
    level: str = "info"
    step: str | None = None
    message: str = ""
    timestamp: datetime | None = None


class RuntimeLine(Resource):
    """A line that a process of a running application wrote."""

    time: datetime | None = None
    process: str = ""
    level: str = "info"
    message: str = ""


class Account(Resource):
    id: str = ""
    email: str | None = None
    name: str | None = None


class Token(Resource):
    """`token` is the secret itself and comes once, when it is made; no scopes: everything."""

    id: str
    name: str = ""
    scopes: list[str] | None = None
    is_expired: bool = False
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    token: str | None = None


class DeviceCode(Resource):
    """A sign-in that waits for somebody in a browser; times are seconds."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str = ""
    expires_in: float = 600
    interval: float = 5


class Team(Resource):
    id: str
    name: str = ""
    slug: str = ""
    role: str = ""
    member_count: int = 0
    project_count: int = 0


class Member(Resource):
    id: str
    email: str | None = None
    name: str | None = None
    role: str = ""
    joined_at: datetime | None = None


class Invitation(Resource):
    id: str
    team_slug: str = ""
    email: str = ""
    role: str = ""
    status: str = ""
    invited_by: str | None = None
    expires_at: datetime | None = None


class Added(Resource):
    """`outcome`: added or invited."""

    outcome: str = ""


class Named(msgspec.Struct, kw_only=True, rename="camel"):
    id: str = ""
    name: str | None = None

    @property
    def label(self) -> str:
        return self.name or self.id


class AuditEntry(Resource):
    """Something that happened; `sentence` says it in words."""

    id: str
    action: str = ""
    sentence: str = ""
    actor: Named | None = None
    project: Named | None = None
    team: Named | None = None
    address: str | None = None
    created_at: datetime | None = None


class Finding(Resource):
    name: str = ""
    ok: bool = True
    detail: str | None = None
    fix: str | None = None


class ServerStatus(Resource):
    version: str = ""
    url: str = ""
    projects: int | None = None


class FileEntry(msgspec.Struct, frozen=True):
    """One file of an upload: POSIX path, digest of its content (of a link: of its target)."""

    path: str
    sha256: str
    size: int
    mode: str = "file"
    target: str = ""
