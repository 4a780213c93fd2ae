"""As whom a project fetches private images."""

import sqlalchemy as sa
from alembic import op

revision = "202611220109"
down_revision = "202611220046"

_MINE = "project_id = any((select projects_of(windlass_user()))::uuid[])"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.create_table(
        "registry_logins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("password_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_registry_logins_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_logins")),
        sa.UniqueConstraint("project_id", "host", name=op.f("uq_registry_logins_project_id_host")),
    )
    op.execute("alter table registry_logins enable row level security")
    op.execute("alter table registry_logins force row level security")
    op.execute(
        "create policy tenant on registry_logins to windlass_web"
        f" using ({_MINE}) with check ({_MINE})"
    )
    op.execute(
        "create policy system on registry_logins to windlass_system using (true) with check (true)"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.drop_table("registry_logins")
