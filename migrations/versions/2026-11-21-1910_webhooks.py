"""Projects are connected to their Git host: secrets, rules, and what became of deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "202611211910"
down_revision = "202611211830"

_MINE = "project_id = any((select projects_of(windlass_user()))::uuid[])"
# Host and path of a URL in small letters, without scheme, user, port and `.git`.
_KEY = r"""
update projects set repository_key = regexp_replace(regexp_replace(regexp_replace(regexp_replace(
  lower(repository_url), '^[a-z+]+://', ''), '^[^/@]*@', ''), '^([^/:]+):([0-9]+/|/)?', '\1/'),
  '(\.git)?/*$', '')
where repository_url is not null
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.add_column("projects", sa.Column("repository_key", sa.String(), nullable=True))
    op.execute(_KEY)
    op.create_index("ix_projects_repository_key", "projects", ["repository_key"])
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.Column("preview_branches", sa.ARRAY(sa.String()), server_default="{**}", nullable=False),
        sa.Column("tags", sa.ARRAY(sa.String()), server_default="{}", nullable=False),
        sa.Column("paths", sa.ARRAY(sa.String()), server_default="{}", nullable=False),
        *_times(),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        sa.UniqueConstraint("project_id", name="uq_webhooks_project_id"),
    )
    op.create_index("ix_webhooks_remote_id", "webhooks", ["remote_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column(
            "host",
            sa.Enum(
                "github",
                "gitlab",
                "gitea",
                "bitbucket",
                name="host",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), server_default="", nullable=False),
        sa.Column("commit_sha", sa.String(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "deployed",
                "ignored",
                "refused",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("deployment_id", sa.Uuid(), nullable=True),
        *_times(),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployments.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.UniqueConstraint("webhook_id", "delivery", "ref"),
    )
    for columns in (
        ("webhook_id", "body_sha256"),
        ("project_id", "id"),
        ("created_at",),
        ("deployment_id",),
    ):
        op.create_index(
            f"ix_webhook_deliveries_{'_'.join(columns)}", "webhook_deliveries", [*columns]
        )
    for table in ("webhooks", "webhook_deliveries"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} to windlass_web using ({_MINE}) with check ({_MINE})"
        )
        op.execute(
            f"create policy system on {table} to windlass_system using (true) with check (true)"
        )


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.drop_table("webhook_deliveries")
    op.drop_table("webhooks")
    op.drop_index("ix_projects_repository_key", "projects")
    op.drop_column("projects", "repository_key")


def _times() -> list[sa.Column[object]]:
    return [
        sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
        for name in ("created_at", "updated_at")
    ]
