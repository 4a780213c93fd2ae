"""Variables as people see them: one line for all targets that share a value."""

import datetime as dt

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core import ids
from windlass.core.crypto import KeyRing
from windlass.core.errors import invalid
from windlass.core.languages import N_
from windlass.projects import service
from windlass.projects.errors import VariableNotFound
from windlass.projects.models import EnvVariable, Project, Target
from windlass.projects.schemas import EnvSet, TargetName

_WHERE: dict[tuple[Target, ...], str] = {
    (Target.production,): N_("Production only"),
    (Target.preview,): N_("Previews only"),
    (Target.development,): N_("Development only"),
    (Target.preview, Target.production): N_("Everywhere"),
    (Target.development, Target.production): N_("Production and development"),
    (Target.development, Target.preview): N_("Previews and development"),
    (Target.development, Target.preview, Target.production): N_("Everywhere and development"),
}


class Line(msgspec.Struct, kw_only=True):
    """A variable and its value, for one or more targets. Secrets have no value to show."""

    id: str
    key: str
    value: str | None
    secret: bool
    targets: tuple[Target, ...]
    updated_at: dt.datetime
    rows: tuple[EnvVariable, ...]

    @property
    def where(self) -> str:
        """In the words of pages, which translate them."""
        return _WHERE[self.targets]


async def lines(db: AsyncSession, project: Project, keys: KeyRing) -> list[Line]:
    """All variables, by key."""
    groups: dict[tuple[str, str, bool], list[EnvVariable]] = {}
    for row, value in await service.variables(db, project, keys):
        groups.setdefault((row.key, value, row.is_secret), []).append(row)
    return [
        Line(
            # Production comes last of the targets, and is the one that stays.
            id=ids.public("env", rows[-1].id),
            key=key,
            value=None if is_secret else value,
            secret=is_secret,
            targets=tuple(sorted(row.target for row in rows)),
            updated_at=max(row.updated_at for row in rows),
            rows=tuple(rows),
        )
        for (key, value, is_secret), rows in groups.items()
    ]


async def line(db: AsyncSession, project: Project, id: str, keys: KeyRing) -> Line:
    """The line that holds a variable."""
    wanted = ids.private("env", id)
    for found in await lines(db, project, keys):
        if any(row.id == wanted for row in found.rows):
            return found
    raise VariableNotFound()


async def change(
    db: AsyncSession, project: Project, before: Line, wanted: EnvSet, keys: KeyRing, *, by: Actor
) -> None:
    """Give a line a new value and new targets; targets that are left out lose the variable."""
    if before.secret and not wanted.value:
        raise invalid("value", N_("Type the new value; the old one is never shown"))
    kept: tuple[TargetName, ...] = wanted.targets
    if Target.development in before.targets:
        # No page shows this target, so no page takes it away.
        kept = (*kept, "development")
    whole = EnvSet(key=before.key, value=wanted.value, secret=wanted.secret, targets=kept)
    await service.set_variable(db, project, whole, keys, by=by)
    for row in before.rows:
        if row.target.value not in kept:
            await service.remove_variable(db, project, row, by=by)


async def remove(db: AsyncSession, project: Project, found: Line, *, by: Actor) -> None:
    """Remove it from every target of its line."""
    for row in found.rows:
        await service.remove_variable(db, project, row, by=by)
