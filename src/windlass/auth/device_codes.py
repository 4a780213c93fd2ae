"""A command line comes in through a browser that is signed in somewhere else (RFC 8628).

The program gets two codes: a long one, which it shows again until it is answered, and a short one
that a person compares and allows in the browser. The API token is made when the program collects
it, so it is stored nowhere in clear; it can be collected once.
"""

import datetime as dt
import secrets

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import events, tokens
from windlass.auth.device_errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    NoSuchCode,
    OnlyFromBrowser,
    SlowDown,
)
from windlass.auth.models import Actor, DeviceCode, Token
from windlass.core import clock, crypto
from windlass.core.caller import current
from windlass.core.db import Database
from windlass.core.errors import AppError
from windlass.core.events import emit

MINUTES = 10
INTERVAL_SECONDS = 3
# A little early is not too early: clocks and networks differ.
_SOONEST = dt.timedelta(seconds=INTERVAL_SECONDS - 0.5)
# Without vowels, so that no words appear, and without what looks alike (RFC 8628, 6.1).
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 8


class Begun(msgspec.Struct, frozen=True):
    """Both codes, in clear this once."""

    device_code: str
    user_code: str


async def begin(db: AsyncSession, client: str) -> Begun:
    """Ask for a person. Old questions go with it."""
    now = clock.now()
    await db.execute(delete(DeviceCode).where(DeviceCode.expires_at < now))
    begun = Begun(crypto.new_token("wd"), "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)))
    db.add(
        DeviceCode(
            digest=crypto.digest(begun.device_code),
            user_code=begun.user_code,
            client=client,
            address=current().address[:64],
            expires_at=now + dt.timedelta(minutes=MINUTES),
        )
    )
    await db.flush()
    return begun


async def find(db: AsyncSession, typed: str) -> DeviceCode:
    """Who asks with this code, while nobody has answered. Whoever calls it counts the tries."""
    query = select(DeviceCode).where(
        DeviceCode.user_code == _plain(typed),
        DeviceCode.user_id.is_(None),
        DeviceCode.denied_at.is_(None),
        DeviceCode.expires_at > clock.now(),
    )
    row = await db.scalar(query.with_for_update())
    if row is None:
        raise NoSuchCode()
    return row


async def allow(db: AsyncSession, typed: str, *, days: int | None, by: Actor) -> DeviceCode:
    """The program may act for this person; with a token that works for so many days."""
    _require_browser(by)
    row = await find(db, typed)
    row.user_id, row.lasts_days = by.id, days
    fact = events.DeviceAllowed(user_id=by.id, client=row.client, asked_from=row.address)
    await emit(db, fact, by=by.id)
    return row


async def refuse(db: AsyncSession, typed: str, *, by: Actor) -> DeviceCode:
    """The program is told no."""
    _require_browser(by)
    row = await find(db, typed)
    row.denied_at = func.now()
    fact = events.DeviceRefused(user_id=by.id, client=row.client, asked_from=row.address)
    await emit(db, fact, by=by.id)
    return row


async def collect(system: Database, device_code: str) -> tuple[Token, str]:
    """The token, once somebody allowed it; raises what RFC 8628 calls errors.

    Its own transaction: that somebody asked too often is remembered although it is refused.
    """
    async with system.transaction() as db:
        found = await _collect(db, device_code)
    if isinstance(found, AppError):
        raise found
    return found


async def _collect(db: AsyncSession, device_code: str) -> tuple[Token, str] | AppError:
    query = select(DeviceCode).where(
        DeviceCode.digest == crypto.digest(device_code), DeviceCode.expires_at > clock.now()
    )
    row = await db.scalar(query.with_for_update())
    if row is None:
        return ExpiredToken()
    if row.denied_at is not None:
        return AccessDenied()
    if row.user_id is None:
        now, last = clock.now(), row.polled_at
        row.polled_at = now
        is_too_soon = last is not None and now - last < _SOONEST
        return SlowDown() if is_too_soon else AuthorizationPending()
    await db.delete(row)
    return await tokens.issue(
        db, row.user_id, row.client, scopes=None, expires_at=tokens.ends_in(row.lasts_days)
    )


def shown(user_code: str) -> str:
    """In two halves, as people compare it."""
    return f"{user_code[: _LENGTH // 2]}-{user_code[_LENGTH // 2 :]}"


def _plain(typed: str) -> str:
    """What somebody typed, in small letters or with other things between."""
    return "".join(letter for letter in typed.upper() if letter in _LETTERS)[: _LENGTH + 1]


def _require_browser(by: Actor) -> None:
    """A token must not make itself another one that lives longer."""
    if by.session_id is None:
        raise OnlyFromBrowser()
