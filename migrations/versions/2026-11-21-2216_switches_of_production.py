"""Switches of production, with what the edge counted around them; for how long one is watched."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "202611212216"
down_revision = "202611212155"

_MINE = "project_id = any((select projects_of(windlass_user()))::uuid[])"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.create_table(
        "switches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("previous_id", sa.Uuid(), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "BEGUN",
                "COUNTING",
                "STAYED",
                "REPLACED",
                "RETURNED",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("previous_release", sa.String(), nullable=True),
        sa.Column("edge_run", sa.String(), nullable=False),
        sa.Column("baseline", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("carried", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("receipt", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("switched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("switch_milliseconds", sa.Double(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_watched", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "check_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_holder", sa.String(), nullable=True),
        sa.Column("loop_failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("loop_error", sa.String(), nullable=True),
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
            ["deployment_id"],
            ["deployments.id"],
            name=op.f("fk_switches_deployment_id_deployments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["previous_id"],
            ["deployments.id"],
            name=op.f("fk_switches_previous_id_deployments"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_switches_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name=op.f("fk_switches_site_id_sites"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_switches")),
    )
    op.create_index(op.f("ix_switches_check_at"), "switches", ["check_at"], unique=False)
    op.create_index(
        "ix_switches_counting",
        "switches",
        ["check_at"],
        unique=False,
        postgresql_where=sa.text("outcome = 'COUNTING'"),
    )
    op.create_index(
        "ix_switches_deployment_id_created_at",
        "switches",
        ["deployment_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_switches_previous_id"), "switches", ["previous_id"], unique=False)
    op.create_index(op.f("ix_switches_project_id"), "switches", ["project_id"], unique=False)
    op.create_index(
        "uq_switches_site_id_generation", "switches", ["site_id", "generation"], unique=True
    )
    op.add_column(
        "projects", sa.Column("watch_minutes", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.execute("alter table switches enable row level security")
    op.execute("alter table switches force row level security")
    op.execute(
        f"create policy tenant on switches to windlass_web using ({_MINE}) with check ({_MINE})"
    )
    op.execute("create policy system on switches to windlass_system using (true) with check (true)")


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.drop_column("projects", "watch_minutes")
    op.drop_index("uq_switches_site_id_generation", table_name="switches")
    op.drop_index(op.f("ix_switches_project_id"), table_name="switches")
    op.drop_index(op.f("ix_switches_previous_id"), table_name="switches")
    op.drop_index("ix_switches_deployment_id_created_at", table_name="switches")
    op.drop_index(
        "ix_switches_counting",
        table_name="switches",
        postgresql_where=sa.text("outcome = 'COUNTING'"),
    )
    op.drop_index(op.f("ix_switches_check_at"), table_name="switches")
    op.drop_table("switches")
