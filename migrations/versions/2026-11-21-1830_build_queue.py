"""The queue of builds: a turn that priority puts off, and the place of each that waits."""

import sqlalchemy as sa
from alembic import op

revision = "202611211830"
down_revision = "202611211250"

# Security definer: the place counts everybody's, and says nothing else of them. The estimate is
# what the last builds took, by how many run at once.
PLACE = """
create function queue_place(deployment uuid) returns json
  language sql stable security definer set search_path = public as $$
  select json_build_object('position', ahead.n, 'estimatedSeconds', (
    select round(percentile_cont(0.5) within group (order by build_time_seconds)
      * ceil(ahead.n::numeric / greatest(running.n, 1)))::int
    from (
      select build_time_seconds from deployments
      where status in ('READY', 'ERROR') and build_time_seconds is not null
      order by finished_at desc limit 20
    ) latest
  ))
  from deployments mine,
    lateral (
      select count(*) as n from deployments d
      where d.status = 'QUEUED' and (d.turn_at, d.id) <= (mine.turn_at, mine.id)
    ) ahead,
    lateral (
      select count(*) as n from deployments d where d.status in ('BUILDING', 'DEPLOYING')
    ) running
  where mine.id = deployment and mine.status = 'QUEUED'
$$;
"""

# How much there is to do on the whole instance, and nothing else of it.
LOAD = """
create function queue_load() returns table (waiting bigint, running bigint)
  language sql stable security definer set search_path = public as $$
  select count(*) filter (where status = 'QUEUED'), count(*) filter (where status <> 'QUEUED')
  from deployments where status in ('QUEUED', 'BUILDING', 'DEPLOYING')
$$;
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.add_column(
        "deployments",
        sa.Column(
            "turn_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
    )
    op.execute(
        """
        update deployments
        set turn_at = created_at + case when is_preview then interval '500 s' else interval '0' end
        where status = 'QUEUED'
        """
    )
    waiting = sa.text("status = 'QUEUED'")
    for columns in (["turn_at", "id"], ["owner_id", "turn_at", "id"]):
        name = f"ix_deployments_waiting_{columns[0]}"
        op.create_index(name, "deployments", columns, postgresql_where=waiting)
    op.create_index(
        "ix_deployments_owner_id_started_at",
        "deployments",
        ["owner_id", "started_at"],
        postgresql_where=sa.text("started_at is not null"),
    )
    op.create_index(
        "ix_deployments_finished_at",
        "deployments",
        ["finished_at"],
        postgresql_where=sa.text("build_time_seconds is not null"),
    )
    op.add_column(
        "projects",
        sa.Column("supersede_running", sa.Boolean(), server_default="false", nullable=False),
    )
    op.execute(PLACE)
    op.execute(LOAD)


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("drop function queue_load()")
    op.execute("drop function queue_place(uuid)")
    op.drop_column("projects", "supersede_running")
    for name in ("finished_at", "owner_id_started_at", "waiting_owner_id", "waiting_turn_at"):
        op.drop_index(f"ix_deployments_{name}", "deployments")
    op.drop_column("deployments", "turn_at")
