"""What follows from facts about deployments: files go, previews end, old releases are pruned."""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, func, or_, select, update

from windlass.adapters.edge import EdgeAway
from windlass.adapters.world import world
from windlass.builds import caches, leftovers, sources
from windlass.builds.models import Source
from windlass.core import guard, ids, links, log, runtime_log, site, trees
from windlass.core.context import Ctx
from windlass.core.live import announce
from windlass.core.queue import every, on
from windlass.core.threads import blocking
from windlass.deployments import (
    admission,
    aliases,
    events,
    promoting,
    reclaiming,
    releasing,
    retention,
    service,
)
from windlass.deployments.models import Deployment
from windlass.deployments.phases import MOVING, Status
from windlass.projects import events as project_events
from windlass.projects.models import Project, Site


class NotYet(Exception):
    """Something else has to end first; the job is tried again."""


async def _remove_release(ctx: Ctx, name: str) -> None:
    """Stop the app, then remove the release, its log and whatever is left of its build.

    What was made of it when it was promoted goes first, because that lives on its files.
    """
    home = ctx.settings.folder
    for release in (promoting.live_name(name), name):
        await _remove_files(ctx, release)
        await asyncio.to_thread(trees.remove_tree, runtime_log.folder(home, release))
    await asyncio.to_thread(trees.remove_tree, home / "work" / name)
    releasing.mark(home, name).unlink(missing_ok=True)


async def _remove_files(ctx: Ctx, release: str) -> None:
    home = ctx.settings.folder
    if (site.folder(home, release) / "process.sealed").exists():
        await world(ctx).edge.stop(release)
        await leftovers.forget(world(ctx), home, release)
    await asyncio.to_thread(trees.remove_tree, site.folder(home, release))


@on(events.Deleted)
async def remove_deleted(ctx: Ctx, event: events.Deleted) -> None:
    """A deleted deployment leaves nothing behind; a preview's host name is free again."""
    name = ids.public("depl", event.deployment_id)
    if name in links.routes(ctx.settings.folder).values():
        raise NotYet("its host still serves it")
    await _remove_release(ctx, name)
    if event.is_preview:
        async with ctx.transaction() as db:
            await db.execute(delete(Site).where(Site.host == event.host, Site.is_preview))


@on(
    events.Failed,
    events.Cancelled,
    when=exists().where(
        Deployment.id == bindparam("deployment_id"), Deployment.started_at.is_not(None)
    ),
)
async def remove_given_up(ctx: Ctx, event: events.Failed | events.Cancelled) -> None:
    """A release that never became ready takes no room. What its app wrote stays, to read why."""
    home, name = ctx.settings.folder, ids.public("depl", event.deployment_id)
    if not site.folder(home, name).exists():
        return
    async with ctx.transaction() as db:
        found = await db.get(Deployment, event.deployment_id)
        is_over = found is not None and found.status in (Status.error, Status.cancelled)
        switching = select(Site.id).where(
            Site.project_id == event.project_id, Site.generation != Site.settled
        )
        is_switching = await db.scalar(switching.limit(1)) is not None
    if not is_over:
        return
    if (home / "work" / name).exists():
        raise NotYet("its build is being stopped")
    if is_switching or name in links.routes(home).values():
        raise NotYet("a host may still point at it")
    await _remove_files(ctx, name)


@on(events.HostFreed)
async def free_host(ctx: Ctx, event: events.HostFreed) -> None:
    """A preview that ended leaves nothing behind, unless it was promoted and is live (C-166)."""
    async with ctx.transaction() as db:
        place = await db.scalar(select(Site).where(Site.host == event.host))
        if place is not None and place.wanted_id is not None:
            # Its branch came back meanwhile.
            return
        if links.current(ctx.settings.folder, event.host) is not None:
            raise NotYet("the preview is being taken down")
        id = event.deployment_id
        found = await db.get(Deployment, id) if id is not None else None
        if found is not None and found.status in MOVING:
            raise NotYet("its build is being stopped")
        is_live = found is not None and found.is_active
    if id is not None and not is_live:
        name = ids.public("depl", id)
        if name in links.routes(ctx.settings.folder).values():
            raise NotYet("another address still serves it")
        await _remove_release(ctx, name)
    async with ctx.transaction() as db:
        unused = Site.wanted_id.is_(None) & Site.active_id.is_(None)
        gone = delete(Site).where(Site.host == event.host, Site.is_preview, unused)
        await db.execute(gone.where(Site.generation == Site.settled))
        left = await db.scalar(
            select(Site.id).where(Site.host == event.host, Site.is_preview, unused)
        )
    if left is not None:
        raise NotYet("the address is being taken down")


@on(events.Ready)
async def move_alias(ctx: Ctx, event: events.Ready) -> None:
    """The address of a branch shows its newest preview that is ready."""
    async with ctx.transaction() as db:
        await aliases.follow(db, event.deployment_id, base_domain=ctx.settings.base_domain)


