"""The verbs of projects: create, change, delete, and their variables."""

from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.auth.permissions import Permission, Role
from windlass.core import clock, ids
from windlass.core.crypto import KeyRing
from windlass.core.errors import invalid
from windlass.core.events import emit
from windlass.core.languages import N_
from windlass.core.live import announce
from windlass.projects import events, names
from windlass.projects.errors import HostTaken, ProjectNotFound, SlugTaken, VariableNotFound
from windlass.projects.models import EnvVariable, Project, Site, Target
from windlass.projects.schemas import EnvChange, EnvSet, ProjectChange, ProjectCreate


async def create(
    db: AsyncSession, wanted: ProjectCreate, *, base_domain: str, by: Actor
) -> Project:
    """A new project and its production host name; both unique by constraint (C-022)."""
    name = names.clean_name(wanted.name)
    slug = names.slug_of(name)
    names.check_branch(wanted.repository_branch)
    processes = names.kept_processes(wanted.processes)
    project = Project(
        owner_id=by.id,
        slug=slug,
        **{**msgspec.structs.asdict(wanted), "name": name, "processes": processes},
    )
    try:
        async with db.begin_nested():
            db.add(project)
            await db.flush()
    except IntegrityError as error:
        raise SlugTaken(slug=slug) from error
    await claim_host(db, project, f"{slug}.{base_domain}", is_preview=False)
    await db.refresh(project)
    await emit(db, events.Created(project_id=project.id, slug=slug), by=by.id)
    await announce(db, f"project:{project.id}")
    return project


async def claim_host(db: AsyncSession, project: Project, host: str, *, is_preview: bool) -> Site:
    """Give a host name to a project; one that another project has is a conflict."""
    site = Site(project_id=project.id, host=host, is_preview=is_preview)
    try:
        async with db.begin_nested():
            db.add(site)
            await db.flush()
    except IntegrityError as error:
        raise HostTaken(host=host) from error
    return site


async def get(db: AsyncSession, id: UUID, permission: Permission, *, by: Actor) -> Project:
    """The only way to an existing project: what is not visible does not exist (D-23)."""
    return await _allowed(db, Project.id == id, permission, by=by)


async def get_by_slug(db: AsyncSession, slug: str, permission: Permission, *, by: Actor) -> Project:
    """By the name in addresses of pages. One's own counts before a shared one of the same name,
    which has its id instead."""
    if slug.startswith("proj_"):
        return await get(db, ids.private("proj", slug), permission, by=by)
    return await _allowed(db, Project.slug == slug, permission, by=by)


async def _allowed(
    db: AsyncSession, which: ColumnElement[bool], permission: Permission, *, by: Actor
) -> Project:
    found = (
        select(Project, func.role_on_project(by.id, Project.id))
        .where(which, Project.deleted_at.is_(None), visible_to(by))
        .order_by((Project.owner_id == by.id).desc(), Project.created_at)
        .limit(1)
    )
    row = (await db.execute(found)).one_or_none()
    if row is None:
        raise ProjectNotFound()
    project, role = row
    by.require(permission, on=Role(role))
    return project


async def role_on(db: AsyncSession, project_id: UUID, *, by: Actor) -> Role:
    """What somebody is on a project they can see: its owner, or their strongest role in a team."""
    return Role(await db.scalar(select(func.role_on_project(by.id, project_id))))


async def may_see(db: AsyncSession, project_id: UUID, *, by: Actor) -> bool:
    """Whether it is still the caller's to see, after something was changed."""
    return await db.scalar(select(func.role_on_project(by.id, project_id))) is not None


def ref_of(project: Project, *, by: Actor) -> str:
    """What stands for it in addresses of pages: another's project may be called as one's own."""
    return project.slug if project.owner_id == by.id else ids.public("proj", project.id)


def visible_to(by: Actor) -> ColumnElement[bool]:
    """One's own projects, and those shared with a team one is in (C-052, C-057)."""
    return Project.id == func.any(func.projects_of(by.id))


async def change(db: AsyncSession, project: Project, wanted: ProjectChange, *, by: Actor) -> None:
    """Apply what is given. The address stays: a new name does not move a site."""
    given = {
        name: value
        for name, value in msgspec.structs.asdict(wanted).items()
        if value is not msgspec.UNSET
    }
    if isinstance(name := given.get("name"), str):
        given["name"] = names.clean_name(name)
    if isinstance(branch := given.get("repository_branch"), str):
        names.check_branch(branch)
    if wanted.processes is not msgspec.UNSET:
        given["processes"] = names.kept_processes(wanted.processes)
    for field, value in given.items():
        setattr(project, field, value)
    await db.flush()
    await db.refresh(project)
    await emit(db, events.Changed(project_id=project.id, fields=tuple(given)), by=by.id)
    await announce(db, f"project:{project.id}")


