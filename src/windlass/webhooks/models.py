"""What a project takes from its Git host, and what became of each delivery."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from windlass.core.db import Model


class Host(StrEnum):
    """Whose form a delivery has; Forgejo's is that of Gitea."""

    github = "github"
    gitlab = "gitlab"
    gitea = "gitea"
    bitbucket = "bitbucket"


class Outcome(StrEnum):
    deployed = "deployed"
    ignored = "ignored"
    refused = "refused"
    # From a fork: somebody must look at it first.
    waiting = "waiting"
    removed = "removed"


class Webhook(Model):
    """The secret that proves a push to a project's repository, and the rules of what it starts."""

    __tablename__ = "webhooks"

    project_id: Mapped[UUID] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), unique=True
    )
    # None since the project was given away: who had it knows the old one, and nobody a new one.
    secret_sealed: Mapped[bytes | None]
    # The host's own number of the repository, as the last delivery named it: by it a repository
    # is known again that got another name.
    remote_id: Mapped[str | None] = mapped_column(index=True)
    # Globs. The project's own branch goes to production; these get a preview.
    preview_branches: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{**}")
    # Whether pull requests get a preview, whatever their branch is called.
    pull_requests: Mapped[bool] = mapped_column(default=True, server_default="true")
    # Tags that go to production.
    tags: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{}")
    # Only a push that touches one of these deploys; none: every push.
    paths: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{}")
    # With it the host is told what becomes of commits; where, and what kind of host that is.
    token_sealed: Mapped[bytes | None]
    token_host: Mapped[Host | None]
    api_url: Mapped[str | None]
    # Why the host was not told, the last time.
    report_error: Mapped[str | None]


class Delivery(Model):
    """One push of one delivery, remembered so that a second time it starts nothing (C-261)."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", "delivery", "ref"),
        Index("ix_webhook_deliveries_webhook_id_body_sha256", "webhook_id", "body_sha256"),
        Index("ix_webhook_deliveries_project_id_id", "project_id", "id"),
        Index("ix_webhook_deliveries_created_at", "created_at"),
    )

    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    host: Mapped[Host]
    delivery: Mapped[str]
    body_sha256: Mapped[bytes]
    event: Mapped[str]
    # `refs/heads/main`; empty where the event is of no branch or tag.
    ref: Mapped[str] = mapped_column(default="", server_default="")
    commit_sha: Mapped[str | None]
    outcome: Mapped[Outcome]
    reason: Mapped[str | None]
    # What the commit itself says, or what it changes, is why nothing was started.
    is_skipped: Mapped[bool] = mapped_column(default=False, server_default="false")
    deployment_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("deployments.id", ondelete="SET NULL"), index=True
    )
