"""The line of the queue is kept: a look for work costs what changed since the last one, not a walk
over all owners; the places of a page of deployments are one count."""

import runpy
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "202611220045"
down_revision = "202611212255"

# Whose place may be another now. Rows are only added, so nobody waits for anybody; whoever admits
# takes them out. Security definer: the web process neither reads nor writes the line.
CHANGED = """
create function queue_changed() returns trigger
  language plpgsql security definer set search_path = public as $$
begin
  if tg_op <> 'INSERT' then
    insert into queue_changes (owner_id) values (old.owner_id);
  end if;
  if tg_op = 'INSERT' or (tg_op = 'UPDATE' and new.owner_id <> old.owner_id) then
    insert into queue_changes (owner_id) values (new.owner_id);
  end if;
  return null;
end
$$;
"""
TRIGGERS = (
    """
    create trigger queue_entered after insert on deployments for each row
      when (new.status in ('QUEUED', 'BUILDING', 'DEPLOYING')) execute function queue_changed()
    """,
    """
    create trigger queue_moved after update of status, turn_at, owner_id on deployments
      for each row when (
        (old.status, old.turn_at, old.owner_id) is distinct from
          (new.status, new.turn_at, new.owner_id)
        and not (old.status = 'BUILDING' and new.status = 'DEPLOYING')
      ) execute function queue_changed()
    """,
    """
    create trigger queue_left after delete on deployments for each row
      when (old.status in ('QUEUED', 'BUILDING', 'DEPLOYING')) execute function queue_changed()
    """,
)

# Of each owner the first that waits and whose project is not busy. It stands where its turn says;
# the next one of an owner counts as queued when their last one started.
STAND = """
create function queue_stand(owners uuid[]) returns void language plpgsql as $$
begin
  delete from queue_line where owner_id = any(owners);
  insert into queue_line (owner_id, deployment_id, project_id, stands_at)
  select owner.id, first.id, first.project_id,
    greatest(first.turn_at, last.started_at + first.later)
  from unnest(owners) owner (id)
  cross join lateral (
    select d.id, d.project_id, d.turn_at, d.turn_at - d.created_at as later from deployments d
    where d.owner_id = owner.id and d.status = 'QUEUED' and d.project_id not in (
      select b.project_id from deployments b where b.status in ('BUILDING', 'DEPLOYING')
    )
    order by d.turn_at, d.id limit 1
  ) first
  left join lateral (
    select d.started_at from deployments d
    where d.owner_id = owner.id and d.started_at is not null
    order by d.started_at desc limit 1
  ) last on true;
end
$$;
"""

# What is taken out here was committed, and so was the deployment that it is about: the next
# statement sees both.
SETTLE = """
create function queue_settle() returns void language plpgsql as $$
declare
  owners uuid[];
begin
  with taken as (delete from queue_changes returning owner_id)
  select array_agg(distinct owner_id) into owners from taken;
  if owners is not null then
    perform queue_stand(owners);
  end if;
end
$$;
"""

# One worker at a time, by the lock, and one deployment at a time: each statement sees what was
# committed before it, so no limit is passed. One that was cancelled in this moment is left alone.
ADMIT = """
create or replace function queue_admit(
  holder text, token uuid, lease interval, places int, room int, plans jsonb
) returns setof deployments language plpgsql as $$
declare
  running int;
  young int;
  chosen queue_line;
  started deployments;
begin
  if not exists (select from deployments where status = 'QUEUED') then
    return;
  end if;
  select count(*), count(*) filter (where started_at > now() - interval '1 minute')
    into running, young
    from deployments where lease_holder = holder and status = 'BUILDING';
  places := least(places, greatest(room - young, case when running > 0 then 0 else 1 end));
  if places <= 0 then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtext('deployments.admission'));
  while places > 0 loop
    perform queue_settle();
    with busy as materialized (
      select owner_id, project_id from deployments where status in ('BUILDING', 'DEPLOYING')
    )
    select line.* into chosen from queue_line line join users u on u.id = line.owner_id
    where (
      u.is_admin
      or (select count(*) from busy where busy.owner_id = u.id) < (plans ->> u.plan::text)::int
    ) and not exists (select from busy where busy.project_id = line.project_id)
    order by line.stands_at, line.deployment_id limit 1;
    exit when not found;
    update deployments set status = 'BUILDING', started_at = clock_timestamp(),
      lease_token = token, lease_holder = holder, check_at = now(), lease_until = now() + lease
    where id = chosen.deployment_id and status = 'QUEUED' returning * into started;
    if found then
      perform pg_notify('windlass_live', 'deployment:' || started.id);
      perform pg_notify('windlass_live', 'project:' || started.project_id);
      return next started;
      places := places - 1;
    else
      perform queue_stand(array[chosen.owner_id]);
    end if;
  end loop;
end
$$;
"""

# Security definer: a place counts everybody's, and says nothing else of them. The estimate is
# what the last builds took, by how many run at once.
PLACES = """
create function queue_places(projects uuid[]) returns table (deployment_id uuid, place json)
  language sql stable security definer set search_path = public as $$
  with line as (
    select d.id, d.project_id, row_number() over (order by d.turn_at, d.id) as n
    from deployments d where d.status = 'QUEUED'
  ),
  pace as materialized (
    select (
      select percentile_cont(0.5) within group (order by build_time_seconds) from (
        select build_time_seconds from deployments
        where status in ('READY', 'ERROR') and build_time_seconds is not null
        order by finished_at desc limit 20
      ) latest
    ) as seconds, (
      select greatest(count(*), 1) from deployments where status in ('BUILDING', 'DEPLOYING')
    ) as running
  )
  select line.id, json_build_object(
    'position', line.n,
    'estimatedSeconds', round(pace.seconds * ceil(line.n::numeric / pace.running))::int
  )
  from line, pace where line.project_id = any(projects)
$$;
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.create_table("queue_changes", sa.Column("owner_id", sa.Uuid(), nullable=False))
    op.create_table(
        "queue_line",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("stands_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name="pk_queue_line"),
    )
    op.create_index("ix_queue_line_stands_at", "queue_line", ["stands_at", "deployment_id"])
    for table in ("queue_changes", "queue_line"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy tenant on {table} to windlass_web using (false)")
        op.execute(
            f"create policy system on {table} to windlass_system using (true) with check (true)"
        )
    for statement in (CHANGED, *TRIGGERS, STAND, SETTLE, ADMIT, PLACES):
        op.execute(statement)
    op.execute(
        "insert into queue_changes (owner_id)"
        " select distinct owner_id from deployments where status = 'QUEUED'"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    before = Path(__file__).with_name("2026-11-21-2140_admission.py")
    former: str = runpy.run_path(str(before))["ADMIT"]
    op.execute(former.replace("create function", "create or replace function", 1))
    op.execute("drop function queue_places(uuid[])")
    op.execute("drop function queue_settle()")
    op.execute("drop function queue_stand(uuid[])")
    for trigger in ("queue_entered", "queue_moved", "queue_left"):
        op.execute(f"drop trigger {trigger} on deployments")
    op.execute("drop function queue_changed()")
    op.drop_table("queue_line")
    op.drop_table("queue_changes")
