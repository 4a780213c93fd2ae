"""The verbs of webhooks: connect a project, change its rules, replace its secret, end it."""

from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core.crypto import KeyRing
from windlass.core.events import emit
from windlass.core.live import announce
from windlass.core.paging import LIMIT, newest
from windlass.core.schemas import Page
from windlass.projects import sharing
from windlass.projects.models import Project
from windlass.webhooks import events, signatures
from windlass.webhooks.errors import AlreadyConnected, NoRepository, NotConnected
from windlass.webhooks.models import Delivery, Webhook
from windlass.webhooks.schemas import DeliveryOut, WebhookChange


async def find(db: AsyncSession, project: Project) -> Webhook | None:
    return await db.scalar(select(Webhook).where(Webhook.project_id == project.id))


async def get(db: AsyncSession, project: Project) -> Webhook:
    if (row := await find(db, project)) is None:
        raise NotConnected()
    return row


async def connect(
    db: AsyncSession, project: Project, secret: str | None, keys: KeyRing, *, by: Actor
) -> tuple[Webhook, str]:
    """From now on pushes deploy the project. Returns the secret too, which nobody sees again."""
    if project.repository_key is None:
        raise NoRepository()
    clear = secret or signatures.new_secret()
    row = Webhook(project_id=project.id, secret_sealed=_sealed(keys, project.id, clear))
    try:
        async with db.begin_nested():
            db.add(row)
            await db.flush()
    except IntegrityError as error:
        raise AlreadyConnected() from error
    await db.refresh(row)
    await emit(db, events.Connected(project_id=project.id), by=by.id)
    await announce(db, f"project:{project.id}")
    return row, clear


async def replace_secret(
    db: AsyncSession, project: Project, secret: str | None, keys: KeyRing, *, by: Actor
) -> tuple[Webhook, str]:
    """A new one; the old one proves nothing any more."""
    row = await get(db, project)
    clear = secret or signatures.new_secret()
    row.secret_sealed = _sealed(keys, project.id, clear)
    await db.flush()
    await db.refresh(row)
    await emit(db, events.SecretReplaced(project_id=project.id), by=by.id)
    return row, clear


async def change(
    db: AsyncSession, project: Project, wanted: WebhookChange, *, by: Actor
) -> Webhook:
    """Apply the rules that are given."""
    row = await get(db, project)
    given = {
        name: value if isinstance(value, bool) else list(value)
        for name, value in msgspec.structs.asdict(wanted).items()
        if value is not msgspec.UNSET
    }
    for field, value in given.items():
        setattr(row, field, value)
    await db.flush()
    await db.refresh(row)
    await emit(db, events.RulesChanged(project_id=project.id, fields=tuple(given)), by=by.id)
    await announce(db, f"project:{project.id}")
    return row


async def disconnect(db: AsyncSession, project: Project, *, by: Actor) -> None:
    """Pushes start nothing any more, and what became of earlier ones is forgotten."""
    await db.delete(await get(db, project))
    await db.flush()
    await emit(db, events.Disconnected(project_id=project.id), by=by.id)
    await announce(db, f"project:{project.id}")


async def deliveries(
    db: AsyncSession, project: Project, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[DeliveryOut]:
    """What came for a project, newest first."""
    query = select(Delivery).where(Delivery.project_id == project.id)
    rows, after = await newest(db, query, Delivery.id, limit=limit, cursor=cursor)
    return Page([DeliveryOut.of(row) for row in rows], after)


async def take_back(db: AsyncSession, project: Project, by: Actor) -> None:
    """Before the project is somebody else's: who gives it away knows the secret, and the token is
    theirs. Pushes start nothing until the new owner has made a secret and given it to the host."""
    row = await find(db, project)
    if row is None:
        return
    if row.token_sealed is not None:
        row.token_sealed = row.token_host = row.api_url = row.report_error = None
        await emit(db, events.ReportingEnded(project_id=project.id), by=by.id)
    row.secret_sealed = None
    await db.flush()
    await emit(db, events.SecretWithdrawn(project_id=project.id), by=by.id)


sharing.PARTING.append(take_back)


def context_of(project_id: UUID) -> str:
    """What the seal of a secret is tied to."""
    return f"webhook:{project_id}"


def secret_of(keys: KeyRing, row: Webhook) -> str | None:
    if row.secret_sealed is None:
        return None
    return keys.open_sealed(row.secret_sealed, context=context_of(row.project_id)).decode()


def _sealed(keys: KeyRing, project_id: UUID, clear: str) -> bytes:
    return keys.seal(clear.encode(), context=context_of(project_id))
