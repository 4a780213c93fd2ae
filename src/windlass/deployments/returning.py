"""Going back to a release that is kept: what it would run with, and why it cannot.

A release is what it was, with the variables of its time: they are sealed beside its files, so a
rollback reads nothing anew. What is different today is said by name before and after. Who wants the
old files with today's variables gets a second release of them, as a promoted preview does.
"""

from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core import ids, site
from windlass.core.crypto import KeyRing
from windlass.core.languages import N_
from windlass.deployments import diff, service
from windlass.deployments.errors import CannotActivate
from windlass.deployments.models import Deployment
from windlass.deployments.schemas import Change
from windlass.projects import fingerprints
from windlass.projects import service as projects
from windlass.projects.models import Target


async def why_not(db: AsyncSession, home: Path, deployment: Deployment) -> str | None:
    """Why this deployment cannot be made live, or None when it can (C-161, C-162)."""
    if (problem := await service.why_not_active(db, deployment)) is not None:
        return problem
    name = ids.public("depl", deployment.id)
    was_built = deployment.manifest_sha256 is not None
    if was_built and not (site.folder(home, name) / "site.json").exists():
        return N_("Its files are not on the disk any more")
    return None


async def make_live(
    db: AsyncSession,
    home: Path,
    deployment: Deployment,
    *,
    reason: str,
    with_today: bool = False,
    by: Actor,
) -> None:
    """Ask for this release on the project's own address, with its own variables or today's."""
    if (problem := await why_not(db, home, deployment)) is not None:
        raise CannotActivate(reason=problem)
    if with_today and not has_variables(deployment):
        text = N_("Variables are inside the files of a static site; deploy it anew instead")
        raise CannotActivate(reason=text)
    await service.make_live(db, deployment, reason=reason, with_today=with_today, by=by)


def has_variables(deployment: Deployment) -> bool:
    """Whether variables still count when it runs, not only when it was built."""
    return deployment.plan is not None and deployment.plan.get("kind") != "static"


async def differing(
    db: AsyncSession, deployment: Deployment, keys: KeyRing
) -> tuple[Change, ...] | None:
    """The variables of production that are different today from those it would run with.

    None when that is not known, or when its variables do not count any more.
    """
    if not has_variables(deployment):
        return None
    if deployment.is_preview and deployment.promoted_at is None:
        # Its release for production is still to be made, with today's.
        return ()
    marks = deployment.live_variables if deployment.is_preview else deployment.variables
    if marks is None:
        return None
    today = await today_of(db, deployment.project_id, keys)
    return diff.changes_of(fingerprints.against(marks, today, deployment.project_id, keys))


async def today_of(db: AsyncSession, project_id: UUID, keys: KeyRing) -> dict[str, str]:
    """The variables of production as they are now."""
    return (await projects.environment(db, project_id, Target.production, keys))[0]