@on(project_events.Deleted)
async def take_down_project(ctx: Ctx, event: project_events.Deleted) -> None:
    """Builds end, sites go, then the files, at last the rows (C-023)."""
    id = event.project_id
    async with ctx.transaction() as db:
        await db.execute(
            update(Deployment)
            .where(Deployment.project_id == id, Deployment.status.in_(MOVING))
            .values(status=Status.cancelled, finished_at=func.now(), lease_token=None)
        )
        sites = list(await db.scalars(select(Site).where(Site.project_id == id)))
        for place in sites:
            if place.wanted_id is not None:
                await service.wish(db, place, None, by=None, reason="project deleted")
        found = list(await db.scalars(select(Deployment.id).where(Deployment.project_id == id)))
        for deployment_id in found:
            await announce(db, f"loop-deployments:{deployment_id}")
    if any(place.generation != place.settled or place.wanted_id for place in sites):
        raise NotYet("its sites are being taken down")
    for deployment_id in found:
        await _remove_release(ctx, ids.public("depl", deployment_id))
    kept = ctx.settings.folder / "caches" / ids.public("proj", id)
    await asyncio.to_thread(trees.remove_tree, kept)
    await asyncio.to_thread(guard.write, ctx.settings.folder, ids.public("proj", id), None)
    async with ctx.transaction() as db:
        await db.execute(delete(Project).where(Project.id == id))


@on(events.CachesCleaned)
async def clean_caches(ctx: Ctx, event: events.CachesCleaned) -> None:
    """What was kept for the builds of a project goes, when none of them runs."""
    project = ids.public("proj", event.project_id)
    if not await blocking(caches.empty_unused, ctx.settings.folder, project, "cleaned"):
        raise NotYet("a build of the project uses them")


@on(events.Ready)
async def prune(ctx: Ctx, event: events.Ready) -> None:
    """Keep the last N releases and previews of a project, and always the live ones (C-155)."""
    await _prune(ctx, event.project_id)


@on(project_events.Changed)
async def prune_to_setting(ctx: Ctx, event: project_events.Changed) -> None:
    """Fewer are kept from now on: those beyond go at once."""
    if "keep_releases" in event.fields:
        await _prune(ctx, event.project_id)


async def _prune(ctx: Ctx, project_id: UUID) -> None:
    builds = ctx.settings.builds
    async with ctx.transaction() as db:
        own = await db.scalar(select(Project.keep_releases).where(Project.id == project_id))
    for id in await _beyond(ctx, project_id, builds.keep_releases if own is None else own):
        await _prune_one(ctx, id)
    # Also what a try before this one marked and could not remove, because the edge was away.
    for name in await _pruned(ctx, project_id):
        await _remove_release(ctx, name)
    async with ctx.transaction() as db:
        await retention.prune(db, builds, project_id)


async def _beyond(ctx: Ctx, project_id: UUID, keep: int) -> list[UUID]:
    query = (
        select(Deployment.id)
        .where(
            Deployment.project_id == project_id,
            Deployment.status == Status.ready,
            Deployment.is_preview.is_(False),
            Deployment.is_active.is_(False),
            Deployment.pruned_at.is_(None),
        )
        .order_by(Deployment.id.desc())
        # The live one counts, wherever it stands.
        .offset(max(keep - 1, 0))
    )
    async with ctx.transaction() as db:
        return list(await db.scalars(query))


async def _prune_one(ctx: Ctx, id: UUID) -> None:
    async with ctx.transaction() as db:
        used = select(Site.id).where(or_(Site.wanted_id == id, Site.active_id == id))
        if (await db.scalars(used.with_for_update())).first() is not None:
            return
        await db.execute(update(Deployment).where(Deployment.id == id).values(pruned_at=func.now()))


@every("41 * * * *")
async def prune_old_previews(ctx: Ctx) -> None:
    """Previews go by their age, too."""
    async with ctx.transaction() as db:
        for project_id in await retention.projects_with_previews(db):
            await retention.prune(db, ctx.settings.builds, project_id)


@every("*/10 * * * *")
async def reclaim(ctx: Ctx) -> None:
    """Take from the build caches what is over the budgets, or what the disk needs."""
    freed = await blocking(reclaiming.reclaim, ctx.settings.folder, ctx.settings.disk)
    if freed.projects or freed.busy:
        log.get().info("caches.reclaimed", bytes=freed.size_bytes, projects=list(freed.projects))


