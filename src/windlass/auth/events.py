"""Facts about accounts. None holds what opens one: links are made by the jobs that send them."""

import datetime as dt
from uuid import UUID

from windlass.auth.models import Purpose
from windlass.core.events import Event


class OwnerSetUp(Event, frozen=True):
    user_id: UUID


class SignedUp(Event, frozen=True):
    user_id: UUID
    username: str
    invited: bool


class SignUpInvited(Event, frozen=True):
    invitation_id: UUID
    email: str


class SignUpInvitationRevoked(Event, frozen=True):
    invitation_id: UUID
    email: str


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


class PasswordReset(Event, frozen=True):
    user_id: UUID
    sessions: int


class ProfileChanged(Event, frozen=True):
    user_id: UUID
    fields: tuple[str, ...] = ()


class LinkAsked(Event, frozen=True):
    """Anybody may ask for any address; whether an account has it, the job finds out."""

    email: str
    purpose: Purpose


class LinkSent(Event, frozen=True):
    user_id: UUID
    purpose: Purpose


class ConfirmationAsked(Event, frozen=True):
    user_id: UUID


class EmailChangeAsked(Event, frozen=True):
    user_id: UUID
    email: str


class EmailConfirmed(Event, frozen=True):
    user_id: UUID
    is_new: bool


class DeviceAllowed(Event, frozen=True):
    user_id: UUID
    client: str
    asked_from: str


class DeviceRefused(Event, frozen=True):
    user_id: UUID
    client: str
    asked_from: str


class TokenCreated(Event, frozen=True):
    """Scopes are null when it may do whatever its owner may."""

    user_id: UUID
    token_id: UUID
    name: str
    scopes: list[str] | None = None
    expires_at: dt.datetime | None = None


class TokenRenamed(Event, frozen=True):
    user_id: UUID
    token_id: UUID
    name: str


class TokenRevoked(Event, frozen=True):
    user_id: UUID
    token_id: UUID


class AccountDeleted(Event, frozen=True):
    user_id: UUID
    is_hard: bool
