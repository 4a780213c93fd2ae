"""Facts about clusters. None holds a credential, or a part of one."""

from uuid import UUID

from windlass.core.events import Event


class Added(Event, frozen=True):
    cluster_id: UUID
    name: str
    server: str
    team_id: UUID | None = None


class Changed(Event, frozen=True):
    cluster_id: UUID
    name: str
    fields: tuple[str, ...]
    team_id: UUID | None = None


class CredentialReplaced(Event, frozen=True):
    cluster_id: UUID
    name: str
    server: str
    team_id: UUID | None = None


class Removed(Event, frozen=True):
    cluster_id: UUID
    name: str
    team_id: UUID | None = None
