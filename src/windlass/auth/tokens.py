"""API tokens: what acts for somebody, no further than they allow and no longer (C-038).

A token may be narrowed to permissions, and may end. One that a token makes is never wider than that
token and never outlives it.
"""

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import events
from windlass.auth.errors import NoToken
from windlass.auth.models import Actor, Token
from windlass.auth.permissions import ADMIN_ONLY, Permission
from windlass.auth.token_schemas import TokenCreate, TokenOut
from windlass.core import clock, crypto
from windlass.core.errors import NotFound, invalid
from windlass.core.events import emit
from windlass.core.languages import N_
from windlass.core.paging import LIMIT, newest
from windlass.core.schemas import Page

# What a token may be narrowed to, and in which words a person chooses it.
SCOPES: dict[Permission, str] = {
    Permission.project_read: N_("See projects"),
    Permission.project_write: N_("Make projects and set variables"),
    Permission.project_settings: N_("Change settings of projects"),
    Permission.project_delete: N_("Delete projects"),
    Permission.deploy_read: N_("See deployments and their logs"),
    Permission.deploy_create: N_("Deploy"),
    Permission.deploy_cancel: N_("Cancel deployments"),
    Permission.deploy_rollback: N_("Roll back"),
    Permission.deploy_promote: N_("Promote previews"),
    Permission.domain_read: N_("See domains"),
    Permission.domain_create: N_("Add domains"),
    Permission.domain_delete: N_("Remove domains"),
    Permission.storage_read: N_("Read stored files"),
    Permission.storage_write: N_("Write stored files"),
    Permission.storage_delete: N_("Delete stored files"),
    Permission.team_read: N_("See teams"),
    Permission.team_invite: N_("Invite to teams and change roles"),
    Permission.team_remove: N_("Remove people from teams"),
    Permission.team_settings: N_("Make, change and delete teams"),
    Permission.billing_read: N_("See bills"),
    Permission.billing_write: N_("Change the plan"),
    Permission.account: N_("The account itself: profile, sessions, tokens, audit log"),
    Permission.admin_read: N_("See the whole platform"),
    Permission.admin_write: N_("Administer the platform"),
}


def scopes_for(actor: Actor) -> dict[Permission, str]:
    """What somebody may choose from."""
    return {
        scope: words
        for scope, words in SCOPES.items()
        if (actor.is_admin or scope not in ADMIN_ONLY)
        and (actor.scopes is None or scope in actor.scopes)
    }


async def of(
    db: AsyncSession, actor: Actor, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[TokenOut]:
    """One's tokens, the newest first; those that have ended too, until they are revoked."""
    query = select(Token).where(Token.user_id == actor.id)
    rows, after = await newest(db, query, Token.id, limit=limit, cursor=cursor)
    return Page([TokenOut.of(row) for row in rows], after)


async def create(db: AsyncSession, wanted: TokenCreate, *, by: Actor) -> tuple[Token, str]:
    """A new API token and its only clear text."""
    scopes = _narrowed(wanted.scopes, by)
    ends = [end for end in (ends_in(wanted.expires_in_days), by.expires_at) if end is not None]
    expires_at = min(ends, default=None)
    return await issue(db, by.id, wanted.name, scopes=scopes, expires_at=expires_at)


async def issue(
    db: AsyncSession,
    user_id: UUID,
    name: str,
    *,
    scopes: Iterable[Permission] | None,
    expires_at: dt.datetime | None,
) -> tuple[Token, str]:
    """Make a token for somebody who was asked, and say so in the log."""
    clear = crypto.new_token("wl")
    kept = sorted(scope.value for scope in set(scopes)) if scopes is not None else None
    row = row_of(user_id, name, clear)
    row.scopes, row.expires_at = kept, expires_at
    db.add(row)
    await db.flush()
    await db.refresh(row)
    made = events.TokenCreated(
        user_id=user_id, token_id=row.id, name=name, scopes=kept, expires_at=expires_at
    )
    await emit(db, made, by=user_id)
    return row, clear


async def rename(db: AsyncSession, id: UUID, name: str, *, by: Actor) -> Token:
    """Only the name changes: what a token may do was decided when it was made."""
    query = update(Token).where(Token.id == id, Token.user_id == by.id).values(name=name)
    row = await db.scalar(query.returning(Token))
    if row is None:
        raise NotFound()
    await emit(db, events.TokenRenamed(user_id=by.id, token_id=id, name=name), by=by.id)
    return row


async def revoke(db: AsyncSession, id: UUID, *, by: Actor) -> None:
    """The next request with it is refused."""
    query = delete(Token).where(Token.id == id, Token.user_id == by.id).returning(Token.id)
    if await db.scalar(query) is None:
        raise NotFound()
    await emit(db, events.TokenRevoked(user_id=by.id, token_id=id), by=by.id)


async def revoke_own(db: AsyncSession, *, by: Actor) -> None:
    """End the token that the request came with, however narrow it is."""
    if by.token_id is None:
        raise NoToken()
    await revoke(db, by.token_id, by=by)


def ends_in(days: int | None) -> dt.datetime | None:
    return clock.now() + dt.timedelta(days=days) if days is not None else None


def row_of(user_id: UUID, name: str, clear: str) -> Token:
    """A row that knows the token again, and does not hold it."""
    return Token(user_id=user_id, name=name, digest=crypto.digest(clear), start=clear[:7])


def _narrowed(wanted: tuple[Permission, ...] | None, by: Actor) -> tuple[Permission, ...] | None:
    if wanted is None and by.scopes is None:
        return None
    allowed = scopes_for(by)
    if wanted is None:
        raise invalid("scopes", f"This token may only give: {', '.join(allowed)}")
    if refused := [scope for scope in wanted if scope not in allowed]:
        raise invalid("scopes", f"You may not give: {', '.join(refused)}")
    return wanted
