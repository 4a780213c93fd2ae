"""Admission to the queue is one call: who builds next is looked up where the rows are."""

from alembic import op

revision = "202611212140"
down_revision = "202611212131"

# Each owner's first waiting deployment stands in the line, unless the plan's number of them builds
# already or its project is busy. It stands where its turn says; the next one of an owner counts as
# queued when their last one started. One of each owner at a time, so that the limits are looked at
# again. Each statement sees what was committed before it, so nobody is admitted twice: one worker
# at a time, by the lock.
ADMIT = """
create function queue_admit(
  holder text, token uuid, lease interval, places int, room int, plans jsonb
) returns setof deployments language plpgsql as $$
declare
  running int;
  young int;
  admitted int;
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
    admitted := 0;
    for started in
    with recursive waiting (owner_id) as (
      (select owner_id from deployments where status = 'QUEUED' order by owner_id limit 1)
      union all
      select (
        select d.owner_id from deployments d
        where d.status = 'QUEUED' and d.owner_id > waiting.owner_id order by d.owner_id limit 1
      ) from waiting where waiting.owner_id is not null
    ),
    busy as materialized (
      select owner_id, project_id from deployments where status in ('BUILDING', 'DEPLOYING')
    ),
    next as (
      select first.id from waiting
      join users u on u.id = waiting.owner_id
      cross join lateral (
        select d.id, d.turn_at, d.turn_at - d.created_at as later from deployments d
        where d.owner_id = waiting.owner_id and d.status = 'QUEUED'
          and d.project_id not in (select project_id from busy)
        order by d.turn_at, d.id limit 1
      ) first
      left join lateral (
        select d.started_at from deployments d
        where d.owner_id = waiting.owner_id and d.started_at is not null
        order by d.started_at desc limit 1
      ) last on true
      where u.is_admin or (
        select count(*) from busy where busy.owner_id = u.id
      ) < (plans ->> u.plan::text)::int
      order by greatest(first.turn_at, last.started_at + first.later), first.id limit places
    )
    update deployments set status = 'BUILDING', started_at = clock_timestamp(),
      lease_token = token, lease_holder = holder, check_at = now(), lease_until = now() + lease
    from next where deployments.id = next.id returning deployments.*
    loop
      perform pg_notify('windlass_live', 'deployment:' || started.id);
      perform pg_notify('windlass_live', 'project:' || started.project_id);
      return next started;
      admitted := admitted + 1;
    end loop;
    exit when admitted = 0;
    places := places - admitted;
  end loop;
end
$$;
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.execute(ADMIT)


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.execute("drop function queue_admit")
