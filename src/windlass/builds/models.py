"""What is built: a tree of files that came from an upload, an archive or a Git repository."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from windlass.core.db import Model
from windlass.core.loop import Leased


class SourceKind(StrEnum):
    upload = "upload"
    archive = "archive"
    git = "git"


class SourceStatus(StrEnum):
    pending = "PENDING"
    ready = "READY"
    error = "ERROR"


class Source(Leased, Model):
    """A manifest of stored files; a Git source has none until it is fetched."""

    __tablename__ = "sources"

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[SourceKind]
    status: Mapped[SourceStatus]
    name: Mapped[str | None]
    # Fetched by the build that needs it, so that its output is in the build's log.
    is_deferred: Mapped[bool] = mapped_column(default=False, server_default="false")
    repository_url: Mapped[str | None]
    branch: Mapped[str | None]
    # Before it is fetched: the commit that is wanted, whole or its first letters, and where it can
    # be found when its branch is not in this repository.
    ref: Mapped[str | None]
    commit_sha: Mapped[str | None]
    commit_message: Mapped[str | None]
    manifest_sha256: Mapped[str | None]
    file_count: Mapped[int] = mapped_column(default=0, server_default="0")
    size_bytes: Mapped[int] = mapped_column(default=0, server_default="0")
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]


class RegistryLogin(Model):
    """With what a project's private images are fetched from one registry; never handed out."""

    __tablename__ = "registry_logins"
    __table_args__ = (UniqueConstraint("project_id", "host"),)

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    # As references name it: `docker.io`, `registry.example.com:5000`.
    host: Mapped[str]
    username: Mapped[str]
    password_sealed: Mapped[bytes]
