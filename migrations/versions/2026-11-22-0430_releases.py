"""Releases on clusters, and their revisions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "202611220430"
down_revision = "202611220420"

_STATUSES = (
    "QUEUED", "APPLYING", "ROLLING_OUT", "DEPLOYED", "PARTIAL", "FAILED", "DELETING", "DELETED"
)  # fmt: skip
_KINDS = ("manifests", "helm")
_ENVIRONMENTS = ("production", "staging", "preview", "development")
_WHYS = ("deploy", "redeploy", "rollback")
POLICIES = {
    "releases": "exists (select from clusters c where c.id = cluster_id)",
    "revisions": "exists (select from releases r where r.id = release_id)",
}
# What was deleted keeps no cluster from being forgotten; what is still there does.
_FORGET = """
create function forget_releases() returns trigger
  language plpgsql security definer set search_path = public as $$
begin
  delete from releases where cluster_id = old.id and status = 'DELETED';
  return old;
end
$$;
"""


def _words(name: str, *values: str) -> "sa.Enum":
    return sa.Enum(*values, name=name, native_enum=False, length=32, create_constraint=True)


def _time(name: str, *, null: bool = True, now: bool = False) -> "sa.Column[object]":
    default = {"server_default": sa.text("now()")} if now else {}
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null, **default)


def _json(name: str, *, default: str | None = None) -> "sa.Column[object]":
    given = {"server_default": default} if default else {}
    return sa.Column(name, postgresql.JSONB(), nullable=False, **given)


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.create_table(
        "releases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cluster_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("namespace", sa.String(), nullable=False),
        sa.Column("kind", _words("kind", *_KINDS), nullable=False),
        sa.Column("environment", _words("environment", *_ENVIRONMENTS), nullable=False),
        sa.Column("status", _words("status", *_STATUSES), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("deployed_revision", sa.BigInteger(), nullable=True),
        _json("inventory", default="[]"),
        _json("drift", default="[]"),
        _time("drift_checked_at"),
        sa.Column("with_data", sa.Boolean(), server_default="false", nullable=False),
        _time("deleting_since"),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _time("check_at", null=False, now=True),
        _time("lease_until"),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_holder", sa.String(), nullable=True),
        sa.Column("loop_failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("loop_error", sa.String(), nullable=True),
        _time("created_at", null=False, now=True),
        _time("updated_at", null=False, now=True),
        sa.ForeignKeyConstraint(
            ["cluster_id"],
            ["clusters.id"],
            name=op.f("fk_releases_cluster_id_clusters"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
        sa.UniqueConstraint(
            "cluster_id",
            "namespace",
            "name",
            name=op.f("uq_releases_cluster_id_namespace_name"),
        ),
    )
    op.create_index("ix_releases_check_at", "releases", ["check_at"])
    op.create_index("ix_releases_cluster_id_id", "releases", ["cluster_id", "id"])
    op.create_table(
        "revisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", _words("kind", *_KINDS), nullable=False),
        sa.Column("why", _words("why", *_WHYS), nullable=False),
        sa.Column("of_number", sa.BigInteger(), nullable=True),
        sa.Column("environment", _words("environment", *_ENVIRONMENTS), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("manifest_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("source_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("profile", sa.String(), nullable=False),
        _json("findings"),
        sa.Column("confirmed", sa.String(), nullable=True),
        sa.Column("workloads_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("resources_count", sa.BigInteger(), server_default="0", nullable=False),
        _json("wishes"),
        sa.Column("status", _words("status", *_STATUSES), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        _json("results"),
        _json("pruned"),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _time("started_at"),
        _time("finished_at"),
        _time("created_at", null=False, now=True),
        _time("updated_at", null=False, now=True),
        sa.ForeignKeyConstraint(
            ["release_id"],
            ["releases.id"],
            name=op.f("fk_revisions_release_id_releases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
        sa.UniqueConstraint("release_id", "number", name=op.f("uq_revisions_release_id_number")),
    )
    op.execute(_FORGET)
    op.execute(
        "create trigger forget_releases before delete on clusters"
        " for each row execute function forget_releases()"
    )
    for table, rule in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} to windlass_web using ({rule}) with check ({rule})"
        )
        op.execute(
            f"create policy system on {table} to windlass_system using (true) with check (true)"
        )


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("drop trigger forget_releases on clusters")
    op.execute("drop function forget_releases()")
    op.drop_table("revisions")
    op.drop_table("releases")
