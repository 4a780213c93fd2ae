"""What a pull request or a branch starts and ends, and who lets a fork in."""

from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core import ids
from windlass.core.events import emit
from windlass.core.languages import N_
from windlass.core.live import announce
from windlass.deployments import retiring, starting
from windlass.deployments import service as deployments
from windlass.deployments.models import Deployment
from windlass.deployments.phases import MOVING, Status
from windlass.deployments.starting import Commit
from windlass.previews import events
from windlass.previews.errors import NothingToApprove, OtherCommit, PreviewNotFound
from windlass.previews.models import Preview
from windlass.projects.models import Project

CLOSED = N_("Its pull request was closed")
DELETED = N_("Its branch was deleted")
REMOVED = N_("Somebody removed the preview")
_MOVED_ON = N_("The pull request moved on to another commit")

# Deployments whose branch is in the list of previews for itself.
TRACKED = (
    Deployment.is_preview,
    Deployment.branch.is_not(None),
    Deployment.is_fork.is_(False),
)


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request as its Git host tells of it."""

    number: int
    title: str
    author: str
    # As it is called here: of a fork with its owner before it, `ada:fix`.
    branch: str
    # Whole, or its first letters where the host says no more.
    sha: str
    message: str | None = None
    is_fork: bool = False
    url: str | None = None
    ref: str | None = None


async def get(db: AsyncSession, project: Project, id: UUID) -> Preview:
    query = select(Preview).where(Preview.id == id, Preview.project_id == project.id)
    if (found := await db.scalar(query)) is None:
        raise PreviewNotFound()
    return found


async def pull_of(db: AsyncSession, project: Project, branch: str) -> int | None:
    """The open pull request of a branch."""
    query = (
        select(Preview.pull_number)
        .where(*_open(project, branch), Preview.pull_number.is_not(None))
        .order_by(Preview.pull_number.desc())
        .limit(1)
    )
    return await db.scalar(query)


async def newest_of(
    db: AsyncSession, project: Project, branch: str, sha: str | None
) -> Deployment | None:
    """The newest preview of a branch, where it is of this commit and can still be used: the same
    commit is not built twice because two events tell of it."""
    query = (
        select(Deployment)
        .where(
            Deployment.project_id == project.id,
            Deployment.branch == branch,
            Deployment.is_preview,
        )
        .order_by(Deployment.id.desc())
        .limit(1)
    )
    found = await db.scalar(query)
    known = found.commit_sha if found is not None else None
    if found is None or known is None or sha is None:
        return None
    if not (known.startswith(sha) or sha.startswith(known)):
        return None
    found.commit_sha = max(known, sha, key=len)
    is_there = found.status is Status.ready and found.pruned_at is None
    return found if is_there or found.status in MOVING else None


async def opened(
    db: AsyncSession, project: Project, pull: Pull, *, base_domain: str, by: Actor
) -> Deployment | None:
    """A pull request points to this commit: build it. None: it waits for approval."""
    row = await _row_of(db, project, pull)
    is_new = row.commit_sha != pull.sha
    row.title, row.author, row.is_fork = pull.title, pull.author, pull.is_fork
    row.commit_sha, row.commit_message = pull.sha, pull.message
    row.source_url, row.source_ref, row.ended_at = pull.url, pull.ref, None
    await tell(db, row)
    if row.needs_approval:
        await _end_builds(db, row, by=by)
        if is_new:
            event = events.Waiting(
                project_id=project.id,
                preview_id=row.id,
                pull_number=pull.number,
                commit=pull.sha,
            )
            await emit(db, event, by=None)
        return None
    if (found := await newest_of(db, project, row.branch, pull.sha)) is not None:
        found.pull_number = pull.number
        await db.flush()
        return found
    return await _build(db, project, row, base_domain=base_domain, by=by)


async def approve(
    db: AsyncSession,
    project: Project,
    row: Preview,
    sha: str | None,
    *,
    base_domain: str,
    by: Actor,
) -> Deployment:
    """Build the commit of a fork that somebody looked at: this one, and no later one."""
    await db.refresh(row, with_for_update=True)
    if not row.needs_approval or row.commit_sha is None:
        raise NothingToApprove()
    if sha is not None and not row.commit_sha.startswith(sha.lower()):
        raise OtherCommit(commit=row.commit_sha[:12])
    row.approved_sha, row.approved_by = row.commit_sha, by.id
    deployment = await _build(db, project, row, base_domain=base_domain, by=by)
    await tell(db, row)
    event = events.Approved(
        project_id=project.id,
        preview_id=row.id,
        deployment_id=deployment.id,
        pull_number=row.pull_number or 0,
        commit=row.commit_sha,
    )
    await emit(db, event, by=by.id)
    return deployment


async def closed(db: AsyncSession, project: Project, number: int, *, by: Actor) -> bool:
    """A pull request was merged or declined; false when nothing was left to end."""
    query = select(Preview).where(Preview.project_id == project.id, Preview.pull_number == number)
    row = await db.scalar(query.with_for_update())
    if row is None or row.ended_at is not None:
        return False
    await end(db, project, row, why=CLOSED, by=by)
    return True


async def branch_deleted(db: AsyncSession, project: Project, branch: str, *, by: Actor) -> bool:
    """Whatever there was of the branch ends; false when there was nothing."""
    rows = list(await db.scalars(select(Preview).where(*_open(project, branch)).with_for_update()))
    for row in rows:
        await end(db, project, row, why=DELETED, by=by)
    return await retiring.retire_branch(db, project, branch, why=DELETED, by=by) > 0 or bool(rows)


async def end(db: AsyncSession, project: Project, row: Preview, *, why: str, by: Actor) -> None:
    """No more of it: builds, processes, addresses. Another open pull request of the same branch
    keeps the previews."""
    row.ended_at = func.now()
    await tell(db, row)
    others = select(Preview.id).where(
        *_open(project, row.branch), Preview.id != row.id, Preview.pull_number.is_not(None)
    )
    if await db.scalar(others.limit(1)) is None:
        await _forget_bare(db, project, row)
        await retiring.retire_branch(db, project, row.branch, why=why, by=by)
    event = events.Ended(
        project_id=project.id,
        preview_id=row.id,
        branch=row.branch,
        pull_number=row.pull_number,
    )
    await emit(db, event, by=by.id)


async def track(db: AsyncSession, project: Project, deployment: Deployment) -> None:
    """A preview that something else than a pull request started: its branch is in the list."""
    branch = deployment.branch or ""
    rows = list(await db.scalars(select(Preview).where(*_open(project, branch)).with_for_update()))
    if not rows:
        # Somebody else may be doing the same.
        row = insert(Preview).values(id=ids.uuid7(), project_id=project.id, branch=branch)
        await db.execute(row.on_conflict_do_nothing())
        query = select(Preview).where(
            Preview.project_id == project.id,
            Preview.branch == branch,
            Preview.pull_number.is_(None),
        )
        rows = list(await db.scalars(query.with_for_update()))
    for row in rows:
        row.ended_at = None
        row.commit_sha, row.commit_message = deployment.commit_sha, deployment.commit_message
        await tell(db, row)


async def news_of(db: AsyncSession, deployment: Deployment) -> None:
    """Something became of a preview: the comments of its pull requests say so."""
    query = select(Preview).where(
        Preview.project_id == deployment.project_id,
        Preview.branch == deployment.branch,
        Preview.pull_number.is_not(None),
    )
    for row in await db.scalars(query.with_for_update()):
        await tell(db, row)


async def tell(db: AsyncSession, row: Preview) -> None:
    """There is something to say of it; the loop of the comments says it."""
    row.news = (row.news or 0) + 1
    row.news_at = row.check_at = func.now()
    await db.flush()
    await db.refresh(row)
    await announce(db, "loop-previews", f"project:{row.project_id}")


async def _row_of(db: AsyncSession, project: Project, pull: Pull) -> Preview:
    """Its row; that of its branch becomes it where there is one."""
    mine = Preview.pull_number == pull.number
    bare = (
        (Preview.branch == pull.branch) & Preview.pull_number.is_(None) & Preview.ended_at.is_(None)
    )
    query = (
        select(Preview)
        .where(Preview.project_id == project.id, or_(mine, bare))
        .order_by(Preview.pull_number.nulls_last())
        .limit(1)
        .with_for_update()
    )
    if (row := await db.scalar(query)) is None:
        row = Preview(project_id=project.id, branch=pull.branch)
        db.add(row)
    row.pull_number, row.branch = pull.number, pull.branch
    await db.flush()
    await _forget_bare(db, project, row)
    return row


async def _forget_bare(db: AsyncSession, project: Project, row: Preview) -> None:
    """The branch is in the list by its pull request, and need not be there for itself."""
    bare = delete(Preview).where(
        Preview.project_id == project.id,
        Preview.branch == row.branch,
        Preview.pull_number.is_(None),
        Preview.id != row.id,
    )
    await db.execute(bare)


async def _build(
    db: AsyncSession, project: Project, row: Preview, *, base_domain: str, by: Actor
) -> Deployment:
    commit = Commit(
        branch=row.branch,
        is_preview=True,
        sha=row.commit_sha,
        message=row.commit_message,
        pull_number=row.pull_number,
        is_fork=row.is_fork,
        url=row.source_url,
        ref=row.source_ref,
    )
    return await starting.deploy_commit(db, project, commit, base_domain=base_domain, by=by)


async def _end_builds(db: AsyncSession, row: Preview, *, by: Actor) -> None:
    """What was approved was another commit, and is of no use to anybody now."""
    await deployments.cancel_all(
        db,
        Deployment.project_id == row.project_id,
        Deployment.branch == row.branch,
        Deployment.is_fork.is_(True),
        by=by,
        why=_MOVED_ON,
        code="SUPERSEDED",
    )


def _open(project: Project, branch: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Preview.project_id == project.id,
        Preview.branch == branch,
        Preview.ended_at.is_(None),
    )
