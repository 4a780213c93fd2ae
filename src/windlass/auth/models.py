"""People, the ways they prove who they are, and what the requests of one of them carry."""

import datetime as dt
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from windlass.auth.errors import NotAllowed, TokenTooNarrow
from windlass.auth.permissions import GRANTS, Permission, Role
from windlass.core.db import Model


class Plan(StrEnum):
    """What somebody pays for; limits hang on it (D-36)."""

    free = "FREE"
    pro = "PRO"
    team = "TEAM"
    enterprise = "ENTERPRISE"


class User(Model):
    """An account. A deleted one keeps its row, without a name or an address (B-022)."""

    __tablename__ = "users"
    # Both are kept in small letters: nobody is somebody else's look-alike by case.
    __table_args__ = (
        CheckConstraint("username ~ '^[a-z0-9_]{3,50}$'", name="username"),
        CheckConstraint("email = lower(email)", name="email"),
    )

    # Null until the one-time link of the first start was used, and after a deletion.
    email: Mapped[str | None] = mapped_column(unique=True)
    email_verified_at: Mapped[dt.datetime | None]
    username: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str | None]
    image: Mapped[str | None]
    # Null for people who only come in through somebody else's sign-in.
    password_hash: Mapped[str | None]
    plan: Mapped[Plan] = mapped_column(default=Plan.free, server_default="FREE")
    language: Mapped[str | None]
    is_admin: Mapped[bool] = mapped_column(default=False, server_default="false")
    suspended_at: Mapped[dt.datetime | None]
    deleted_at: Mapped[dt.datetime | None]
    # The number of the next namespace that is made for them (K-006).
    namespace_counter: Mapped[int] = mapped_column(default=0, server_default="0")


class Account(Model):
    """An identity at a sign-in provider that opens this account (B-002, C-003)."""

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("provider", "provider_account_id"),
        Index("ix_accounts_user_id_provider", "user_id", "provider"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    provider: Mapped[str]
    provider_account_id: Mapped[str]
    email: Mapped[str | None]
    scope: Mapped[str] = mapped_column(default="", server_default="")
    # Sealed: whoever reads the database cannot act at the provider (B-032).
    access_token_sealed: Mapped[bytes | None]
    refresh_token_sealed: Mapped[bytes | None]
    expires_at: Mapped[dt.datetime | None]


class Session(Model):
    """Somebody who signed in. What they carry is signed and names this row (D-31, D-32)."""

    __tablename__ = "sessions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(default="", server_default="")
    address: Mapped[str] = mapped_column(default="", server_default="")
    last_used_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class Token(Model):
    """An API token. Shown once; the row keeps its SHA-256 and the first letters to know it by."""

    __tablename__ = "tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    start: Mapped[str]
    # Null: whatever its owner may do. Otherwise permissions; a token narrows, it never widens.
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(String))
    expires_at: Mapped[dt.datetime | None]
    last_used_at: Mapped[dt.datetime | None]


class Purpose(StrEnum):
    """What a link in a mail is for."""

    verify_email = "VERIFY_EMAIL"
    sign_in = "SIGN_IN"
    reset_password = "RESET_PASSWORD"


class EmailLink(Model):
    """A one-time link that was sent to an address (B-004). The row keeps its SHA-256."""

    __tablename__ = "email_links"
    __table_args__ = (Index("ix_email_links_email_purpose", "email", "purpose"),)

    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str]
    purpose: Mapped[Purpose]
    digest: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    used_at: Mapped[dt.datetime | None]


class SignUpInvitation(Model):
    """Lets one address make an account where sign-up is by invitation."""

    __tablename__ = "sign_up_invitations"

    email: Mapped[str] = mapped_column(unique=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class Totp(Model):
    """The second factor of an authenticator app (RFC 6238)."""

    __tablename__ = "totps"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    secret_sealed: Mapped[bytes]
    # Null until the first right code: only then it is asked for at sign-in.
    confirmed_at: Mapped[dt.datetime | None]
    # The last time step that was accepted: a code counts once.
    last_step: Mapped[int] = mapped_column(default=0, server_default="0")


class RecoveryCode(Model):
    """Opens the account once when the authenticator is lost."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    used_at: Mapped[dt.datetime | None]


class Passkey(Model):
    """A WebAuthn credential."""

    __tablename__ = "passkeys"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(default=0, server_default="0")
    name: Mapped[str]
    transports: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{}")
    # Asked for after a password. By itself a passkey opens the account in any case.
    is_second_factor: Mapped[bool] = mapped_column(default=False, server_default="false")
    last_used_at: Mapped[dt.datetime | None]


class ChallengeKind(StrEnum):
    """What has begun and waits for its second half."""

    second_factor = "SECOND_FACTOR"
    passkey_add = "PASSKEY_ADD"
    passkey_sign_in = "PASSKEY_SIGN_IN"
    provider = "PROVIDER"


class Challenge(Model):
    """Half a sign-in: what a browser must bring back, once and soon."""

    __tablename__ = "challenges"

    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[ChallengeKind]
    digest: Mapped[bytes] = mapped_column(unique=True)
    # What the second half is checked against; sealed.
    payload_sealed: Mapped[bytes | None]
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class DeviceCode(Model):
    """A command line that waits for its owner to approve it in a browser (RFC 8628)."""

    __tablename__ = "device_codes"

    digest: Mapped[bytes] = mapped_column(unique=True)
    user_code: Mapped[str] = mapped_column(unique=True)
    # What it calls itself, and from where it asked: whoever allows it compares both.
    client: Mapped[str]
    address: Mapped[str] = mapped_column(default="", server_default="")
    # Who allowed it, and for how long; null is without an end.
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    lasts_days: Mapped[int | None]
    denied_at: Mapped[dt.datetime | None]
    polled_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking, as the front of the web process found out."""

    id: UUID
    email: str | None
    username: str | None = None
    name: str | None
    image: str | None = None
    plan: Plan = Plan.free
    language: str | None = None
    is_admin: bool = False
    is_verified: bool = False
    is_suspended: bool = False
    # The session the request came with; None for an API token.
    session_id: UUID | None = None
    # The API token it came with, and when that ends.
    token_id: UUID | None = None
    expires_at: dt.datetime | None = None
    # What an API token is narrowed to; None is everything that its owner may do.
    scopes: frozenset[str] | None = None

    def require(self, permission: Permission, *, on: Role) -> None:
        """Refuse what this role on an object, or this token, does not grant (C-053)."""
        if permission not in GRANTS[on]:
            raise NotAllowed(permission=permission.value, role=on.value.lower())
        if self.scopes is not None and permission not in self.scopes:
            raise TokenTooNarrow(permission=permission.value)
