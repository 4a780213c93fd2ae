"""The verbs of releases: wish for a revision, go back to one, cancel, delete.

A verb writes what is wished; the loop brings it into the cluster. The release's row is held while
a wish is written, so of two deploys at once one is refused (K-041).
"""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.clusters import service as clusters
from windlass.clusters.models import Cluster
from windlass.core import clock
from windlass.core.crypto import KeyRing
from windlass.core.events import emit
from windlass.core.ids import uuid7
from windlass.core.live import announce
from windlass.releases import events, gate, sealing
from windlass.releases.errors import (
    NoEarlierRevision,
    NothingThere,
    NotMoving,
    OtherKind,
    ReleaseBusy,
    ReleaseNotFound,
    RevisionNotFound,
    WrongConfirmation,
)
from windlass.releases.gate import Checked
from windlass.releases.models import Environment, Item, Kind, Release, Revision, Why, Wishes
from windlass.releases.phases import MOVING, Status


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A revision that passed the gate."""

    manifest: str
    source: dict[str, Any]
    environment: Environment
    profile: str
    wishes: Wishes
    checked: Checked
    confirm: str | None = None
    note: str | None = None
    kind: Kind = Kind.manifests
    why: Why = Why.deploy
    of_number: int | None = None


async def get(db: AsyncSession, id: UUID, permission: Permission, *, by: Actor) -> Release:
    """The only way to a release: through the cluster that it is on."""
    release = await db.get(Release, id)
    if release is None:
        raise ReleaseNotFound()
    await clusters.get(db, release.cluster_id, permission, by=by)
    return release


async def find(db: AsyncSession, cluster: Cluster, namespace: str, name: str) -> Release | None:
    return await db.scalar(
        select(Release).where(
            Release.cluster_id == cluster.id,
            Release.namespace == namespace,
            Release.name == name,
        )
    )


async def revision(db: AsyncSession, release: Release, number: int) -> Revision:
    found = await db.scalar(
        select(Revision).where(Revision.release_id == release.id, Revision.number == number)
    )
    if found is None:
        raise RevisionNotFound(number=number)
    return found


async def ask_for(
    db: AsyncSession,
    cluster: Cluster,
    namespace: str,
    name: str,
    wish: Wish,
    keys: KeyRing,
    *,
    by: Actor,
) -> Release:
    """The next revision of the release with this name; the first one makes it."""
    first = insert(Release).values(
        id=uuid7(), cluster_id=cluster.id, namespace=namespace, name=name, created_by=by.id,
        kind=wish.kind, environment=wish.environment, status=Status.deleted, inventory=[], drift=[],
    )  # fmt: skip
    await db.execute(first.on_conflict_do_nothing())
    release = await _held(db, cluster, namespace, name)
    if release.status in MOVING:
        raise ReleaseBusy(revision=release.revision, status=said(release.status))
    if release.kind != wish.kind and release.status != Status.deleted:
        raise OtherKind(name=name, kind=release.kind.value)
    release.kind, release.environment = wish.kind, wish.environment
    release.revision += 1
    release.status, release.reason = Status.queued, None
    release.drift, release.drift_checked_at = [], None
    release.deleting_since = None
    _look_now(release)
    row = Revision(
        id=uuid7(),
        release_id=release.id,
        number=release.revision,
        kind=wish.kind,
        why=wish.why,
        of_number=wish.of_number,
        environment=wish.environment,
        note=wish.note,
        profile=wish.profile,
        findings=gate.told(wish.checked.findings),
        confirmed=wish.confirm if wish.checked.digest else None,
        workloads_count=wish.checked.workloads,
        resources_count=len(wish.checked.documents),
        wishes=msgspec.to_builtins(wish.wishes),
        results=[],
        pruned=[],
        created_by=by.id,
    )
    sealing.seal(keys, row, manifest=wish.manifest, source=wish.source)
    db.add(row)
    await db.flush()
    asked = events.Requested(
        **about(release, cluster),
        revision=row.number,
        why=wish.why.value,
        confirmed=len(wish.checked.warnings),
    )
    await emit(db, asked, by=by.id)
    await tell(db, release)
    return release


async def _held(db: AsyncSession, cluster: Cluster, namespace: str, name: str) -> Release:
    query = (
        select(Release)
        .where(
            Release.cluster_id == cluster.id,
            Release.namespace == namespace,
            Release.name == name,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await db.scalars(query)).one()


async def cancel(db: AsyncSession, release: Release, cluster: Cluster, *, by: Actor) -> None:
    """End it now, where it is. Its lease is taken away, so the loop writes nothing more; what was
    applied stays, and the next revision goes on from there."""
    row = await _held(db, cluster, release.namespace, release.name)
    if row.status not in MOVING:
        raise NotMoving()
    row.status, row.reason = Status.failed, CANCELLED
    row.lease_token = row.lease_until = row.lease_holder = None
    await db.execute(
        update(Revision)
        .where(
            Revision.release_id == row.id,
            Revision.number == row.revision,
            Revision.status.in_(MOVING),
        )
        .values(status=Status.failed, reason=CANCELLED, finished_at=func.now())
    )
    await db.flush()
    await emit(db, events.Cancelled(**about(row, cluster), revision=row.revision), by=by.id)
    await tell(db, row)


CANCELLED = "Cancelled"


async def remove(
    db: AsyncSession,
    release: Release,
    cluster: Cluster,
    *,
    confirm: str | None,
    resources: bool,
    with_data: bool,
    by: Actor,
) -> None:
    """Take it out of the cluster, in reverse order; its history stays (K-112). With `resources`
    off, the objects stay there and are nobody's from then on."""
    row = await _held(db, cluster, release.namespace, release.name)
    if confirm != row.name:
        raise WrongConfirmation(name=row.name)
    if row.status in MOVING:
        raise ReleaseBusy(revision=row.revision, status=said(row.status))
    if row.status == Status.deleted:
        raise NothingThere()
    asked = events.DeleteAsked(**about(row, cluster), resources=resources, with_data=with_data)
    await emit(db, asked, by=by.id)
    if resources:
        row.status, row.reason = Status.deleting, None
        row.with_data, row.deleting_since = with_data, clock.now()
        _look_now(row)
    else:
        row.status, row.reason, row.inventory, row.drift = Status.deleted, None, [], []
        await emit(db, events.Deleted(**about(row, cluster)), by=by.id)
    await db.flush()
    await tell(db, row)


