"""People who work together: teams, who is in them as what, and who was asked to come."""

import datetime as dt
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from windlass.auth.permissions import Role
from windlass.core.db import Model


class Team(Model):
    __tablename__ = "teams"
    __table_args__ = (
        CheckConstraint("length(btrim(name)) between 1 and 100", name="name"),
        CheckConstraint("audit_retention_days between 7 and 2555", name="audit_retention_days"),
    )

    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    # How long its audit log is kept: 7 days to 7 years (C-273).
    audit_retention_days: Mapped[int] = mapped_column(default=90, server_default="90")


class TeamMember(Model):
    """Written before its team, so that the team is its owner's from the first moment."""

    __tablename__ = "team_members"
    __table_args__ = (
        UniqueConstraint("team_id", "user_id"),
        Index("ix_team_members_user_id_team_id", "user_id", "team_id"),
    )

    team_id: Mapped[UUID] = mapped_column(
        ForeignKey("teams.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED")
    )
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(default=Role.member, server_default="MEMBER")


class InvitationStatus(StrEnum):
    pending = "PENDING"
    accepted = "ACCEPTED"
    declined = "DECLINED"
    expired = "EXPIRED"


class TeamInvitation(Model):
    """Open to the person with that address; the link's token is kept as its SHA-256."""

    __tablename__ = "team_invitations"
    __table_args__ = (
        # One pending for an address; one that was declined never blocks the next (F-18).
        Index(
            "uq_team_invitations_pending",
            "team_id",
            "email",
            unique=True,
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index("ix_team_invitations_email_status", "email", "status"),
    )

    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    email: Mapped[str]
    role: Mapped[Role] = mapped_column(default=Role.member, server_default="MEMBER")
    digest: Mapped[bytes] = mapped_column(unique=True)
    status: Mapped[InvitationStatus] = mapped_column(
        default=InvitationStatus.pending, server_default="PENDING"
    )
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    expires_at: Mapped[dt.datetime]
