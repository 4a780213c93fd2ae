"""The verbs of deployments: queue, cancel, make live, delete. What follows is done by loops."""

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import service as accounts
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission, Role
from windlass.builds.models import Source, SourceKind, SourceStatus
from windlass.builds.plan import Overrides
from windlass.core import ids
from windlass.core.db import Database
from windlass.core.events import emit
from windlass.core.languages import N_
from windlass.core.live import announce
from windlass.deployments import events
from windlass.deployments.errors import (
    CannotActivate,
    DeploymentNotFound,
    NotRunning,
    OwnerSuspended,
    SourceFailed,
    StillRunning,
)
from windlass.deployments.models import Deployment
from windlass.deployments.phases import MOVING, PRIORITIES, SECONDS_PER_LEVEL, Status
from windlass.projects import service as projects
from windlass.projects.models import Project, Site
from windlass.projects.names import preview_host_label

NEXT_GENERATION = func.nextval("site_generations")
_SUSPENDED = N_("The account that started it or owns the project was suspended")
_OVERRIDES = tuple(field.name for field in msgspec.structs.fields(Overrides))


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a new deployment is of."""

    source: Source
    is_preview: bool
    is_clean: bool = False
    is_low: bool = False
    branch: str | None = None
    commit_sha: str | None = None
    commit_message: str | None = None
    pull_number: int | None = None
    is_fork: bool = False


async def create(
    db: AsyncSession, project: Project, wanted: Wanted, *, base_domain: str, by: Actor
) -> Deployment:
    """Queue a deployment and answer at once (C-122); a preview gets its own host name (C-164)."""
    source = wanted.source
    if source.status is SourceStatus.error:
        raise SourceFailed(reason=source.error_message)
    id = ids.uuid7()
    slug = preview_host_label(project.slug, ids.short(id)) if wanted.is_preview else project.slug
    priority = PRIORITIES[
        "low" if wanted.is_low else "preview" if wanted.is_preview else "production"
    ]
    deployment = Deployment(
        id=id,
        project_id=project.id,
        owner_id=project.owner_id,
        source_id=source.id,
        is_preview=wanted.is_preview,
        is_clean=wanted.is_clean,
        turn_at=func.now() + dt.timedelta(seconds=priority * SECONDS_PER_LEVEL),
        branch=wanted.branch or source.branch,
        commit_sha=wanted.commit_sha or source.commit_sha,
        commit_message=wanted.commit_message or source.commit_message,
        pull_number=wanted.pull_number,
        is_fork=wanted.is_fork,
        site_slug=slug,
        host=f"{slug}.{base_domain}",
        settings={name: _said(project, name) for name in _OVERRIDES},
        created_by=by.id,
    )
    if wanted.is_preview:
        await projects.claim_host(db, project, deployment.host, is_preview=True)
    db.add(deployment)
    await db.flush()
    # The new row holds the account: a suspension is seen here, or sees the deployment and ends it.
    if await accounts.is_suspended(db, project.owner_id):
        raise OwnerSuspended()
    await emit(db, events.Queued(deployment_id=id, project_id=project.id), by=by.id)
    await announce(db, "loop-deployments", f"deployment:{id}", f"project:{project.id}")
    return deployment


def _said(project: Project, name: str) -> object:
    """A setting of the project; a switch that is off says nothing, an empty command says none."""
    value: object = getattr(project, name, None)
    return None if value is False or value == [] else value


async def get(db: AsyncSession, id: UUID, permission: Permission, *, by: Actor) -> Deployment:
    """The only way to an existing deployment: what is not visible does not exist."""
    query = (
        select(Deployment, func.role_on_project(by.id, Deployment.project_id))
        .join(Project, Project.id == Deployment.project_id)
        .where(Deployment.id == id, Project.deleted_at.is_(None), projects.visible_to(by))
    )
    if (row := (await db.execute(query)).one_or_none()) is None:
        raise DeploymentNotFound()
    deployment, role = row
    by.require(permission, on=Role(role))
    return deployment


async def cancel(
    db: AsyncSession,
    deployment: Deployment,
    *,
    by: Actor,
    why: str = "Cancelled",
    code: str = "CANCELLED",
) -> None:
    """End it now. Its lease is taken away, so the build is killed and writes nothing (C-124)."""
    if not await cancel_all(db, Deployment.id == deployment.id, by=by, why=why, code=code):
        raise NotRunning(status=deployment.status.value.lower())


async def cancel_all(
    db: AsyncSession, *which: ColumnElement[bool], by: Actor, why: str, code: str = "CANCELLED"
) -> int:
    """End those of them that move; how many did. Locked by the order of their ids, so that two who
    end the same do not wait for each other."""
    moving = select(Deployment.id).where(*which, Deployment.status.in_(MOVING))
    query = (
        update(Deployment)
        .where(Deployment.id.in_(moving.order_by(Deployment.id).with_for_update(of=Deployment)))
        .values(
            status=Status.cancelled,
            finished_at=func.now(),
            lease_token=None,
            lease_until=None,
            error_code=code,
            error_message=why,
            build_time_seconds=func.extract("epoch", func.now() - Deployment.started_at),
        )
        .returning(Deployment.id, Deployment.project_id, Deployment.started_at)
    )
    found = (await db.execute(query)).all()
    for row in found:
        # One that was not begun waits for no host.
        if row.started_at is not None:
            await withdraw_wish(db, row.id)
        event = events.Cancelled(deployment_id=row.id, project_id=row.project_id)
        await emit(db, event, by=by.id)
        loop = ("loop-deployments", f"loop-deployments:{row.id}")
        await announce(db, *loop, f"deployment:{row.id}", f"project:{row.project_id}")
    return len(found)


async def stop_all_of(db: AsyncSession, user_id: UUID, *, by: Actor) -> int:
    """End what moves and somebody who was suspended started or owns; returns how many."""
    theirs = or_(Deployment.owner_id == user_id, Deployment.created_by == user_id)
    return await cancel_all(db, theirs, by=by, why=_SUSPENDED)


async def withdraw_wish(db: AsyncSession, id: UUID) -> None:
    """Whatever host was waiting for this deployment goes back to what it serves, at once: whoever
    waits there for its app to answer is interrupted."""
    query = (
        update(Site)
        .where(Site.wanted_id == id, Site.active_id.is_distinct_from(id))
        .values(
            wanted_id=Site.active_id,
            wanted_today=False,
            generation=NEXT_GENERATION,
            check_at=func.now(),
            lease_token=None,
            lease_until=None,
        )
        .returning(Site.id)
    )
    for site_id in (await db.execute(query)).scalars():
        await announce(db, "loop-sites", f"loop-sites:{site_id}")


async def why_not_active(db: AsyncSession, deployment: Deployment) -> str | None:
    """Why this deployment cannot be made live, or None when it can (C-161, C-162)."""
    if deployment.status is not Status.ready:
        return N_("It is not ready ({status})").format(status=deployment.status.value.lower())
    if deployment.is_active:
        return N_("It is already live")
    if deployment.is_fork:
        return N_("It comes from a fork. Merge its pull request, then deploy the branch")
    if deployment.pruned_at is not None:
        return N_("Its files were removed by the retention rule")
    return None


async def is_going_live(db: AsyncSession, deployment: Deployment) -> bool:
    """Whether the project's own address is being switched to it just now."""
    query = select(Site.id).where(
        Site.wanted_id == deployment.id,
        Site.is_preview.is_(False),
        Site.active_id.is_distinct_from(deployment.id),
    )
    return await db.scalar(query) is not None


