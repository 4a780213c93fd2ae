"""Facts about releases. They belong to whoever the cluster belongs to."""

from uuid import UUID

from windlass.core.events import Event


class ReleaseEvent(Event, frozen=True, kw_only=True):
    release_id: UUID
    cluster_id: UUID
    user_id: UUID
    team_id: UUID | None
    name: str
    namespace: str


class Requested(ReleaseEvent, frozen=True, kw_only=True):
    """A revision was accepted; `why` is deploy, redeploy or rollback."""

    revision: int
    why: str
    confirmed: int
    """How many warnings somebody took upon themselves."""


class Deployed(ReleaseEvent, frozen=True, kw_only=True):
    revision: int


class Failed(ReleaseEvent, frozen=True, kw_only=True):
    revision: int
    reason: str


class Cancelled(ReleaseEvent, frozen=True, kw_only=True):
    revision: int


class DeleteAsked(ReleaseEvent, frozen=True, kw_only=True):
    resources: bool
    with_data: bool


class Deleted(ReleaseEvent, frozen=True, kw_only=True):
    pass


class Drifted(ReleaseEvent, frozen=True, kw_only=True):
    objects: int


class ObjectDeleted(ReleaseEvent, frozen=True, kw_only=True):
    object: str
