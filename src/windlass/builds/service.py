"""The verbs of sources: take an upload, ask for a repository, look at one."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.builds.errors import SourceNotFound
from windlass.builds.models import Source, SourceKind, SourceStatus
from windlass.core import ids
from windlass.core.live import announce
from windlass.core.manifest import Manifest


async def create_ready(
    db: AsyncSession,
    manifest: Manifest,
    manifest_sha256: str,
    *,
    kind: SourceKind,
    name: str | None,
    by: Actor,
    branch: str | None = None,
    commit_sha: str | None = None,
    commit_message: str | None = None,
) -> Source:
    """A source whose files are all in the store; what was pushed has a commit."""
    source = Source(
        owner_id=by.id,
        kind=kind,
        status=SourceStatus.ready,
        name=name,
        branch=branch,
        commit_sha=commit_sha,
        commit_message=commit_message,
        manifest_sha256=manifest_sha256,
        file_count=len(manifest),
        size_bytes=sum(entry.size for entry in manifest),
    )
    return await _add(db, source)


async def request_repository(
    db: AsyncSession,
    url: str,
    branch: str | None,
    *,
    commit_sha: str | None = None,
    ref: str | None = None,
    owner_id: UUID,
    is_deferred: bool,
) -> Source:
    """A source that is fetched by a worker, now or (deferred) by the build that needs it: the
    newest commit of the branch, or the one that is named."""
    source = Source(
        owner_id=owner_id,
        kind=SourceKind.git,
        status=SourceStatus.pending,
        repository_url=url,
        branch=branch,
        commit_sha=commit_sha,
        ref=ref,
        is_deferred=is_deferred,
    )
    source = await _add(db, source)
    await announce(db, "loop-sources")
    return source


async def _add(db: AsyncSession, source: Source) -> Source:
    source.id = ids.uuid7()
    db.add(source)
    await db.flush()
    return source


async def get(db: AsyncSession, id: UUID, *, by: Actor) -> Source:
    query = select(Source).where(Source.id == id, Source.owner_id == by.id)
    if (source := await db.scalar(query)) is None:
        raise SourceNotFound()
    return source
