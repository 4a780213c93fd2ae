"""Facts about accounts."""

from uuid import UUID

from windlass.core.events import Event


class OwnerSetUp(Event, frozen=True):
    user_id: UUID


class SignedIn(Event, frozen=True):
    user_id: UUID
    session_id: UUID


class SignedOut(Event, frozen=True):
    user_id: UUID
    session_id: UUID


class OthersSignedOut(Event, frozen=True):
    user_id: UUID
    sessions: int


class PasswordChanged(Event, frozen=True):
    user_id: UUID


class ProfileChanged(Event, frozen=True):
    user_id: UUID


class TokenCreated(Event, frozen=True):
    user_id: UUID
    token_id: UUID
    name: str


class TokenRevoked(Event, frozen=True):
    user_id: UUID
    token_id: UUID