async def before(db: AsyncSession, release: Release) -> int:
    """The newest revision before this one that was deployed whole."""
    found = await db.scalar(
        select(func.max(Revision.number)).where(
            Revision.release_id == release.id,
            Revision.number < release.revision,
            Revision.status == Status.deployed,
        )
    )
    if found is None:
        raise NoEarlierRevision()
    return found


async def note_deleted_object(
    db: AsyncSession, release: Release, cluster: Cluster, item: Item, *, by: Actor
) -> None:
    await emit(db, events.ObjectDeleted(**about(release, cluster), object=item.title), by=by.id)
    await tell(db, release)


def _look_now(release: Release) -> None:
    """The loop takes it at once, whoever looked at it last."""
    release.check_at = clock.now()
    release.loop_failures, release.loop_error = 0, None
    release.lease_token = release.lease_until = release.lease_holder = None


def said(status: Status) -> str:
    return status.value.lower().replace("_", " ")


def about(release: Release, cluster: Cluster) -> dict[str, Any]:
    """What every fact about a release says."""
    return {
        "release_id": release.id,
        "cluster_id": cluster.id,
        "user_id": cluster.owner_id,
        "team_id": cluster.team_id,
        "name": release.name,
        "namespace": release.namespace,
    }


async def tell(db: AsyncSession, release: Release) -> None:
    await announce(db, f"loop-releases:{release.id}", "loop-releases", f"release:{release.id}")
