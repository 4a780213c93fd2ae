"""Facts about previews."""

from uuid import UUID

from windlass.core.events import Event


class Waiting(Event, frozen=True):
    """A commit from a fork waits for somebody who looks at it."""

    project_id: UUID
    preview_id: UUID
    pull_number: int
    commit: str


class Approved(Event, frozen=True):
    project_id: UUID
    preview_id: UUID
    deployment_id: UUID
    pull_number: int
    commit: str


class Ended(Event, frozen=True):
    """Its pull request was closed, its branch deleted, or somebody removed it."""

    project_id: UUID
    preview_id: UUID
    branch: str
    pull_number: int | None


class SettingsChanged(Event, frozen=True):
    project_id: UUID
    fields: tuple[str, ...]
