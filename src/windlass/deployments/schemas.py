"""What the deployment routes take and give."""

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from windlass.builds.plan import Plan
from windlass.core.schemas import In, Out

Branch = Annotated[str, Meta(min_length=1, max_length=255)]

ProjectId = Annotated[str, Meta(max_length=64, examples=["proj_019ab0c0000070008000000000000000"])]
DeploymentSort = Literal[
    "createdAt",
    "-createdAt",
    "finishedAt",
    "-finishedAt",
    "buildTimeSeconds",
    "-buildTimeSeconds",
]
StatusFilter = Annotated[
    str, Meta(max_length=200, description="One or several, with commas: ready,building.")
]
Seq = Annotated[int, Meta(ge=0, lt=1 << 53, description="The last `seq` that one has.")]
LogLimit = Annotated[int, Meta(ge=1, description="How many lines at the most; 10000 are the most.")]


class DeploymentCreate(In):
    """Without a source the project's repository is fetched (C-122)."""

    project_id: str
    source_id: str | None = None
    branch: Branch | None = None
    commit_sha: Annotated[str, Meta(pattern="^[0-9a-fA-F]{7,64}$")] | None = None
    commit_message: Annotated[str, Meta(max_length=2000)] | None = None
    production: bool = False
    low_priority: Annotated[
        bool, Meta(description="Everything else goes first, for a quarter of an hour at the most.")
    ] = False


class DeploymentChange(In):
    """Only the note; state is changed by actions (E-04)."""

    note: Annotated[str, Meta(max_length=2000)] | None


class RollbackReason(In):
    reason: Annotated[str, Meta(max_length=500)] | None = None
    todays_variables: Annotated[
        bool, Meta(description="Run it with today's variables instead of those of its own time.")
    ] = False


class ProjectRef(Out):
    name: str
    slug: str
    # What stands for it in addresses of pages: the id when it is somebody else's.
    ref: str


class QueuePlace(Out):
    """Where a deployment stands that waits to be built (C-154)."""

    position: Annotated[int, Meta(ge=1)]
    # By what the last builds took; null before there was one.
    estimated_seconds: int | None


class DeploymentOut(Out):
    """The one shape of a deployment, in lists, single answers, streams and pages (C-121)."""

    id: str
    project_id: str
    project: ProjectRef
    status: str
    # Null unless it waits.
    queue: QueuePlace | None
    branch: str | None
    pr_number: int | None
    commit_sha: str | None
    commit_message: str | None
    # Null when it is workers alone, which answer nobody.
    url: str | None
    site_slug: str
    build_time_seconds: float | None
    is_active: bool
    is_preview: bool
    error_code: str | None
    error_message: str | None
    attempt: int
    note: str | None
    promoted_at: dt.datetime | None
    promoted_by: str | None
    plan: Plan | None
    file_count: int | None
    size_bytes: int | None
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


class LogLineOut(Out):
    seq: int
    level: str
    step: str
    message: str
    timestamp: dt.datetime


class Change(Out):
    """One thing that differs between two deployments; values of variables are never shown.

    `kind` is added, removed or changed; unknown where a variable's value cannot be compared, as its
    hash was made with a key that was replaced since.
    """

    name: str
    kind: str
    before: str | int | float | bool | None = None
    after: str | int | float | bool | None = None


class CanRollback(Out):
    """Whether this release can be made live, and if not, why (C-162)."""

    can_rollback: bool
    reason: str | None
    # What is different today from the variables it would run with; null: not known, or it has none.
    variables: tuple[Change, ...] | None


class FileOut(Out):
    path: str
    size: int
    sha256: str
    mode: str


class DiffSummary(Out):
    """How many things differ."""

    commits: int = 0
    files_added: int = 0
    files_changed: int = 0
    files_removed: int = 0
    config: int = 0
    variables: int = 0


class Diff(Out):
    """What differs from another deployment (C-128, E-18)."""

    kind: str
    compared_with: str | None
    summary: DiffSummary = msgspec.field(default_factory=DiffSummary)
    commits: tuple[Change, ...] = ()
    files: tuple[Change, ...] = ()
    config: tuple[Change, ...] = ()
    variables: tuple[Change, ...] = ()
    # False when one of the two was made before this was kept, or never came to a release.
    variables_known: bool = True
    build_time_seconds_delta: float | None = None
    size_bytes_delta: int | None = None
