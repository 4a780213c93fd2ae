"""Sessions: opened when somebody signs in, shown to them, ended one by one or all (D-31, C-031).

What a browser or a program carries is signed and names a row; without the row it opens nothing.
"""

import datetime as dt
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import events
from windlass.auth.errors import TokenExpired
from windlass.auth.models import Actor, Plan, Session
from windlass.auth.signing import Claims, SigningKeys
from windlass.core import clock, crypto, ids
from windlass.core.caller import current
from windlass.core.db import Database
from windlass.core.errors import NotFound
from windlass.core.events import emit
from windlass.core.paging import LIMIT, newest

DAYS = 7
DAYS_ABSOLUTE = 30
TOKEN_PREFIX = "wl_"

_WHO = """
select u.id, u.email, u.username, u.name, u.image, u.plan, u.language, u.is_admin,
  u.email_verified_at is not null as is_verified, u.suspended_at is not null as is_suspended,
"""
_BY_SESSION = f"""{_WHO} s.id as credential, null::text[] as scopes, null::timestamptz as ends,
  s.last_used_at < now() - interval '60 seconds' as stale
from sessions s join users u on u.id = s.user_id
where s.id = $1 and u.id = $2 and s.expires_at > now() and u.deleted_at is null
"""
_BY_TOKEN = f"""{_WHO} t.id as credential, t.scopes, t.expires_at as ends,
  coalesce(t.last_used_at < now() - interval '60 seconds', true) as stale
from tokens t join users u on u.id = t.user_id
where t.digest = $1 and u.deleted_at is null
"""
_TOUCH_SESSION = text(
    "update sessions set last_used_at = now(), address = :address, expires_at = least("
    "now() + make_interval(days => :days), created_at + make_interval(days => :absolute))"
    " where id = :id"
)
_TOUCH_TOKEN = text("update tokens set last_used_at = now() where id = :id")


async def open_session(db: AsyncSession, signing: SigningKeys, actor: Actor) -> str:
    """Sign somebody in; returns what they carry from now on. Always a new session, so that one
    which somebody else planted is worth nothing."""
    now, asking = clock.now(), current()
    session = Session(
        id=ids.uuid7(),
        user_id=actor.id,
        user_agent=asking.user_agent[:300],
        address=asking.address[:64],
        last_used_at=now,
        expires_at=now + dt.timedelta(days=DAYS),
    )
    db.add(session)
    await db.flush()
    await db.execute(delete(Session).where(Session.expires_at < func.now()))
    await emit(db, events.SignedIn(user_id=actor.id, session_id=session.id), by=actor.id)
    return signing.sign(
        Claims(actor.id, session.id),
        username=actor.username,
        expires_at=now + dt.timedelta(days=DAYS_ABSOLUTE),
    )


async def identify(database: Database, signing: SigningKeys, credential: str) -> Actor | None:
    """Whose session or API token this is; notes the use at most once a minute (C-031, E-34).
    Raises TokenExpired."""
    is_session = not credential.startswith(TOKEN_PREFIX)
    if is_session:
        if (claims := signing.verify(credential)) is None:
            return None
        rows = await database.fetch(_BY_SESSION, claims.session_id, claims.user_id)
    else:
        rows = await database.fetch(_BY_TOKEN, crypto.digest(credential))
    if not rows:
        return None
    row = rows[0]
    if row["ends"] is not None and row["ends"] <= clock.now():
        raise TokenExpired(on=row["ends"].date())
    if row["stale"]:
        await _touch(database, row["credential"], is_session=is_session)
    return Actor(
        id=row["id"],
        email=row["email"],
        username=row["username"],
        name=row["name"],
        image=row["image"],
        plan=Plan(row["plan"]),
        language=row["language"],
        is_admin=row["is_admin"],
        is_verified=row["is_verified"],
        is_suspended=row["is_suspended"],
        session_id=row["credential"] if is_session else None,
        token_id=None if is_session else row["credential"],
        expires_at=row["ends"],
        scopes=frozenset(row["scopes"]) if row["scopes"] is not None else None,
    )


async def _touch(database: Database, id: UUID, *, is_session: bool) -> None:
    values: dict[str, object] = {"id": id}
    if is_session:
        values |= {"days": DAYS, "absolute": DAYS_ABSOLUTE, "address": current().address[:64]}
    async with database.transaction() as db:
        await db.execute(_TOUCH_SESSION if is_session else _TOUCH_TOKEN, values)


async def of(
    db: AsyncSession, actor: Actor, *, limit: int = LIMIT, cursor: str | None = None
) -> tuple[list[Session], str | None]:
    """One's open sessions, the newest sign-in first (C-037)."""
    query = select(Session).where(Session.user_id == actor.id, Session.expires_at > func.now())
    return await newest(db, query, Session.id, limit=limit, cursor=cursor)


async def end(db: AsyncSession, session_id: UUID, *, by: Actor) -> None:
    """Sign one session out: what carries it opens nothing any more."""
    query = delete(Session).where(Session.id == session_id, Session.user_id == by.id)
    if await db.scalar(query.returning(Session.id)) is None:
        raise NotFound()
    await emit(db, events.SignedOut(user_id=by.id, session_id=session_id), by=by.id)


async def end_others(db: AsyncSession, *, by: Actor) -> int:
    """Sign every other session out; returns how many there were."""
    query = delete(Session).where(Session.user_id == by.id)
    if by.session_id is not None:
        query = query.where(Session.id != by.session_id)
    ended = list(await db.scalars(query.returning(Session.id)))
    if ended:
        await emit(db, events.OthersSignedOut(user_id=by.id, sessions=len(ended)), by=by.id)
    return len(ended)