async def why_not(db: AsyncSession, deployment: Deployment) -> dict[str, str]:
    """Why something cannot be done with this deployment now; what is missing can be done."""
    reasons: dict[str, str] = {}
    is_moving = deployment.status in MOVING
    problem = await why_not_active(db, deployment)
    if problem is None and await is_going_live(db, deployment):
        problem = N_("It is going live just now")
    if problem is not None:
        reasons |= {"promote": problem, "rollback": problem}
    if is_moving:
        reasons |= {"redeploy": N_("It is still running"), "delete": N_("It is still running")}
    else:
        reasons["cancel"] = N_("It has ended")
        if await accounts.is_suspended(db, deployment.owner_id):
            reasons["redeploy"] = N_("The account that owns the project is suspended")
    if deployment.is_active:
        reasons["delete"] = N_("It is live")
    return reasons


async def make_live(
    db: AsyncSession,
    deployment: Deployment,
    *,
    reason: str | None,
    with_today: bool = False,
    by: Actor,
) -> None:
    """Ask for this release on the project's production host: promotion and rollback (C-160).

    Nothing is rebuilt or copied. The loop points the host at the release, looks through the edge
    whether it answers, and only then says that it is live (D-52).
    """
    if (problem := await why_not_active(db, deployment)) is not None:
        raise CannotActivate(reason=problem)
    site = await production_site(db, deployment.project_id)
    previous = await db.get(Deployment, site.active_id) if site.active_id else None
    await wish(db, site, deployment.id, by=by.id, reason=reason, with_today=with_today)
    event = events.SwitchAsked(
        deployment_id=deployment.id,
        project_id=deployment.project_id,
        previous_id=site.active_id,
        commit=deployment.commit_sha,
        previous_commit=previous.commit_sha if previous else None,
        reason=reason,
        with_today=with_today,
    )
    await emit(db, event, by=by.id)


