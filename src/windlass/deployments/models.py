"""A deployment, and the lines of its log. This table is the build queue."""

import datetime as dt
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from windlass.core.db import Model
from windlass.core.loop import Leased
from windlass.deployments.phases import Status


class Level(StrEnum):
    info = "info"
    warn = "warn"
    error = "error"
    success = "success"


_WAITING = text("status = 'QUEUED'")


class Deployment(Leased, Model):
    """One attempt to bring one source of one project to a host name."""

    __tablename__ = "deployments"
    __table_args__ = (
        # Exactly one active deployment per project: the database refuses a second (C-021).
        Index(
            "uq_deployments_active",
            "project_id",
            unique=True,
            postgresql_where=text("is_active"),
        ),
        Index("ix_deployments_project_id_created_at", "project_id", "created_at", "id"),
        Index("ix_deployments_owner_id_created_at", "owner_id", "created_at", "id"),
        Index("ix_deployments_project_id_branch", "project_id", "branch"),
        Index("ix_deployments_site_slug", "site_slug"),
        Index(
            "ix_deployments_moving",
            "status",
            postgresql_where=text("status in ('QUEUED', 'BUILDING', 'DEPLOYING')"),
        ),
        Index("ix_deployments_waiting_turn_at", "turn_at", "id", postgresql_where=_WAITING),
        Index(
            "ix_deployments_waiting_owner_id",
            "owner_id",
            "turn_at",
            "id",
            postgresql_where=_WAITING,
        ),
        Index(
            "ix_deployments_owner_id_started_at",
            "owner_id",
            "started_at",
            postgresql_where=text("started_at is not null"),
        ),
        Index(
            "ix_deployments_finished_at",
            "finished_at",
            postgresql_where=text("build_time_seconds is not null"),
        ),
    )

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    # The project's owner again, so that one index answers "my newest deployments".
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    source_id: Mapped[UUID] = mapped_column(ForeignKey("sources.id", ondelete="RESTRICT"))
    status: Mapped[Status] = mapped_column(default=Status.queued)
    # The creation, later by 100 s for each level of priority.
    turn_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    is_preview: Mapped[bool] = mapped_column(default=False, server_default="false")
    is_active: Mapped[bool] = mapped_column(default=False, server_default="false")
    is_clean: Mapped[bool] = mapped_column(default=False, server_default="false")
    branch: Mapped[str | None]
    pull_number: Mapped[int | None]
    # Of somebody who may not write to the repository: built without the project's secrets, and
    # never live.
    is_fork: Mapped[bool] = mapped_column(default=False, server_default="false")
    commit_sha: Mapped[str | None]
    commit_message: Mapped[str | None]
    site_slug: Mapped[str]
    host: Mapped[str]
    note: Mapped[str | None]
    # The project's build settings when the deployment was made, then the plan that came of them.
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    # What it was built and runs with, and what its release on the project's own address runs with
    # where that is another: names with keyed hashes (projects/fingerprints.py), never values.
    variables: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    live_variables: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    # Which caches the build had, and why not: {cache: {is_hit, reason}}.
    caches: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    manifest_sha256: Mapped[str | None]
    file_count: Mapped[int | None] = mapped_column(BigInteger)
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    build_time_seconds: Mapped[float | None]
    created_by: Mapped[UUID | None]
    promoted_at: Mapped[dt.datetime | None]
    promoted_by: Mapped[UUID | None]
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    # The release folder is gone: no rollback to this one any more (C-155).
    pruned_at: Mapped[dt.datetime | None]


# Lines are appended in batches and read as they are, so this is a table without a class.
LOG_LINES = Table(
    "deployment_logs",
    Model.metadata,
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column(
        "level",
        Enum(
            Level,
            native_enum=False,
            length=32,
            create_constraint=True,
            name="level",
            values_callable=lambda levels: [level.value for level in levels],
        ),
        nullable=False,
    ),
    Column("step", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# Of each owner who waits: the one that stands in the line, and since when. Functions of the
# database keep it (`queue_settle`) from whose place a trigger says may have changed.
QUEUE_LINE = Table(
    "queue_line",
    Model.metadata,
    Column("owner_id", Uuid, primary_key=True),
    Column("deployment_id", Uuid, nullable=False),
    Column("project_id", Uuid, nullable=False),
    Column("stands_at", DateTime(timezone=True), nullable=False),
    Index("ix_queue_line_stands_at", "stands_at", "deployment_id"),
)
QUEUE_CHANGES = Table("queue_changes", Model.metadata, Column("owner_id", Uuid, nullable=False))
