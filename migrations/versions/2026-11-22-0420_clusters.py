"""Kubernetes clusters, and the number of the next namespace that is made for somebody."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "202611220420"
down_revision = "202611220110"

_MINE = "(owner_id = windlass_user() or team_id = any((select teams_of(windlass_user()))::uuid[]))"
# What somebody is on a cluster: its owner, or what they are in its team; null: nothing.
_ROLE = """
create function role_on_cluster(person uuid, cluster uuid) returns text
  language sql stable security definer set search_path = public as $$
  select case when c.owner_id = person then 'OWNER' else (
    select m.role from team_members m where m.team_id = c.team_id and m.user_id = person
  ) end from clusters c where c.id = cluster
$$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.add_column(
        "users", sa.Column("namespace_counter", sa.BigInteger(), server_default="0", nullable=False)
    )
    now = sa.text("now()")
    op.create_table(
        "clusters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("server", sa.String(), nullable=False),
        sa.Column("ca", sa.String(), nullable=True),
        sa.Column("tls_name", sa.String(), nullable=True),
        sa.Column("insecure", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "token",
                "certificate",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("credential_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("credential_hint", sa.String(), nullable=True),
        sa.Column("credential_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("namespaces", postgresql.ARRAY(sa.String()), server_default="{}", nullable=False),
        sa.Column("asked", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("answered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.Column("trouble_detail", sa.String(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("check_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_holder", sa.String(), nullable=True),
        sa.Column("loop_failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("loop_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_clusters_owner_id_users"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_clusters_team_id_teams"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clusters")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_clusters_owner_id_name")),
    )
    op.create_index(op.f("ix_clusters_team_id"), "clusters", ["team_id"])
    op.create_index(op.f("ix_clusters_check_at"), "clusters", ["check_at"])
    op.execute(_ROLE)
    op.execute("alter table clusters enable row level security")
    op.execute("alter table clusters force row level security")
    op.execute(
        f"create policy tenant on clusters to windlass_web using ({_MINE}) with check ({_MINE})"
    )
    op.execute("create policy system on clusters to windlass_system using (true) with check (true)")


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.drop_table("clusters")
    op.execute("drop function role_on_cluster(uuid, uuid)")
    op.drop_column("users", "namespace_counter")
