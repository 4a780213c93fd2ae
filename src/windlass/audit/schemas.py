"""What the audit routes give."""

import datetime as dt

from windlass.core.schemas import In, Out
from windlass.teams.schemas import RetentionDays


class Named(Out):
    """Somebody or something; the name is null when it is gone, or not yours to know."""

    id: str
    name: str | None


class EntryOut(Out):
    """Something that happened. `address` and `userAgent` are null where you may not see them."""

    id: str
    type: str
    action: str
    sentence: str
    actor: Named | None
    user: Named | None
    project: Named | None
    team: Named | None
    address: str | None
    user_agent: str | None
    request_id: str | None
    metadata: dict[str, object]
    created_at: dt.datetime


class RetentionChange(In):
    days: RetentionDays


class RetentionOut(Out):
    """How long a team's log is kept, and what a value would delete at the next run (C-273)."""

    days: int
    least_days: int
    most_days: int
    entries: int
    would_go: int
    oldest: dt.datetime | None
