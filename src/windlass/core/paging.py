"""A list that grows is read in slices, the newest first, each with the cursor for the next (C-076).

Ids are made in the order of time, so they are the order, too. What cannot grow (passkeys, linked
accounts, the checks of a machine) is given whole.
"""

import datetime as dt
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from windlass.core.schemas import BadCursor, BadLimit, Cursor, read_cursor

LIMIT, LIMIT_MAX = 20, 100
_NEWEST = "-createdAt"
Row = TypeVar("Row")


async def newest(
    db: AsyncSession,
    query: Select[Row],
    id: InstrumentedAttribute[UUID],
    *,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> tuple[list[Row], str | None]:
    """The rows and the cursor behind them; None at the end. Raises BadLimit or BadCursor."""
    if limit < 1:
        raise BadLimit()
    limit = min(limit, LIMIT_MAX)
    if (place := read_cursor(cursor, sort=_NEWEST)) is not None:
        query = query.where(id < id_in(place))
    found: list[Any] = list(await db.scalars(query.order_by(id.desc()).limit(limit + 1)))
    if len(found) <= limit:
        return found, None
    return found[:limit], Cursor(_NEWEST, None, str(found[limit - 1].id)).encode()


def id_in(place: Cursor) -> UUID:
    """Where the page before ended. Raises BadCursor."""
    try:
        return UUID(place.id)
    except ValueError as error:
        raise BadCursor() from error


def time_in(place: Cursor) -> dt.datetime:
    """The time of the row where a page ended that is ordered by one. Raises BadCursor."""
    try:
        return dt.datetime.fromisoformat(str(place.value))
    except ValueError as error:
        raise BadCursor() from error
