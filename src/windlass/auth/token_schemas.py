"""What the routes of API tokens take and give."""

import datetime as dt
from typing import Annotated

from msgspec import Meta

from windlass.auth.models import Token
from windlass.auth.permissions import Permission
from windlass.core import clock, ids
from windlass.core.schemas import In, Out

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=r"^(?=[\s\S]*\S)[^\u0000-\u001f\u007f]*$(?!\n)",
        description="Use letters that can be seen",
    ),
]
Days = Annotated[int, Meta(ge=1, le=3650)]


class TokenCreate(In):
    """Without scopes a token may do what its owner may; without days it ends when it is revoked.
    One that a token makes ends with that token at the latest."""

    name: Name
    scopes: Annotated[tuple[Permission, ...], Meta(min_length=1, max_length=30)] | None = None
    expires_in_days: Days | None = None


class TokenChange(In):
    name: Name


class TokenOut(Out):
    """An API token. `token` is there once: in the answer that creates it. `scopes` are null when it
    may do whatever its owner may."""

    id: str
    name: str
    start: str
    scopes: list[str] | None
    is_expired: bool
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    created_at: dt.datetime
    token: str | None = None

    @classmethod
    def of(cls, row: Token, token: str | None = None) -> "TokenOut":
        return cls(
            id=ids.public("tok", row.id),
            name=row.name,
            start=row.start,
            scopes=row.scopes,
            is_expired=row.expires_at is not None and row.expires_at <= clock.now(),
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            created_at=row.created_at,
            token=token,
        )
