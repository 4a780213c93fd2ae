"""How long the log is kept: per team as its owner says, 90 days for what belongs to no team (E-21).

What is sensitive (B-144) is kept for those 90 days at least, however short a team's time is.
"""

import datetime as dt
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.audit.schemas import RetentionOut
from windlass.teams.models import Team

DAYS, LEAST_DAYS, MOST_DAYS = 90, 7, 2555
# Who came in, who was given which power, what was paid for, what was destroyed, who took a copy.
_SENSITIVE = (
    r"^(admin|audit|auth|billing)\.|^teams\.(RoleChanged|RetentionChanged|Member|Deleted)"
    r"|\.(Deleted|Restored|Transferred)$"
)
_IS_OLD = f"""e.created_at < now() - make_interval(days => greatest(
  {{days}}, case when e.name ~ '{_SENSITIVE}' then {DAYS} else 0 end)::int)"""
_PREVIEW = text(f"""
select count(*), count(*) filter (where {_IS_OLD.format(days="cast(:days as int)")}),
  min(e.created_at)
from events e where e.team_id = :team
""")
_SHORTEN = text(f"""
with looked as materialized (
  select e.id, e.created_at,
    {_IS_OLD.format(days=f"coalesce(t.audit_retention_days, {DAYS})")} as is_old
  from events e left join teams t on t.id = e.team_id
  where (e.created_at, e.id) > (:moment, :id)
    and e.created_at < now() - make_interval(days => {LEAST_DAYS})
  order by e.created_at, e.id limit :batch
), gone as (
  delete from events using looked where events.id = looked.id and looked.is_old returning 1
)
select (select count(*) from gone) as gone, l.id, l.created_at
from looked l order by l.created_at desc, l.id desc limit 1
""")
_ALLOW = text("select set_config('windlass.retention', 'on', true)")
_FORBID = text("select set_config('windlass.retention', '', true)")


class Position(msgspec.Struct, frozen=True):
    """How far the log was looked through."""

    moment: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    id: UUID = UUID(int=0)


async def preview(db: AsyncSession, team: Team, days: int) -> RetentionOut:
    """What the next run would delete with this many days."""
    entries, would_go, oldest = (await db.execute(_PREVIEW, {"team": team.id, "days": days})).one()
    return RetentionOut(
        days=team.audit_retention_days,
        least_days=LEAST_DAYS,
        most_days=MOST_DAYS,
        entries=entries,
        would_go=would_go,
        oldest=oldest,
    )


async def shorten(db: AsyncSession, after: Position, *, batch: int) -> tuple[int, Position | None]:
    """Look through the next rows from the oldest on and delete what is too old; returns how many
    went and where to go on. The database lets nothing else delete from the log."""
    await db.execute(_ALLOW)
    values = {"moment": after.moment, "id": after.id, "batch": batch}
    row = (await db.execute(_SHORTEN, values)).one_or_none()
    await db.execute(_FORBID)
    return (0, None) if row is None else (row.gone, Position(row.created_at, row.id))
