"""`git push windlass main`: Git's smart HTTP protocol, the half that takes."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from windlass.adapters import git_protocol, git_receive
from windlass.adapters.git_protocol import FLUSH, PushBroken
from windlass.adapters.git_protocol import Request as Wanted
from windlass.adapters.git_receive import Kept
from windlass.auth.deps import CurrentActor
from windlass.auth.front import GIT
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.builds.deps import limits_of, receive, store_of
from windlass.core.errors import AppError, Forbidden, TooLarge
from windlass.core.http import DB, Request
from windlass.core.manifest import size_text
from windlass.core.settings import Settings
from windlass.previews import service as previews
from windlass.projects import service as projects
from windlass.webhooks import pushing
from windlass.webhooks.pushing import Watching

_TYPE = "application/x-git-receive-pack"
_PIECE_BYTES = 64 << 10
_HEADERS = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}


# How much more than may be pushed is read for the sake of a clear answer.
_HEARD_TIMES = 2


class PushTooLarge(TooLarge):
    """The push is larger than {limit}. Keep large files out of the repository, or raise
    WINDLASS_UPLOADS__MAX_BYTES."""


class NothingToFetch(Forbidden):
    """Windlass takes commits in and gives none out: push to it, fetch from your Git host."""


@get(
    GIT + "{repository:str}/info/refs",
    permission=Permission.deploy_create,
    include_in_schema=False,
)
async def advertise(
    request: Request,
    db: DB,
    actor: CurrentActor,
    repository: FromPath[str],
    service: FromQuery[str] = "git-receive-pack",
) -> Response[Any]:
    """Which commits are here already."""
    project = await projects.get_by_slug(
        db, repository.removesuffix(".git"), Permission.deploy_create, by=actor
    )
    if service != "git-receive-pack":
        raise NothingToFetch()
    kept = pushing.kept_of(request.app.state.settings, project)
    tips = await asyncio.to_thread(kept.tips)
    return Response(
        git_protocol.advertisement(tips), media_type=f"{_TYPE}-advertisement", headers=_HEADERS
    )


@post(
    GIT + "{repository:str}/git-receive-pack",
    permission=Permission.deploy_create,
    rate="deploy",
    status_code=200,
    request_max_body_size=None,
    include_in_schema=False,
)
async def take(
    request: Request, db: DB, actor: CurrentActor, repository: FromPath[str]
) -> Response[Any]:
    """Deploy what is pushed; Git shows the log of the build while it waits for the report."""
    slug = repository.removesuffix(".git")
    project = await projects.get_by_slug(db, slug, Permission.deploy_create, by=actor)
    kept, id = pushing.kept_of(request.app.state.settings, project), project.id
    # Nothing is held in the database while somebody sends.
    await db.rollback()
    draft = store_of(request).temporary()
    try:
        too_large = await _received(request, draft)
        with draft.open("rb") as file:
            wanted = await asyncio.to_thread(git_protocol.read, file)
        if not wanted.commands:
            # Git asks with an empty request first whether it may send a large one.
            return _answer(FLUSH)
        try:
            if too_large is not None:
                raise too_large
            return await _deploy(request, db, id, kept, draft, wanted, by=actor)
        except AppError as error:
            await db.rollback()
            failed = {command.ref: error.message for command in wanted.commands}
            report = git_protocol.report(failed, unpacked="failed", banded=True)
            return _answer(git_protocol.progress(f"{error.message}\n") + report)
    finally:
        draft.unlink(missing_ok=True)


async def _received(request: Request, draft: Path) -> PushTooLarge | None:
    """Write the body to the draft. Of one that is too large the beginning is kept and the rest
    heard out: Git shows the reason only of an answer to a whole request."""
    limit = limits_of(request).total_bytes
    chunks = _unpressed(request)
    try:
        await receive(chunks, draft, limit=limit)
    except TooLarge:
        heard = 0
        async for chunk in chunks:
            if (heard := heard + len(chunk)) > _HEARD_TIMES * limit:
                raise
        return PushTooLarge(limit=size_text(limit))
    return None


async def _unpressed(request: Request) -> AsyncIterator[bytes]:
    """The body; JGit presses a small one, as HTTP allows and Git's own server takes."""
    if request.headers.get("content-encoding") not in ("gzip", "x-gzip"):
        async for chunk in request.stream():
            yield chunk
        return
    inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        async for chunk in request.stream():
            while chunk:
                yield inflate.decompress(chunk, _PIECE_BYTES)
                chunk = inflate.unconsumed_tail
        yield inflate.flush()
    except zlib.error as error:
        raise PushBroken(detail="it is not gzip") from error
    if not inflate.eof:
        raise PushBroken(detail="it was cut off")


async def _deploy(
    request: Request, db: DB, id: UUID, kept: Kept, draft: Path, wanted: Wanted, *, by: Actor
) -> Response[Any]:
    state, store = request.app.state, store_of(request)
    settings: Settings = state.settings
    asked = pushing.sorted_out(wanted.commands, wanted.options)
    found = await git_receive.receive(
        kept,
        draft,
        wanted.offset,
        asked.commits,
        store,
        # Beside the draft: when this process dies, the sweep of the store finds both.
        work=draft.with_name(f"{draft.name}-work"),
        limits=limits_of(request),
    )
    project = await projects.get(db, id, Permission.deploy_create, by=by)
    started: dict[str, tuple[UUID, str]] = {}
    for branch, one in found.items():
        made = await pushing.deploy(
            db, project, one, wanted.options, store=store, base_domain=settings.base_domain, by=by
        )
        started[branch] = made.id, one.commit_sha
    if asked.removed:
        project = await projects.get(db, id, Permission.deploy_cancel, by=by)
    for ref in asked.removed:
        await previews.branch_deleted(db, project, ref.removeprefix("refs/heads/"), by=by)
        await asyncio.to_thread(kept.move, ref, None)
    watching = Watching(database=state.database, settings=settings, live=state.live, by=by)
    news = watching.told(kept, started, asked.results)
    return Stream(news, media_type=f"{_TYPE}-result", headers=_HEADERS, status_code=200)


def _answer(body: bytes) -> Response[bytes]:
    return Response(body, media_type=f"{_TYPE}-result", headers=_HEADERS, status_code=200)


ROUTES = [advertise, take]
