"""A project, its variables, and the host names it owns."""

import datetime as dt
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, validates

from windlass.core.db import Model
from windlass.core.loop import Leased
from windlass.projects.repositories import key_of


class Target(StrEnum):
    """Where a variable counts."""

    production = "production"
    preview = "preview"
    development = "development"


class Project(Model):
    """Settings that are null are detected anew for each build (C-006)."""

    __tablename__ = "projects"
    __table_args__ = (
        UniqueConstraint("owner_id", "slug"),
        Index("ix_projects_owner_id_created_at", "owner_id", "created_at", "id"),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    name: Mapped[str]
    slug: Mapped[str]
    # Builds and apps of a project run as a user of their own: `builds.uid_base` + this.
    number: Mapped[int] = mapped_column(BigInteger, Identity(start=1), unique=True)
    repository_url: Mapped[str | None]
    # The same in one form, by which a push finds its projects; follows the URL.
    repository_key: Mapped[str | None] = mapped_column(index=True)
    repository_branch: Mapped[str] = mapped_column(default="main", server_default="main")
    framework: Mapped[str | None]
    install_command: Mapped[str | None]
    build_command: Mapped[str | None]
    output_directory: Mapped[str | None]
    start_command: Mapped[str | None]
    release_command: Mapped[str | None]
    health_path: Mapped[str | None]
    start_timeout_seconds: Mapped[float | None]
    drain_seconds: Mapped[float | None]
    # What is said of each process, as `core.process.Said`: command, limits, restart policy.
    processes: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, default=list, server_default="[]"
    )
    root_directory: Mapped[str | None]
    node_version: Mapped[str | None]
    build_network: Mapped[bool] = mapped_column(default=False, server_default="false")
    # Whether a newer commit of a branch also ends the build of an older one that runs.
    supersede_running: Mapped[bool] = mapped_column(default=False, server_default="false")
    # How many releases are kept for rollbacks; null: as many as the settings of the server say.
    keep_releases: Mapped[int | None]
    # For how long after a switch production goes back by itself when errors rise; 0: never.
    watch_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    # For a private repository: the public half for the Git host, the other for the fetch alone.
    deploy_key_public: Mapped[str | None]
    deploy_key_sealed: Mapped[bytes | None]
    # How many previews are kept, and for how many days; null: as the instance says.
    preview_keep: Mapped[int | None]
    preview_days: Mapped[int | None]
    # Who knows the password sees the previews; null: everybody does.
    preview_password_hash: Mapped[str | None]
    # Set when it is deleted: hidden at once, taken down by a job, then the rows go.
    deleted_at: Mapped[dt.datetime | None]

    @validates("repository_url")
    def _name_repository(self, _: str, url: str | None) -> str | None:
        self.repository_key = key_of(url)
        return url


class TeamProject(Model):
    """A project that its owner shares with a team (C-186)."""

    __tablename__ = "team_projects"
    __table_args__ = (UniqueConstraint("team_id", "project_id"),)

    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    project_id: Mapped[UUID] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    shared_by: Mapped[UUID | None]


class EnvVariable(Model):
    """One variable of one target. The value is sealed, whether it is called a secret or not."""

    __tablename__ = "env_variables"
    __table_args__ = (UniqueConstraint("project_id", "key", "target"),)

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    key: Mapped[str]
    value_sealed: Mapped[bytes]
    is_secret: Mapped[bool] = mapped_column(default=False, server_default="false")
    target: Mapped[Target]


class Site(Leased, Model):
    """A host name, what it should serve and what it serves; a loop makes the two equal.

    The foreign keys to deployments are in the migration only: deployments stand above projects.
    """

    __tablename__ = "sites"

    project_id: Mapped[UUID] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    host: Mapped[str] = mapped_column(unique=True)
    is_preview: Mapped[bool] = mapped_column(default=False, server_default="false")
    # The branch whose newest ready preview it serves; null for the address of one release.
    alias_of: Mapped[str | None]
    # False while what it serves are workers alone: then nothing answers there.
    answers: Mapped[bool] = mapped_column(default=True, server_default="true")
    wanted_id: Mapped[UUID | None] = mapped_column(index=True)
    active_id: Mapped[UUID | None] = mapped_column(index=True)
    # Rises with every wish; the link on disk refuses a smaller one. Until `settled` is the same,
    # the loop has work to do.
    generation: Mapped[int] = mapped_column(default=0, server_default="0")
    settled: Mapped[int] = mapped_column(default=0, server_default="0")
    wanted_by: Mapped[UUID | None]
    wanted_reason: Mapped[str | None]
    # With the variables of the day of the wish, instead of those that the release has of its own.
    wanted_today: Mapped[bool] = mapped_column(default=False, server_default="false")
    wanted_at: Mapped[dt.datetime | None]
    error: Mapped[str | None]
