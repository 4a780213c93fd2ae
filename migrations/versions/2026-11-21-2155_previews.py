"""Previews: what a pull request or branch has, its address that follows it, and who approved it."""

import sqlalchemy as sa
from alembic import op

revision = "202611212155"
down_revision = "202611212151"

_MINE = "project_id = any((select projects_of(windlass_user()))::uuid[])"
_OUTCOMES = "outcome in ('deployed', 'ignored', 'refused'{})"
_ADDED = (
    ("deployments", sa.Column("pull_number", sa.BigInteger(), nullable=True)),
    ("deployments", sa.Column("is_fork", sa.Boolean(), server_default="false", nullable=False)),
    ("sites", sa.Column("alias_of", sa.String(), nullable=True)),
    ("webhooks", sa.Column("pull_requests", sa.Boolean(), server_default="true", nullable=False)),
    (
        "webhook_deliveries",
        sa.Column("is_skipped", sa.Boolean(), server_default="false", nullable=False),
    ),
    ("projects", sa.Column("preview_keep", sa.BigInteger(), nullable=True)),
    ("projects", sa.Column("preview_days", sa.BigInteger(), nullable=True)),
    ("projects", sa.Column("preview_password_hash", sa.String(), nullable=True)),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    for table, column in _ADDED:
        op.add_column(table, column)
    op.drop_constraint("outcome", "webhook_deliveries", type_="check")
    known = _OUTCOMES.format(", 'waiting', 'removed'")
    op.create_check_constraint("outcome", "webhook_deliveries", known)
    op.create_table(
        "previews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("branch", sa.String(), nullable=False),
        sa.Column("pull_number", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("author", sa.String(), nullable=True),
        sa.Column("is_fork", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("commit_sha", sa.String(), nullable=True),
        sa.Column("commit_message", sa.String(), nullable=True),
        sa.Column("source_url", sa.String(), nullable=True),
        sa.Column("source_ref", sa.String(), nullable=True),
        sa.Column("approved_sha", sa.String(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("news", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("told", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("news_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment_id", sa.String(), nullable=True),
        sa.Column("comment_error", sa.String(), nullable=True),
        *_leased(),
        *_times(),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_previews"),
    )
    op.create_index("ix_previews_check_at", "previews", ["check_at"])
    op.create_index("ix_previews_project_id_id", "previews", ["project_id", "id"])
    op.create_index(
        "uq_previews_project_id_pull_number",
        "previews",
        ["project_id", "pull_number"],
        unique=True,
        postgresql_where=sa.text("pull_number is not null"),
    )
    op.create_index(
        "uq_previews_project_id_branch",
        "previews",
        ["project_id", "branch"],
        unique=True,
        postgresql_where=sa.text("pull_number is null"),
    )
    op.execute("alter table previews enable row level security")
    op.execute("alter table previews force row level security")
    op.execute(
        f"create policy tenant on previews to windlass_web using ({_MINE}) with check ({_MINE})"
    )
    op.execute("create policy system on previews to windlass_system using (true) with check (true)")


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.drop_table("previews")
    op.execute(
        "update webhook_deliveries set outcome = 'ignored' where outcome in ('waiting', 'removed')"
    )
    op.drop_constraint("outcome", "webhook_deliveries", type_="check")
    op.create_check_constraint("outcome", "webhook_deliveries", _OUTCOMES.format(""))
    for table, column in reversed(_ADDED):
        op.drop_column(table, column.name)


def _leased() -> list[sa.Column[object]]:
    return [
        sa.Column(
            "check_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_holder", sa.String(), nullable=True),
        sa.Column("loop_failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("loop_error", sa.String(), nullable=True),
    ]


def _times() -> list[sa.Column[object]]:
    return [
        sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
        for name in ("created_at", "updated_at")
    ]
