"""People, and the two ways they prove who they are: browser sessions and API tokens."""

import datetime as dt
from uuid import UUID

import msgspec
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from windlass.auth.permissions import ADMIN_ONLY, GRANTS, Permission, Role
from windlass.core.db import Model


class User(Model):
    __tablename__ = "users"

    # Null until the one-time link of the first start was used.
    email: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str | None]
    image: Mapped[str | None]
    password_hash: Mapped[str | None]
    is_admin: Mapped[bool] = mapped_column(default=False, server_default="false")


class Session(Model):
    """A browser that signed in. The cookie holds a random token, the row its SHA-256."""

    __tablename__ = "sessions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    user_agent: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    last_used_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class Token(Model):
    """An API token. Shown once; the row keeps its SHA-256 and the first letters to know it by."""

    __tablename__ = "tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    start: Mapped[str]
    last_used_at: Mapped[dt.datetime | None]


class Actor(msgspec.Struct, frozen=True):
    """Who is asking."""

    id: UUID
    email: str | None
    name: str | None
    is_admin: bool
    # The browser session the request came with; None for an API token.
    session_id: UUID | None = None
    role: Role = Role.owner

    def may(self, permission: Permission) -> bool:
        if permission in ADMIN_ONLY:
            return self.is_admin
        return permission in GRANTS[self.role]
