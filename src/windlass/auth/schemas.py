"""What the account routes take and give."""

import datetime as dt
from typing import Annotated

from msgspec import Meta

from windlass.auth.models import Actor, Token
from windlass.core import ids
from windlass.core.schemas import In, Out

Email = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=r"^[^\s@]+@[^\s@]+\.?[^\s@]*$",
        description="This is not an e-mail address",
    ),
]
Password = Annotated[str, Meta(min_length=8, max_length=256)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]


class SignIn(In):
    email: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=256)]


class Setup(In):
    token: Annotated[str, Meta(max_length=200)]
    email: Email
    password: Password
    name: Name | None = None


class ProfileChange(In):
    email: Email
    name: Name | None = None


class PasswordChange(In):
    current: Annotated[str, Meta(max_length=256)]
    new: Password


class TokenCreate(In):
    name: Name


class UserOut(Out):
    """Who is signed in (C-032)."""

    id: str
    email: str | None
    name: str | None
    plan: str
    image: str | None

    @classmethod
    def of(cls, actor: Actor) -> "UserOut":
        return cls(
            id=ids.public("user", actor.id),
            email=actor.email,
            name=actor.name,
            plan=actor.plan.value.lower(),
            image=actor.image,
        )


class TokenOut(Out):
    """An API token. `token` is there once: in the answer that creates it."""

    id: str
    name: str
    start: str
    last_used_at: dt.datetime | None
    created_at: dt.datetime
    token: str | None = None

    @classmethod
    def of(cls, row: Token, token: str | None = None) -> "TokenOut":
        return cls(
            id=ids.public("tok", row.id),
            name=row.name,
            start=row.start,
            last_used_at=row.last_used_at,
            created_at=row.created_at,
            token=token,
        )
