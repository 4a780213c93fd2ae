"""From what somebody asks for to a queued deployment: a source, or the project's repository."""

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.builds import service as builds
from windlass.builds.models import Source
from windlass.core import ids
from windlass.core.crypto import KeyRing
from windlass.deployments import service
from windlass.deployments.errors import NothingToDeploy
from windlass.deployments.models import Deployment
from windlass.deployments.schemas import DeploymentCreate
from windlass.projects import service as projects
from windlass.projects.models import Project
from windlass.projects.names import check_branch
from windlass.projects.schemas import EnvSet, ProjectCreate


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
            owner_id=by.id,
            is_deferred=True,
        )
    else:
        raise NothingToDeploy()
    order = service.Wanted(
        source=source,
        is_preview=not wanted.production,
        is_clean=is_clean,
        branch=branch,
        commit_sha=wanted.commit_sha,
        commit_message=wanted.commit_message,
    )
    return await service.create(db, project, order, base_domain=base_domain, by=by)


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
