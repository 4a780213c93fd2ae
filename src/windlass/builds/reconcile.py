"""Fetch the repositories that somebody wants to look at before the first deployment."""

from sqlalchemy import and_

from windlass.adapters.world import world
from windlass.builds import pipeline, sources, uids
from windlass.builds.models import Source, SourceStatus
from windlass.core import ids, trees
from windlass.core.context import Ctx
from windlass.core.errors import AppError
from windlass.core.live import announce
from windlass.core.loop import Step, reconciles
from windlass.core.threads import blocking


@reconciles(
    Source,
    when=lambda: and_(Source.status == SourceStatus.pending, Source.is_deferred.is_(False)),
    limit=lambda _: 2,
)
async def fetch(ctx: Ctx, source: Source) -> Step:
    """Bring the files of a repository into the store, or say why not."""
    name = ids.public("src", source.id)
    work = ctx.settings.folder / "work" / name
    try:
        found = await pipeline.fetch_repository(
            ctx.settings,
            world(ctx),
            source.repository_url or "",
            source.branch,
            work=work,
            uid=uids.of_fetch(ctx.settings),
        )
        sha256 = await blocking(sources.save_manifest, world(ctx).blobs, found.manifest)
    except AppError as error:
        failed = pipeline.explain(error)
        values = {
            "status": SourceStatus.error,
            "error_code": failed.code,
            "error_message": str(failed),
        }
        return Step(values, then=lambda db: announce(db, f"source:{source.id}"))
    finally:
        await blocking(trees.remove_tree, work)
    values = {
        "status": SourceStatus.ready,
        "manifest_sha256": sha256,
        "commit_sha": found.commit_sha,
        "commit_message": found.commit_message,
        "branch": found.branch,
        "file_count": len(found.manifest),
        "size_bytes": sum(entry.size for entry in found.manifest),
    }
    return Step(values, then=lambda db: announce(db, f"source:{source.id}"))
