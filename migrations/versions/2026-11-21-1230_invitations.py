"""Invitations: what the link shows to whoever holds it, and who may join a team.

A person that was asked to come sees no team yet, and somebody who asks sees no account of a
stranger. These functions say just what each of them needs.
"""

from alembic import op
from sqlalchemy.util import await_only

revision = "202611211230"
down_revision = "202611211200"

FUNCTIONS = """
-- Whose verified address this is; null when nobody can be added by it.
create function account_at(address text) returns uuid
  language sql stable security definer set search_path = public as $$
  select id from users where email = lower(address)
    and email_verified_at is not null and deleted_at is null
$$;

-- What the holder of an invitation's link may read.
create function invitation_of(link bytea) returns table (
    id uuid, team_id uuid, team_name text, team_slug text, email text, role text, status text,
    inviter text, created_at timestamptz, expires_at timestamptz)
  language sql stable security definer set search_path = public as $$
  select i.id, t.id, t.name, t.slug, i.email, i.role, i.status, coalesce(u.name, u.email),
    i.created_at, i.expires_at
  from team_invitations i join teams t on t.id = i.team_id left join users u on u.id = i.invited_by
  where i.digest = link
$$;

-- A team that is being made, or one that asked this person to come, with that role.
create function may_join(team uuid, wanted text) returns boolean
  language sql stable security definer set search_path = public as $$
  select not exists (select from teams where id = team) or exists (
    select from team_invitations i join users u on u.email = i.email
    where u.id = windlass_user() and u.email_verified_at is not null and i.team_id = team
      and i.role = wanted and i.status = 'PENDING' and i.expires_at > now())
$$;

-- Who can see a project besides its owner: for those who see it themselves.
create function teams_on(project uuid) returns table (
    team_id uuid, name text, slug text, members bigint, created_at timestamptz)
  language sql stable security definer set search_path = public as $$
  select t.id, t.name, t.slug,
    (select count(*) from team_members m where m.team_id = t.id), s.created_at
  from team_projects s join teams t on t.id = s.team_id
  where s.project_id = project and project = any(projects_of(windlass_user()))
  order by t.name, t.id
$$;

-- A deployment names its project's owner again; so that it stays true, whoever gives it away.
create function owner_follows() returns trigger
  language plpgsql security definer set search_path = public as $$
begin
  update deployments set owner_id = new.owner_id where project_id = new.id;
  return null;
end $$;
create trigger projects_owner after update of owner_id on projects
  for each row when (old.owner_id is distinct from new.owner_id) execute function owner_follows();
"""

_MY_TEAMS = "team_id = any((select teams_of(windlass_user()))::uuid[])"
_MINE = "user_id = windlass_user()"
_SEEN = f"{_MY_TEAMS} or {_MINE}"
_ASKED = f"{_MY_TEAMS} or email = (select u.email from users u where u.id = windlass_user()"
_JOINED = f"{_MY_TEAMS} or ({_MINE} and may_join(team_id, role))"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    _run(FUNCTIONS)
    op.execute(
        "alter policy tenant on team_members to windlass_web"
        f" using ({_SEEN}) with check ({_JOINED})"
    )
    # An address that nobody confirmed may be somebody else's.
    rule = f"{_ASKED} and u.email_verified_at is not null)"
    op.execute(
        "alter policy tenant on team_invitations to windlass_web"
        f" using ({rule}) with check ({rule})"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute(
        f"alter policy tenant on team_members to windlass_web using ({_SEEN}) with check ({_SEEN})"
    )
    op.execute(
        "alter policy tenant on team_invitations to windlass_web"
        f" using ({_ASKED})) with check ({_ASKED}))"
    )
    op.execute("drop trigger projects_owner on projects")
    for name in (
        "owner_follows()",
        "teams_on(uuid)",
        "may_join(uuid, text)",
        "invitation_of(bytea)",
        "account_at(text)",
    ):
        op.execute(f"drop function {name}")


def _run(script: str) -> None:
    """Several statements at once need the driver's own connection (same transaction)."""
    await_only(op.get_bind().connection.driver_connection.execute(script))
