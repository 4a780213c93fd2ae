"""What may be asked of the log, in the address of each of its lists and pages."""

from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from windlass.audit.listing import LIMIT, Query, Sort
from windlass.core.schemas import CursorText, Limit

Asked = NamedDependency[Query]


async def provide_asked(
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
    sort: FromQuery[Sort] = "-createdAt",
    type: FromQuery[str | None] = None,
    action: FromQuery[str | None] = None,
    of_actor: Annotated[str | None, QueryParameter(name="actor")] = None,
    user: FromQuery[str | None] = None,
    of_project: Annotated[str | None, QueryParameter(name="project")] = None,
    of_team: Annotated[str | None, QueryParameter(name="team")] = None,
    since: Annotated[str | None, QueryParameter(name="from")] = None,
    until: Annotated[str | None, QueryParameter(name="to")] = None,
    search: FromQuery[str | None] = None,
) -> Query:
    """The filters of every list of the log."""
    return Query(
        limit=limit,
        cursor=cursor,
        sort=sort,
        type=type,
        action=action,
        actor=of_actor,
        user=user,
        project=of_project,
        team=of_team,
        since=since,
        until=until,
        search=search,
    )
