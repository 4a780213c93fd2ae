"""How a project keeps its previews: how many, how long, and for whom."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core.events import emit
from windlass.core.live import announce
from windlass.core.settings import Builds
from windlass.previews import events
from windlass.previews.schemas import SettingsChange, SettingsOut
from windlass.projects.models import Project


def shown(project: Project, builds: Builds) -> SettingsOut:
    """The settings that count, its own or those of the instance."""
    keep, days = project.preview_keep, project.preview_days
    return SettingsOut(
        keep=builds.keep_previews if keep is None else keep,
        days=builds.preview_days if days is None else days,
        has_password=project.preview_password_hash is not None,
    )


async def change(
    db: AsyncSession, project: Project, wanted: SettingsChange, hash: str | None, *, by: Actor
) -> None:
    """Apply what is given; null stands for what the instance says, and for no password. `hash`:
    of the password that is given."""
    fields: list[str] = []
    if wanted.keep is not msgspec.UNSET:
        project.preview_keep = wanted.keep
        fields.append("keep")
    if wanted.days is not msgspec.UNSET:
        project.preview_days = wanted.days
        fields.append("days")
    if wanted.password is not msgspec.UNSET:
        project.preview_password_hash = hash if wanted.password is not None else None
        fields.append("password")
    await db.flush()
    event = events.SettingsChanged(project_id=project.id, fields=tuple(fields))
    await emit(db, event, by=by.id)
    await announce(db, f"project:{project.id}")
