"""Facts about webhooks."""

from uuid import UUID

from windlass.core.events import Event


class Connected(Event, frozen=True):
    project_id: UUID


class SecretReplaced(Event, frozen=True):
    project_id: UUID


class SecretWithdrawn(Event, frozen=True):
    """The project was given away; the secret proves nothing any more."""

    project_id: UUID


class RulesChanged(Event, frozen=True):
    project_id: UUID
    fields: tuple[str, ...]


class Disconnected(Event, frozen=True):
    project_id: UUID


class ReportingStarted(Event, frozen=True):
    """The Git host is told what becomes of commits."""

    project_id: UUID
    host: str


class ReportingEnded(Event, frozen=True):
    project_id: UUID


class Pushed(Event, frozen=True):
    """A push to the repository started a deployment."""

    project_id: UUID
    deployment_id: UUID
    host: str
    ref: str
    commit: str | None
