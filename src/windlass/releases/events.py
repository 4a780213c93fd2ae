"""Facts about releases. They belong to whoever the cluster belongs to."""

from uuid import UUID

import msgspec

from windlass.core.events import Event


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What every one of them says."""

    release_id: UUID
    cluster_id: UUID
    user_id: UUID
    team_id: UUID | None
    name: str
    namespace: str


class Requested(Event, About, frozen=True, kw_only=True):
    """A revision was accepted; `why` is deploy, redeploy or rollback."""

    revision: int
    why: str
    confirmed: int
    """How many warnings somebody took upon themselves."""


class Deployed(Event, About, frozen=True, kw_only=True):
    revision: int


class Failed(Event, About, frozen=True, kw_only=True):
    revision: int
    reason: str


class Cancelled(Event, About, frozen=True, kw_only=True):
    revision: int


class DeleteAsked(Event, About, frozen=True, kw_only=True):
    resources: bool
    with_data: bool


class Deleted(Event, About, frozen=True, kw_only=True):
    pass


class Drifted(Event, About, frozen=True, kw_only=True):
    objects: int


class ObjectDeleted(Event, About, frozen=True, kw_only=True):
    object: str
