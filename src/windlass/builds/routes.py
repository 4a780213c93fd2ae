"""JSON and bytes: send what the server lacks, make a source of it, see the plan."""

import asyncio
import hashlib

from litestar import Response, Router, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from windlass.adapters import archive, git
from windlass.adapters.world import addresses_of
from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.builds import ignore, service, sources
from windlass.builds.deps import limits_of, planned, receive, source_of_image, store_of
from windlass.builds.errors import (
    BatchBroken,
    BlobsAbsent,
    EmptySource,
    FilesOrRepository,
    TooManyRules,
)
from windlass.builds.models import Source, SourceKind
from windlass.builds.schemas import (
    BlobQuery,
    BlobsMissing,
    BlobsStored,
    FileIn,
    LeftOut,
    Listing,
    SourceCreate,
    SourceOut,
)
from windlass.core import ids, manifest
from windlass.core.blobs import BlobStore
from windlass.core.http import DB, Envelope, Request
from windlass.core.manifest import Entry, TreeLimits

BATCH_BYTES = 32 << 20
_MANIFEST_BYTES = 32 << 20
_DIGEST_BYTES, _LENGTH_BYTES = 32, 8
_MOST_COMPARISONS = 20_000_000


@post("/blobs/missing", permission=Permission.deploy_create, rate="upload", status_code=200)
async def missing_blobs(request: Request, data: JSONBody[BlobQuery]) -> BlobsMissing:
    """Which of these contents the server does not have yet."""
    return BlobsMissing(missing=await asyncio.to_thread(store_of(request).missing, data.hashes))


@post(
    "/sources/left-out",
    permission=Permission.deploy_create,
    rate="upload",
    status_code=200,
    request_max_body_size=_MANIFEST_BYTES,
)
async def list_left_out(data: JSONBody[Listing]) -> LeftOut:
    """Which files of a folder are not part of its source, by its ignore files and in any case."""
    lines = sum(text.count("\n") + 1 for text in data.rules.values())
    if lines * len(data.paths) > _MOST_COMPARISONS:
        raise TooManyRules()
    found = await asyncio.to_thread(ignore.sift, data.paths, data.rules)
    return LeftOut(by_rules=found.by_rules, always=found.always)


@put(
    "/blobs/{sha256:str}",
    permission=Permission.deploy_create,
    rate="upload",
    status_code=201,
    request_max_body_size=None,
    raw_body="The content itself; uploads.max_file_bytes at the most.",
)
async def put_blob(request: Request, sha256: FromPath[str]) -> BlobsStored:
    """Store one content, sent as the body; its SHA-256 must be the one in the path."""
    limit = request.app.state.settings.uploads.max_file_bytes
    await store_of(request).put(sha256, request.stream(), limit)
    return BlobsStored(stored=1)


@post(
    "/blobs",
    permission=Permission.deploy_create,
    rate="upload",
    request_max_body_size=BATCH_BYTES,
    raw_body="32 bytes SHA-256, 8 bytes length (big-endian), the content; again for the next."
    " 32 MiB at the most.",
)
async def put_blobs(request: Request) -> BlobsStored:
    """Store many small contents: each a 32-byte SHA-256, an 8-byte big-endian length, the bytes."""
    body = await request.body()
    return BlobsStored(stored=await asyncio.to_thread(_store_batch, store_of(request), body))


def _store_batch(store: BlobStore, body: bytes) -> int:
    found, position, stored = memoryview(body), 0, 0
    with store.batch() as batch:
        while position < len(found):
            start = position + _DIGEST_BYTES + _LENGTH_BYTES
            digest = bytes(found[position : position + _DIGEST_BYTES])
            length = int.from_bytes(found[position + _DIGEST_BYTES : start])
            content = bytes(found[start : start + length])
            if len(content) != length or hashlib.sha256(content).digest() != digest:
                raise BatchBroken(position=position)
            batch.keep(content, executable=False)
            position, stored = start + length, stored + 1
    return stored


