"""What a branch or a pull request has as its preview, for as long as it is open."""

import datetime as dt
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from windlass.core.db import Model
from windlass.core.loop import Leased


class Preview(Leased, Model):
    """A pull request, or a branch without one. Its deployments are those previews of the project
    that have its branch; of a fork that is `owner:branch`, which no branch here can be called.

    The row is also the outbox of the pull request's comment: a loop makes `told` equal to `news`.
    """

    __tablename__ = "previews"
    __table_args__ = (
        Index("ix_previews_project_id_id", "project_id", "id"),
        Index(
            "uq_previews_project_id_pull_number",
            "project_id",
            "pull_number",
            unique=True,
            postgresql_where=text("pull_number is not null"),
        ),
        Index(
            "uq_previews_project_id_branch",
            "project_id",
            "branch",
            unique=True,
            postgresql_where=text("pull_number is null"),
        ),
    )

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    branch: Mapped[str]
    pull_number: Mapped[int | None]
    title: Mapped[str | None]
    author: Mapped[str | None]
    is_fork: Mapped[bool] = mapped_column(default=False, server_default="false")
    # The newest commit that the Git host told of, and where a fork's can be fetched.
    commit_sha: Mapped[str | None]
    commit_message: Mapped[str | None]
    source_url: Mapped[str | None]
    source_ref: Mapped[str | None]
    # A fork is built after somebody looked at it, and what they looked at is this commit only.
    approved_sha: Mapped[str | None]
    approved_by: Mapped[UUID | None]
    # Closed, merged, deleted or removed; the row stays for the comment and for a reopening.
    ended_at: Mapped[dt.datetime | None]
    news: Mapped[int] = mapped_column(default=0, server_default="0")
    told: Mapped[int] = mapped_column(default=0, server_default="0")
    news_at: Mapped[dt.datetime | None]
    comment_id: Mapped[str | None]
    comment_error: Mapped[str | None]

    @property
    def needs_approval(self) -> bool:
        """Whether its newest commit waits for somebody who looks at it."""
        is_open = self.ended_at is None
        return is_open and self.is_fork and self.approved_sha != self.commit_sha
