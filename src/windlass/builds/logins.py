"""Logins of a project at registries of images. A password goes to the engine, for an image of that
registry, and nowhere else.
"""

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.builds import references
from windlass.builds.errors import LoginNotFound, TooManyLogins
from windlass.builds.models import RegistryLogin
from windlass.builds.pulling import Login
from windlass.builds.schemas import LoginSet
from windlass.core import ids
from windlass.core.crypto import KeyRing
from windlass.core.events import emit
from windlass.core.live import announce
from windlass.projects import events, sharing
from windlass.projects.models import Project

MOST = 50


async def of_project(db: AsyncSession, project: Project) -> list[RegistryLogin]:
    """By the registry's name."""
    query = select(RegistryLogin).where(RegistryLogin.project_id == project.id)
    return list(await db.scalars(query.order_by(RegistryLogin.host)))


async def save(
    db: AsyncSession, project: Project, wanted: LoginSet, keys: KeyRing, *, by: Actor
) -> RegistryLogin:
    """Set it, replacing the one for that registry. Raises ReferenceWrong."""
    registry = references.registry(wanted.registry)
    others = {each.host for each in await of_project(db, project)} - {registry}
    if len(others) >= MOST:
        raise TooManyLogins(most=MOST)
    context = context_of(project.id, registry)
    values = {
        "username": wanted.username,
        "password_sealed": keys.seal(wanted.password.encode(), context=context),
        "updated_at": func.now(),
    }
    row = insert(RegistryLogin).values(
        id=ids.uuid7(), project_id=project.id, host=registry, **values
    )
    statement = row.on_conflict_do_update(index_elements=["project_id", "host"], set_=values)
    returned = statement.returning(RegistryLogin)
    made = (await db.scalars(returned, execution_options={"populate_existing": True})).one()
    event = events.RegistryLoginSet(project_id=project.id, registry=registry)
    await emit(db, event, by=by.id)
    await announce(db, f"project:{project.id}")
    return made


async def get(db: AsyncSession, project: Project, id: UUID) -> RegistryLogin:
    """Raises LoginNotFound."""
    query = select(RegistryLogin).where(
        RegistryLogin.id == id, RegistryLogin.project_id == project.id
    )
    if (found := await db.scalar(query)) is None:
        raise LoginNotFound()
    return found


async def remove(db: AsyncSession, project: Project, login: RegistryLogin, *, by: Actor) -> None:
    """Images of that registry are fetched as nobody again."""
    await db.execute(delete(RegistryLogin).where(RegistryLogin.id == login.id))
    event = events.RegistryLoginRemoved(project_id=project.id, registry=login.host)
    await emit(db, event, by=by.id)
    await announce(db, f"project:{project.id}")


async def opened(db: AsyncSession, project_id: UUID, keys: KeyRing) -> tuple[Login, ...]:
    """With their passwords, for a build."""
    query = select(RegistryLogin).where(RegistryLogin.project_id == project_id)
    return tuple(
        Login(
            registry=row.host,
            username=row.username,
            password=keys.open_sealed(
                row.password_sealed, context=context_of(project_id, row.host)
            ).decode(),
        )
        for row in await db.scalars(query)
    )


async def take_back(db: AsyncSession, project: Project, by: Actor) -> None:
    """Before the project is somebody else's: the logins are of who gives it away."""
    for login in await of_project(db, project):
        await remove(db, project, login, by=by)


sharing.PARTING.append(take_back)


def context_of(project_id: UUID, registry: str) -> str:
    """What the seal of a password is tied to."""
    return f"registry:{project_id}:{registry}"
