"""From what somebody asks for to a queued deployment: a source, or the project's repository."""

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.builds import service as builds
from windlass.builds.models import Source, SourceKind
from windlass.core import ids
from windlass.core.crypto import KeyRing
from windlass.core.languages import N_
from windlass.deployments import service
from windlass.deployments.errors import NothingToDeploy
from windlass.deployments.models import Deployment
from windlass.deployments.phases import MOVING, Status
from windlass.deployments.schemas import DeploymentCreate
from windlass.projects import service as projects
from windlass.projects.models import Project
from windlass.projects.names import check_branch
from windlass.projects.schemas import EnvSet, ProjectCreate

_SUPERSEDED = N_("A newer deployment of {branch} took its place")


class First(msgspec.Struct, frozen=True, kw_only=True):
    """A project that is made together with its first deployment."""

    project: ProjectCreate
    source: Source
    variables: tuple[EnvSet, ...] = ()


async def deploy(
    db: AsyncSession,
    project: Project,
    wanted: DeploymentCreate,
    *,
    is_clean: bool,
    base_domain: str,
    by: Actor,
) -> Deployment:
    """Queue a deployment of a source, or of the project's repository (C-122)."""
    branch = check_branch(wanted.branch) if wanted.branch else None
    if wanted.source_id is not None:
        source = await builds.get(db, ids.private("src", wanted.source_id), by=by)
    elif project.repository_url is not None:
        source = await builds.request_repository(
            db,
            project.repository_url,
            branch or project.repository_branch,
            commit_sha=wanted.commit_sha and wanted.commit_sha.lower(),
            owner_id=by.id,
            is_deferred=True,
        )
    else:
        raise NothingToDeploy()
    order = service.Wanted(
        source=source,
        is_preview=not wanted.production,
        is_clean=is_clean,
        is_low=wanted.low_priority,
        branch=branch,
        commit_sha=wanted.commit_sha,
        commit_message=wanted.commit_message,
    )
    deployment = await service.create(db, project, order, base_domain=base_domain, by=by)
    if source.kind is SourceKind.git:
        await _supersede(db, project, deployment, by=by)
    return deployment


async def _supersede(db: AsyncSession, project: Project, newer: Deployment, *, by: Actor) -> None:
    """A newer commit of a branch takes the place of older ones that wait; where the project says
    so, also of one that is built."""
    ended = MOVING if project.supersede_running else (Status.queued,)
    query = select(Deployment).where(
        Deployment.project_id == project.id,
        Deployment.branch == newer.branch,
        Deployment.is_preview.is_(newer.is_preview),
        Deployment.status.in_(ended),
        Deployment.id < newer.id,
        select(Source.id)
        .where(Source.id == Deployment.source_id, Source.kind == SourceKind.git)
        .exists(),
    )
    why = _SUPERSEDED.format(branch=newer.branch)
    # Locked by the order of their ids: two pushes at once do not wait for each other.
    for older in await db.scalars(query.order_by(Deployment.id).with_for_update(of=Deployment)):
        await service.cancel(db, older, by=by, why=why, code="SUPERSEDED")


async def create_project(
    db: AsyncSession, first: First, keys: KeyRing, *, base_domain: str, by: Actor
) -> Deployment:
    """A project, its variables and its first deployment: all of it, or nothing."""
    project = await projects.create(db, first.project, base_domain=base_domain, by=by)
    for variable in first.variables:
        await projects.set_variable(db, project, variable, keys, by=by)
    order = service.Wanted(source=first.source, is_preview=False)
    return await service.create(db, project, order, base_domain=base_domain, by=by)


async def latest_source(db: AsyncSession, project: Project) -> Source | None:
    """What was deployed last and could be read: the settings show what is detected in it."""
    query = (
        select(Source)
        .join(Deployment, Deployment.source_id == Source.id)
        .where(Deployment.project_id == project.id, Source.manifest_sha256.is_not(None))
        .order_by(Deployment.created_at.desc(), Deployment.id.desc())
        .limit(1)
    )
    return await db.scalar(query)
