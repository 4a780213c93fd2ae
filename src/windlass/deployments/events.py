"""Facts about deployments."""

from uuid import UUID

from windlass.core.events import Event


class Queued(Event, frozen=True):
    deployment_id: UUID
    project_id: UUID


class Cancelled(Event, frozen=True):
    deployment_id: UUID
    project_id: UUID


class Failed(Event, frozen=True):
    deployment_id: UUID
    project_id: UUID
    code: str
    message: str


class Ready(Event, frozen=True):
    deployment_id: UUID
    project_id: UUID
    seconds: float


Moved = Queued | Cancelled | Failed | Ready
"""What changes how a deployment stands."""


class SwitchAsked(Event, frozen=True):
    """Somebody wants another release live: a promotion or a rollback (C-163)."""

    deployment_id: UUID
    project_id: UUID
    previous_id: UUID | None
    commit: str | None
    previous_commit: str | None
    reason: str | None
    # With the variables of that day instead of those of its own time.
    with_today: bool = False


class Promoted(Event, frozen=True):
    """The host serves this release now, and was seen to."""

    deployment_id: UUID
    project_id: UUID
    previous_id: UUID | None
    host: str


class CachesCleaned(Event, frozen=True):
    """Somebody wants the next build of a project to begin with nothing kept."""

    project_id: UUID


class Returned(Event, frozen=True):
    """Errors rose after a switch: the release before it is asked for again, with nobody's help."""

    deployment_id: UUID
    project_id: UUID
    previous_id: UUID
    host: str
    requests: int
    failed: int
    requests_before: int
    failed_before: int


class SwitchFailed(Event, frozen=True):
    deployment_id: UUID
    project_id: UUID
    host: str
    reason: str


class HostFreed(Event, frozen=True):
    """A preview's address is served no more: its release goes, and the name."""

    project_id: UUID
    host: str
    # None: an address that follows a branch.
    deployment_id: UUID | None


class Deleted(Event, frozen=True):
    deployment_id: UUID
    project_id: UUID
    host: str
    is_preview: bool
