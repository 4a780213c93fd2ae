"""Row-level security: the second wall around what belongs to somebody (B-014, F-03).

The web process works as `windlass_web`, in the name of `windlass.user_id`; jobs, loops and what
happens before anybody is known work as `windlass_system`. Policies look at ownership only, so a
soft delete and its undoing pass. Neither role needs a right that only a superuser can give.
"""

from alembic import op
from sqlalchemy.util import await_only

revision = "202611211200"
down_revision = "202611211154"

ROLES = """
do $$ begin
  if not exists (select from pg_roles where rolname = 'windlass_web') then
    create role windlass_web nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'windlass_system') then
    create role windlass_system nologin;
  end if;
end $$;
grant windlass_web, windlass_system to current_user;
grant usage on schema public to windlass_web, windlass_system;
grant select, insert, update, delete on all tables in schema public
  to windlass_web, windlass_system;
grant usage, select on all sequences in schema public to windlass_web, windlass_system;
alter default privileges in schema public
  grant select, insert, update, delete on tables to windlass_web, windlass_system;
alter default privileges in schema public
  grant usage, select on sequences to windlass_web, windlass_system;
"""

FUNCTIONS = """
create function windlass_user() returns uuid language sql stable parallel safe
  return nullif(current_setting('windlass.user_id', true), '')::uuid;

create function teams_of(person uuid) returns uuid[]
  language sql stable security definer set search_path = public as $$
  select coalesce(array_agg(team_id), '{}') from team_members where user_id = person
$$;

create function projects_of(person uuid) returns uuid[]
  language sql stable security definer set search_path = public as $$
  select coalesce(array_agg(id), '{}') from (
    select id from projects where owner_id = person
    union
    select s.project_id from team_projects s join team_members m using (team_id)
    where m.user_id = person
  ) visible
$$;

-- The strongest role of a person on a project; null when it is not theirs to see (D-34).
create function role_on_project(person uuid, project uuid) returns text
  language sql stable security definer set search_path = public as $$
  select case when exists (select from projects where id = project and owner_id = person)
    then 'OWNER'
    else (
      select m.role from team_projects s join team_members m using (team_id)
      where s.project_id = project and m.user_id = person
      order by array_position(
        array['OWNER', 'ADMIN', 'DEVELOPER', 'MEMBER', 'VIEWER'], m.role::text) limit 1
    ) end
$$;

create function people_near(person uuid) returns uuid[]
  language sql stable security definer set search_path = public as $$
  select array_agg(distinct id) from (
    select person as id
    union all
    select user_id from team_members where team_id = any(teams_of(person))
    union all
    select p.owner_id from projects p where p.id = any(projects_of(person))
  ) near
$$;
"""

_MINE = "user_id = windlass_user()"
_MY_PROJECTS = "project_id = any((select projects_of(windlass_user()))::uuid[])"
_MY_TEAMS = "team_id = any((select teams_of(windlass_user()))::uuid[])"
# What each table shows; writing obeys the same rule unless CHECKS says otherwise.
POLICIES = {
    "users": "id = any((select people_near(windlass_user()))::uuid[])",
    "accounts": _MINE,
    "sessions": _MINE,
    "tokens": _MINE,
    "email_links": _MINE,
    "totps": _MINE,
    "recovery_codes": _MINE,
    "passkeys": _MINE,
    "challenges": _MINE,
    "device_codes": _MINE,
    "idempotent_answers": _MINE,
    "sign_up_invitations": "invited_by = windlass_user()",
    "teams": _MY_TEAMS.replace("team_id", "id", 1),
    "team_members": f"{_MY_TEAMS} or {_MINE}",
    "team_invitations": f"{_MY_TEAMS} or email ="
    " (select u.email from users u where u.id = windlass_user())",
    "team_projects": f"{_MY_TEAMS} or {_MY_PROJECTS}",
    "projects": "owner_id = windlass_user() or " + _MY_PROJECTS.replace("project_id", "id", 1),
    "env_variables": _MY_PROJECTS,
    "sites": _MY_PROJECTS,
    "deployments": _MY_PROJECTS,
    "deployment_logs": "exists (select from deployments d where d.id = deployment_id)",
    # Whoever sees a deployment may deploy its source again.
    "sources": "owner_id = windlass_user() or exists"
    " (select from deployments d where d.source_id = sources.id)",
    "events": f"actor_id = windlass_user() or {_MINE} or {_MY_PROJECTS} or {_MY_TEAMS}",
}
CHECKS = {
    "users": "id = windlass_user()",
    "projects": "owner_id = windlass_user() or " + _MY_PROJECTS.replace("project_id", "id", 1),
    # A fact may be about what its author can no longer see: a project given away.
    "events": "actor_id is not distinct from windlass_user()",
}

# The record of what happened is added to, and shortened by the retention job alone.
APPEND_ONLY = """
create function refuse_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('windlass.retention', true) = 'on'
    and current_user <> 'windlass_web' then
    return old;
  end if;
  raise exception 'events are only ever added' using errcode = 'insufficient_privilege';
end $$;
create trigger events_append_only before update or delete on events
  for each row execute function refuse_change();
create trigger events_no_truncate before truncate on events
  for each statement execute function refuse_change();
revoke update, delete on events from windlass_web;
"""

# Web processes remember for seconds who carries what; they are told when that may have changed.
TELL_IDENTITY = """
create function tell_identity() returns trigger language plpgsql as $$
begin
  perform pg_notify('windlass_live', 'identity:' || coalesce(
    to_jsonb(old) ->> 'user_id', to_jsonb(old) ->> 'id'));
  return null;
end $$;
create trigger users_identity after update or delete on users
  for each row execute function tell_identity();
create trigger sessions_identity after delete on sessions
  for each row execute function tell_identity();
create trigger tokens_identity after update of scopes, expires_at or delete on tokens
  for each row execute function tell_identity();
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    for script in (ROLES, FUNCTIONS, APPEND_ONLY, TELL_IDENTITY):
        _run(script)
    for table, rule in POLICIES.items():
        check = CHECKS.get(table, rule)
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} to windlass_web using ({rule}) with check ({check})"
        )
        op.execute(
            f"create policy system on {table} to windlass_system using (true) with check (true)"
        )


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    for table in POLICIES:
        op.execute(f"drop policy tenant on {table}")
        op.execute(f"drop policy system on {table}")
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"alter table {table} disable row level security")
    op.execute("drop trigger events_append_only on events")
    op.execute("drop trigger events_no_truncate on events")
    for table in ("users", "sessions", "tokens"):
        op.execute(f"drop trigger {table}_identity on {table}")
    for name in (
        "tell_identity()",
        "refuse_change()",
        "people_near(uuid)",
        "role_on_project(uuid, uuid)",
        "projects_of(uuid)",
        "teams_of(uuid)",
        "windlass_user()",
    ):
        op.execute(f"drop function {name}")
    # The roles may serve other databases of the server; here they own and may nothing any more.
    op.execute("drop owned by windlass_web")
    op.execute("drop owned by windlass_system")


def _run(script: str) -> None:
    """Several statements at once need the driver's own connection (same transaction)."""
    await_only(op.get_bind().connection.driver_connection.execute(script))
