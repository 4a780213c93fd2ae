"""Facts about projects."""

from uuid import UUID

from windlass.core.events import Event


class Created(Event, frozen=True):
    project_id: UUID
    slug: str


class Changed(Event, frozen=True):
    project_id: UUID
    fields: tuple[str, ...]


class Deleted(Event, frozen=True):
    project_id: UUID
    slug: str


class VariableSet(Event, frozen=True):
    project_id: UUID
    key: str
    targets: tuple[str, ...]


class VariableRemoved(Event, frozen=True):
    project_id: UUID
    key: str
    target: str
