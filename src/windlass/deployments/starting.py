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

# Beside a project. Of one application of several in a repository: globs of what concerns it, as the
# plan of the live deployment says; nothing when everything does.
WATCHED_PATHS = (
    select(Deployment.plan["watchPaths"])
    .where(Deployment.project_id == Project.id, Deployment.is_active)
    .limit(1)
    .correlate(Project)
    .scalar_subquery()
)


class First(msgspec.Struct, frozen=True, kw_only=True):
    """A project that is made together with its first deployment."""

    project: ProjectCreate
    source: Source
    variables: tuple[EnvSet, ...] = ()


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """What of a repository is deployed. Without a hash: the newest commit of the branch."""

    branch: str
    is_preview: bool
    sha: str | None = None
    message: str | None = None
    is_clean: bool = False
    is_low: bool = False
    pull_number: int | None = None
    is_fork: bool = False
    # Where it is, when that is not the branch of the project's own repository.
    url: str | None = None
    ref: str | None = None


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
    if wanted.source_id is None:
        commit = Commit(
            branch=branch or project.repository_branch,
            is_preview=not wanted.production,
            sha=wanted.commit_sha,
            message=wanted.commit_message,
            is_clean=is_clean,
            is_low=wanted.low_priority,
        )
        return await deploy_commit(db, project, commit, base_domain=base_domain, by=by)
    source = await builds.get(db, ids.private("src", wanted.source_id), by=by)
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
        await supersede(db, project, deployment, by=by)
    return deployment


async def deploy_commit(
    db: AsyncSession, project: Project, commit: Commit, *, base_domain: str, by: Actor
) -> Deployment:
    """Queue a deployment of exactly this; older ones of its branch make room."""
    if (url := commit.url or project.repository_url) is None:
        raise NothingToDeploy()
    source = await builds.request_repository(
        db,
        url,
        commit.branch,
        commit_sha=commit.sha and commit.sha.lower(),
        ref=commit.ref,
        owner_id=by.id,
        is_deferred=True,
    )
    order = service.Wanted(
        source=source,
        is_preview=commit.is_preview,
        is_clean=commit.is_clean,
        is_low=commit.is_low,
        branch=commit.branch,
        commit_sha=commit.sha,
        commit_message=commit.message,
        pull_number=commit.pull_number,
        is_fork=commit.is_fork,
    )
    deployment = await service.create(db, project, order, base_domain=base_domain, by=by)
    await supersede(db, project, deployment, by=by)
    return deployment


async def supersede(db: AsyncSession, project: Project, newer: Deployment, *, by: Actor) -> None:
    """A newer commit of a branch takes the place of older ones that wait; of a pull request, and
    where the project says so, also of one that is built (C-165)."""
    is_all = project.supersede_running or newer.pull_number is not None
    ended = MOVING if is_all else (Status.queued,)
    await service.cancel_all(
        db,
        Deployment.project_id == project.id,
        Deployment.branch == newer.branch,
        Deployment.is_preview.is_(newer.is_preview),
        Deployment.status.in_(ended),
        Deployment.id < newer.id,
        select(Source.id)
        .where(Source.id == Deployment.source_id, Source.kind == SourceKind.git)
        .exists(),
        by=by,
        why=_SUPERSEDED.format(branch=newer.branch),
        code="SUPERSEDED",
    )


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
