"""What builds give to handlers: the store, uploads and their limits, a source with its plan."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from windlass.auth.models import Actor
from windlass.builds import references, service, sources
from windlass.builds.detect.hostfiles import Report
from windlass.builds.errors import SourceNotReady
from windlass.builds.models import Source, SourceKind, SourceStatus
from windlass.builds.plan import Overrides, Plan
from windlass.builds.schemas import Choice, SourceError, SourceOut
from windlass.core.blobs import BlobStore
from windlass.core.errors import AppError, TooLarge
from windlass.core.http import DB, Request
from windlass.core.manifest import TreeLimits


def store_of(request: Request) -> BlobStore:
    return request.app.state.blobs


def limits_of(request: Request) -> TreeLimits:
    uploads = request.app.state.settings.uploads
    return TreeLimits(
        files=uploads.max_files, total_bytes=uploads.max_bytes, file_bytes=uploads.max_file_bytes
    )


async def receive(chunks: AsyncIterator[bytes], path: Path, *, limit: int) -> None:
    """Write a body of unknown length to a file. Raises TooLarge beyond `limit` bytes."""
    total = 0
    with path.open("wb") as file:
        async for chunk in chunks:
            total += len(chunk)
            if total > limit:
                raise TooLarge(limitBytes=limit)
            await asyncio.to_thread(file.write, chunk)


async def planned(
    request: Request, source: Source, *, root_directory: str | None, with_imports: bool = False
) -> SourceOut:
    """The source with its plan, or with the reason why there is none; on demand with what files
    of other hosts become."""
    if source.status is not SourceStatus.ready or source.manifest_sha256 is None:
        return SourceOut.of(source)
    store, sha256 = store_of(request), source.manifest_sha256
    overrides = Overrides(root_directory=root_directory or None)
    plan: Plan | None = None
    wrong: SourceError | None = None
    try:
        plan = await asyncio.to_thread(sources.plan_of, store, sha256, overrides)
    except AppError as error:
        wrong = _explained(error)
    imports: Report | None = None
    if with_imports:
        imports = await asyncio.to_thread(sources.imports_of, store, sha256, plan, root_directory)
    return SourceOut.of(source, plan=plan, plan_error=wrong, imports=imports)


async def checked_plan(request: Request, source: Source, overrides: Overrides) -> Plan:
    """The plan that a build will follow; raises what is wrong with it."""
    if source.manifest_sha256 is None:
        raise SourceNotReady()
    return await asyncio.to_thread(
        sources.plan_of, store_of(request), source.manifest_sha256, overrides
    )


def _explained(error: AppError) -> SourceError:
    fields: Any = error.facts.get("fields") or []
    detail = "; ".join(f"{field['field']}: {field['message']}" for field in fields)
    choices = msgspec.convert(error.facts.get("choices", ()), tuple[Choice, ...])
    message = detail or error.message
    return SourceError(code=error.reason or error.code, message=message, choices=choices)


async def source_of_image(request: Request, db: DB, image: str, *, by: Actor) -> Source:
    """A source that says which image is to be run. Raises ReferenceWrong."""
    store, reference = store_of(request), references.parse(image)
    found = await asyncio.to_thread(sources.of_image, store, reference.named)
    sha256 = await asyncio.to_thread(sources.save_manifest, store, found)
    name = reference.path.rpartition("/")[2]
    return await service.create_ready(db, found, sha256, kind=SourceKind.upload, name=name, by=by)
