"""What may be asked of the lists of administration, in the address of each."""

from litestar.di import NamedDependency
from litestar.params import FromQuery

from windlass.admin.listing import LIMIT, Query
from windlass.admin.schemas import Search, Sort
from windlass.core.schemas import CursorText, Limit

Asked = NamedDependency[Query]


async def provide_asked(
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
    sort: FromQuery[Sort] = "-createdAt",
    search: FromQuery[Search | None] = None,
) -> Query:
    """What every list takes."""
    return Query(limit=limit, cursor=cursor, sort=sort, search=search)