async def wish(
    db: AsyncSession,
    site: Site,
    deployment_id: UUID | None,
    *,
    by: UUID | None,
    reason: str | None,
    with_today: bool = False,
) -> None:
    """A host shall serve this release (None: nothing), with the variables of its own time or with
    today's. Larger generations win.

    A deployment that was waiting for this host is ready, but not live: it came second.
    """
    await db.execute(
        update(Deployment)
        .where(
            Deployment.id == site.wanted_id,
            Deployment.id != deployment_id,
            Deployment.status == Status.deploying,
        )
        .values(status=Status.ready, finished_at=func.now(), lease_token=None, lease_until=None)
    )
    await db.execute(
        update(Site)
        .where(Site.id == site.id)
        .values(
            wanted_id=deployment_id,
            generation=NEXT_GENERATION,
            wanted_by=by,
            wanted_reason=reason,
            wanted_today=with_today,
            wanted_at=func.now(),
            error=None,
            check_at=func.now(),
            # Whoever works on the older wish is interrupted.
            lease_token=None,
            lease_until=None,
        )
    )
    await announce(db, f"loop-sites:{site.id}", "loop-sites")


async def production_site(db: AsyncSession, project_id: UUID) -> Site:
    query = select(Site).where(Site.project_id == project_id, Site.is_preview.is_(False))
    return (await db.scalars(query.with_for_update())).one()


async def ready_before(db: AsyncSession, deployment: Deployment) -> Deployment | None:
    """The newest ready deployment of the same project made before this one."""
    query = (
        select(Deployment)
        .where(
            Deployment.project_id == deployment.project_id,
            Deployment.status == Status.ready,
            Deployment.id < deployment.id,
        )
        .order_by(Deployment.id.desc())
        .limit(1)
    )
    return await db.scalar(query)


async def trigger(
    db: AsyncSession, deployment: Deployment, *, is_clean: bool, base_domain: str, by: Actor
) -> Deployment:
    """The same source again, as a new deployment (C-125, E-03)."""
    if deployment.status in MOVING:
        raise StillRunning()
    project = await projects.get(db, deployment.project_id, Permission.deploy_create, by=by)
    source = await db.get_one(Source, deployment.source_id)
    if source.status is not SourceStatus.ready and source.kind is SourceKind.git:
        source = await again(db, source, deployment.commit_sha, by=by)
    wanted = Wanted(
        source=source,
        is_preview=deployment.is_preview,
        is_clean=is_clean,
        branch=deployment.branch,
        commit_sha=deployment.commit_sha,
        commit_message=deployment.commit_message,
        pull_number=deployment.pull_number,
        is_fork=deployment.is_fork,
    )
    return await create(db, project, wanted, base_domain=base_domain, by=by)


async def again(db: AsyncSession, source: Source, commit_sha: str | None, *, by: Actor) -> Source:
    """The same commit of the same repository once more, to be fetched by the build."""
    fresh = Source(
        id=ids.uuid7(),
        owner_id=by.id,
        kind=source.kind,
        status=SourceStatus.pending,
        repository_url=source.repository_url,
        branch=source.branch,
        commit_sha=commit_sha or source.commit_sha,
        ref=source.ref,
        is_deferred=True,
    )
    db.add(fresh)
    await db.flush()
    return fresh


async def change_note(
    db: AsyncSession, deployment: Deployment, note: str | None, *, by: Actor
) -> None:
    deployment.note = note
    await db.flush()
    await announce(db, f"deployment:{deployment.id}")


_LOG = """
select seq, level, step, message, created_at as timestamp from deployment_logs
where deployment_id = $1 and seq > $2 and ($3::text is null or level = $3) order by seq limit $4
"""


_LAST = """
select * from (
  select seq, level, step, message, created_at as timestamp from deployment_logs
  where deployment_id = $1 order by seq desc limit $2
) as newest order by seq
"""


async def last_lines(database: Database, id: UUID, *, limit: int) -> list[Any]:
    """The end of the log, oldest line first."""
    return await database.fetch(_LAST, id, limit)


async def log_lines(
    database: Database, id: UUID, *, after: int, limit: int, level: str | None = None
) -> list[Any]:
    """The lines after a sequence number, in order (C-126)."""
    return await database.fetch(_LOG, id, after, level, limit)