@every("17 * * * *")
async def collect(ctx: Ctx) -> None:
    """Remove contents that nothing refers to any more, and sources that nobody deployed."""
    async with ctx.transaction() as db:
        old = func.now() - func.make_interval(0, 0, 0, 1)
        unused = ~select(Deployment.id).where(Deployment.source_id == Source.id).exists()
        await db.execute(delete(Source).where(Source.created_at < old, unused))
        manifests = set(
            await db.scalars(
                select(Source.manifest_sha256).where(Source.manifest_sha256.is_not(None))
            )
        )
        kept = select(Deployment.manifest_sha256).where(
            Deployment.manifest_sha256.is_not(None), Deployment.pruned_at.is_(None)
        )
        manifests |= set(await db.scalars(kept))
    await leftovers.sweep(world(ctx), ctx.settings.folder)
    await _remove_pruned(ctx)
    freed = await asyncio.to_thread(_collect, ctx, [sha for sha in manifests if sha])
    log.get().info("blobs.collected", bytes=freed)


async def _remove_pruned(ctx: Ctx) -> None:
    """Files of releases that are not kept any more, where whoever removed them was killed."""
    for name in await _pruned(ctx):
        with contextlib.suppress(EdgeAway):
            await _remove_release(ctx, name)


async def _pruned(ctx: Ctx, project_id: UUID | None = None) -> list[str]:
    """Releases that are not kept any more, whose files are there and that no host serves."""
    home = ctx.settings.folder
    query = select(Deployment.id).where(Deployment.pruned_at.is_not(None))
    if project_id is not None:
        query = query.where(Deployment.project_id == project_id)
    async with ctx.transaction() as db:
        gone = {ids.public("depl", id) for id in await db.scalars(query)}
    there = {folder.name.removesuffix("-live") for folder in _children(home / "releases")}
    served = {name.removesuffix("-live") for name in links.routes(home).values()}
    return sorted(there & gone - served)


def _collect(ctx: Ctx, manifests: Iterable[str]) -> int:
    blobs = world(ctx).blobs
    keep: set[str] = set()
    for sha256 in manifests:
        keep.add(sha256)
        with contextlib.suppress(FileNotFoundError):
            keep.update(entry.sha256 for entry in sources.load_manifest(blobs, sha256))
    return blobs.collect(keep)


async def sweep(ctx: Ctx) -> None:
    """At the start: work folders of builds that are over, releases of deployments that failed,
    links and a line of the queue that are not what the rows say."""
    home = ctx.settings.folder
    async with ctx.transaction() as db:
        await admission.look_again(db)
        known = {
            ids.public("depl", row.id): row.status
            for row in await db.execute(select(Deployment.id, Deployment.status))
        }
        for place in await db.scalars(select(Site).where(Site.active_id.is_not(None))):
            serves = links.current(home, place.host)
            active = place.active_id or place.wanted_id
            names = promoting.names(active, is_production=not place.is_preview) if active else ()
            if place.wanted_id and serves not in names:
                log.get().warning("sites.mended", host=place.host, served=serves)
                await service.wish(
                    db,
                    place,
                    place.wanted_id,
                    by=None,
                    reason="mended",
                    with_today=place.wanted_today,
                )
    await _guard(ctx)
    await asyncio.to_thread(world(ctx).blobs.sweep)
    await leftovers.sweep(world(ctx), home, is_start=True)
    for folder in _children(home / "work"):
        if known.get(folder.name) not in MOVING:
            await asyncio.to_thread(trees.remove_tree, folder)
    await _remove_pruned(ctx)
    served = set(links.routes(home).values())
    for folder in _children(home / "releases"):
        # A finished release without a row is kept: perhaps this is the wrong database.
        is_left_over = known.get(folder.name) in (Status.error, Status.cancelled)
        is_unfinished = folder.name not in known and not (folder / "site.json").exists()
        if folder.name not in served and (is_left_over or is_unfinished):
            with contextlib.suppress(EdgeAway):
                await _remove_release(ctx, folder.name)


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


@every("41 */6 * * *")
async def forget_old_output(ctx: Ctx) -> None:
    """What apps wrote longer ago than it is kept goes; the edge begins a new file where it must."""
    oldest = time.time() - ctx.settings.logs.days * 86_400
    await asyncio.to_thread(_forget_before, ctx.settings.folder / "logs" / "apps", oldest)


def _forget_before(where: Path, oldest: float) -> None:
    for path in where.glob("*/*.log"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()


async def _guard(ctx: Ctx) -> None:
    """The passwords of previews are what the rows say, also after a backup was brought back."""
    async with ctx.transaction() as db:
        query = select(Project.id, Project.preview_password_hash).where(
            Project.preview_password_hash.is_not(None), Project.deleted_at.is_(None)
        )
        known = {ids.public("proj", id): hash or "" for id, hash in await db.execute(query)}
    home = ctx.settings.folder
    for name, hash in known.items():
        await asyncio.to_thread(guard.write, home, name, guard.of(hash))
    for path in _children(home / "guards"):
        if path.name.removesuffix(".json") not in known:
            path.unlink(missing_ok=True)