@post(
    "/sources",
    also=(202,),
    permission=Permission.deploy_create,
    rate="upload",
    request_max_body_size=_MANIFEST_BYTES,
)
async def create_source(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[SourceCreate]
) -> Response[SourceOut]:
    """A source from uploaded files or of the name of an image (201), or one that is fetched from a
    repository (202)."""
    if [data.files, data.repository_url, data.image].count(None) != 2:
        raise FilesOrRepository()
    if data.repository_url is not None:
        allowed = addresses_of(request.app.state.settings)
        url, branch = git.check_url(data.repository_url, allow=allowed), data.branch
        branch = git.check_branch(branch) if branch else None
        source = await service.request_repository(
            db, url, branch, owner_id=actor.id, is_deferred=False
        )
        return Envelope(SourceOut.of(source), status_code=202)
    if data.image is not None:
        kept = await source_of_image(request, db, data.image, by=actor)
        return Envelope(SourceOut.of(kept), status_code=201)
    store = store_of(request)
    found = await asyncio.to_thread(_check_upload, store, data.files or [], limits_of(request))
    source = await _keep(db, store, found, kind=SourceKind.upload, name=data.name, actor=actor)
    return Envelope(SourceOut.of(source), status_code=201)


def _check_upload(store: BlobStore, files: list[FileIn], limits: TreeLimits) -> list[Entry]:
    entries = [
        manifest.link_entry(file.path, file.target)
        if file.mode == "link"
        else Entry(file.path, file.sha256, file.size, file.mode)
        for file in files
    ]
    found = manifest.checked(entries, limits=limits)
    contents = {entry.sha256 for entry in found if entry.mode != "link"}
    if absent := store.missing(sorted(contents)):
        raise BlobsAbsent(count=len(absent), missing=absent[:10_000])
    return found


async def _keep(
    db: DB,
    store: BlobStore,
    found: list[Entry],
    *,
    kind: SourceKind,
    name: str | None,
    actor: CurrentActor,
) -> Source:
    if not found:
        raise EmptySource()
    sha256 = await asyncio.to_thread(sources.save_manifest, store, found)
    return await service.create_ready(db, found, sha256, kind=kind, name=name, by=actor)


@post(
    "/sources/archive",
    permission=Permission.deploy_create,
    rate="upload",
    request_max_body_size=None,
    raw_body="The archive; its kind is seen in its first bytes. uploads.max_bytes at the most.",
)
async def upload_archive(
    request: Request, db: DB, actor: CurrentActor, name: FromQuery[str] = "archive"
) -> SourceOut:
    """A source from a .zip or .tar file (gzip, bzip2, xz), sent as the body (C-132)."""
    store, limits = store_of(request), limits_of(request)
    draft = store.temporary()
    try:
        await receive(request.stream(), draft, limit=limits.total_bytes)
        found = await asyncio.to_thread(archive.unpack, draft, store, limits=limits)
    finally:
        draft.unlink(missing_ok=True)
    return SourceOut.of(
        await _keep(db, store, found, kind=SourceKind.archive, name=name[:200], actor=actor)
    )


@get("/sources/{source_id:str}", permission=Permission.deploy_create)
async def get_source(
    request: Request,
    db: DB,
    actor: CurrentActor,
    source_id: FromPath[str],
    rootDirectory: FromQuery[str | None] = None,
) -> SourceOut:
    """A source; once its files are there, with the plan detected for them, and with what the files
    of other hosts among them become here."""
    source = await service.get(db, ids.private("src", source_id), by=actor)
    return await planned(request, source, root_directory=rootDirectory, with_imports=True)


router = Router(
    "/api",
    route_handlers=[
        missing_blobs,
        list_left_out,
        put_blob,
        put_blobs,
        create_source,
        upload_archive,
        get_source,
    ],
    tags=["Sources"],
)