async def remove(db: AsyncSession, project: Project, *, by: Actor) -> None:
    """Hide it at once; the sites, releases and rows are taken down by a job (C-023).

    What was given away meanwhile is not the caller's to delete any more."""
    now = select(Project.owner_id).where(Project.id == project.id, Project.deleted_at.is_(None))
    if await db.scalar(now.with_for_update()) != project.owner_id:
        raise ProjectNotFound()
    project.deleted_at = clock.now()
    # The name is free again at once, while the old project is being taken down.
    project.slug = f"{project.slug}~{ids.short(project.id)}"
    await db.flush()
    await emit(db, events.Deleted(project_id=project.id, slug=project.slug), by=by.id)
    await announce(db, f"project:{project.id}")


async def variables(
    db: AsyncSession, project: Project, keys: KeyRing
) -> list[tuple[EnvVariable, str]]:
    """All variables with their clear values, by key and target."""
    query = (
        select(EnvVariable)
        .where(EnvVariable.project_id == project.id)
        .order_by(EnvVariable.key, EnvVariable.target)
    )
    return [(row, _open(keys, row)) for row in await db.scalars(query)]


async def environment(
    db: AsyncSession, project_id: UUID, target: Target, keys: KeyRing
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The variables of a target, and those of their values that a log must not show."""
    query = select(EnvVariable).where(
        EnvVariable.project_id == project_id, EnvVariable.target == target
    )
    rows = [(row, _open(keys, row)) for row in await db.scalars(query)]
    return {row.key: value for row, value in rows}, tuple(v for row, v in rows if row.is_secret)


async def set_variable(
    db: AsyncSession, project: Project, wanted: EnvSet, keys: KeyRing, *, by: Actor
) -> list[tuple[EnvVariable, str]]:
    """Set it for each target, replacing what is there (C-105)."""
    check_key(wanted.key)
    targets = tuple(dict.fromkeys(wanted.targets))
    for target in targets:
        values = {
            "value_sealed": keys.seal(
                wanted.value.encode(), context=context_of(project.id, wanted.key, target)
            ),
            "is_secret": wanted.secret,
            "updated_at": func.now(),
        }
        row = insert(EnvVariable).values(
            id=ids.uuid7(), project_id=project.id, key=wanted.key, target=target, **values
        )
        await db.execute(
            row.on_conflict_do_update(index_elements=["project_id", "key", "target"], set_=values)
        )
    event = events.VariableSet(project_id=project.id, key=wanted.key, targets=targets)
    await emit(db, event, by=by.id)
    await announce(db, f"project:{project.id}")
    query = select(EnvVariable).where(
        EnvVariable.project_id == project.id,
        EnvVariable.key == wanted.key,
        EnvVariable.target.in_(targets),
    )
    return [(row, wanted.value) for row in await db.scalars(query)]


def check_key(key: str) -> None:
    """Some variables are not the user's to set."""
    if key in {"PORT", "PATH", "HOME"}:
        raise invalid("key", N_("{key} is set by Windlass").format(key=key))


async def variable(db: AsyncSession, project: Project, id: UUID) -> EnvVariable:
    query = select(EnvVariable).where(EnvVariable.id == id, EnvVariable.project_id == project.id)
    if (row := await db.scalar(query)) is None:
        raise VariableNotFound()
    return row


async def change_variable(
    db: AsyncSession,
    project: Project,
    row: EnvVariable,
    wanted: EnvChange,
    keys: KeyRing,
    *,
    by: Actor,
) -> str:
    """Change value or secrecy. A secret cannot be made readable: its value must be given anew."""
    value = _open(keys, row)
    if wanted.value is not msgspec.UNSET:
        value = wanted.value
        context = context_of(project.id, row.key, row.target)
        row.value_sealed = keys.seal(value.encode(), context=context)
    if wanted.secret is not msgspec.UNSET:
        if row.is_secret and not wanted.secret and wanted.value is msgspec.UNSET:
            raise invalid("value", N_("Give the value anew to make a secret readable"))
        row.is_secret = wanted.secret
    await db.flush()
    await db.refresh(row)
    event = events.VariableSet(project_id=project.id, key=row.key, targets=(row.target.value,))
    await emit(db, event, by=by.id)
    return value


async def remove_variable(
    db: AsyncSession, project: Project, row: EnvVariable, *, by: Actor
) -> None:
    await db.execute(delete(EnvVariable).where(EnvVariable.id == row.id))
    event = events.VariableRemoved(project_id=project.id, key=row.key, target=row.target.value)
    await emit(db, event, by=by.id)
    await announce(db, f"project:{project.id}")


def context_of(project_id: UUID, key: str, target: str) -> str:
    """What the seal of a value is tied to."""
    return f"env:{project_id}:{key}:{target}"


def _open(keys: KeyRing, row: EnvVariable) -> str:
    context = context_of(row.project_id, row.key, row.target)
    return keys.open_sealed(row.value_sealed, context=context).decode()
