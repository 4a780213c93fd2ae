"""What one's own account says of one, and how that changes."""

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import events, links, proving, schemas, service
from windlass.auth.errors import UsernameTaken
from windlass.auth.models import Actor, User
from windlass.auth.schemas import AccountChange, AccountOut
from windlass.core.errors import invalid
from windlass.core.events import emit
from windlass.core.languages import N_


async def of(db: AsyncSession, actor: Actor) -> AccountOut:
    """One's own account in full."""
    user = await db.get_one(User, actor.id)
    return AccountOut.of(user, await links.pending_email(db, user.id, user.email))


async def change(db: AsyncSession, wanted: AccountChange, *, by: Actor) -> AccountOut:
    """Apply what is given. Another address is only asked for: whether it is somebody else's, only
    who reads the mail that is sent there learns."""
    given = schemas.changes(wanted)
    if given.get("name"):
        given["name"] = service.clean_name(given["name"])
    if given.get("username"):
        given["username"] = str(given["username"]).lower()
    email = wanted.email.lower() if isinstance(wanted.email, str) else by.email
    pending = email if email != by.email else None
    if pending is not None:
        await _prove(db, wanted.current_password, by=by)
    if given:
        await _write(db, given, by=by)
    if pending is not None:
        asked = events.EmailChangeAsked(user_id=by.id, email=pending)
        await emit(db, asked, by=by.id)
    user = await db.get_one(User, by.id, populate_existing=True)
    return AccountOut.of(user, pending or await links.pending_email(db, user.id, user.email))


async def _prove(db: AsyncSession, password: str | None, *, by: Actor) -> None:
    if password is None and await proving.has_password(db, by):
        text = N_("Another e-mail address needs the current password")
        raise invalid("currentPassword", text)
    await proving.require_password(db, by, password)


async def _write(db: AsyncSession, given: dict[str, str | None], *, by: Actor) -> None:
    try:
        async with db.begin_nested():
            await db.execute(update(User).where(User.id == by.id).values(**given))
    except IntegrityError as error:
        raise UsernameTaken() from error
    await emit(db, events.ProfileChanged(user_id=by.id, fields=tuple(given)), by=by.id)
