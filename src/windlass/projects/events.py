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


class DeployKeyMade(Event, frozen=True):
    project_id: UUID


class DeployKeyRemoved(Event, frozen=True):
    project_id: UUID


class RegistryLoginSet(Event, frozen=True):
    project_id: UUID
    registry: str


class RegistryLoginRemoved(Event, frozen=True):
    project_id: UUID
    registry: str


class Shared(Event, frozen=True):
    project_id: UUID
    team_id: UUID


class Unshared(Event, frozen=True):
    project_id: UUID
    team_id: UUID


class Transferred(Event, frozen=True):
    """`user_id` owns it now, `from_user_id` did before."""

    project_id: UUID
    user_id: UUID
    from_user_id: UUID
