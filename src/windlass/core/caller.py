"""Who is behind the work at hand: for the second wall in the database and for the audit log."""

from contextvars import ContextVar
from uuid import UUID

import msgspec


class Caller(msgspec.Struct, frozen=True):
    """The person (None: nobody is signed in), and where they came from."""

    user_id: UUID | None = None
    address: str = ""
    user_agent: str = ""


NOBODY = Caller()
_current: ContextVar[Caller] = ContextVar("caller", default=NOBODY)


def current() -> Caller:
    """Of this request; `NOBODY` in jobs and loops."""
    return _current.get()


def enter(caller: Caller) -> None:
    """From here on this request is theirs."""
    _current.set(caller)
