"""Facts about second factors, passkeys and linked identities."""

from uuid import UUID

from windlass.core.events import Event


class TotpEnabled(Event, frozen=True):
    user_id: UUID


class TotpDisabled(Event, frozen=True):
    user_id: UUID


class RecoveryCodesMade(Event, frozen=True):
    user_id: UUID
    count: int


class RecoveryCodeUsed(Event, frozen=True):
    user_id: UUID
    left: int


class PasskeyAdded(Event, frozen=True):
    user_id: UUID
    passkey_id: UUID
    name: str


class PasskeyChanged(Event, frozen=True):
    user_id: UUID
    passkey_id: UUID
    name: str
    is_second_factor: bool


class PasskeyRemoved(Event, frozen=True):
    user_id: UUID
    passkey_id: UUID
    name: str


class IdentityLinked(Event, frozen=True):
    user_id: UUID
    provider: str


class IdentityUnlinked(Event, frozen=True):
    user_id: UUID
    provider: str
