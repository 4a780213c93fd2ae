"""Reading releases: those on the caller's clusters, the newest first (K-110)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.clusters import service as clusters
from windlass.clusters.models import Cluster
from windlass.core import ids
from windlass.core.errors import invalid
from windlass.core.languages import gettext
from windlass.core.paging import LIMIT, newest
from windlass.core.schemas import Page
from windlass.releases.drifting import Drift
from windlass.releases.errors import RevisionNotFound
from windlass.releases.gate import FindingOf
from windlass.releases.models import Item, Release, Result, Revision
from windlass.releases.phases import MOVING, Status
from windlass.releases.schemas import (
    ChangeOut,
    DriftOut,
    ReleaseDetail,
    ReleaseOut,
    ResultOut,
    RevisionDetail,
    RevisionOut,
)


class Query(msgspec.Struct, frozen=True, kw_only=True):
    limit: int = LIMIT
    cursor: str | None = None
    cluster_id: UUID | None = None
    namespace: str | None = None
    environment: str | None = None
    status: str | None = None


async def page(db: AsyncSession, query: Query, *, by: Actor) -> Page[ReleaseOut]:
    """Deleted ones only where they are asked for."""
    found = (
        select(Release)
        .join(Cluster, Cluster.id == Release.cluster_id)
        .where(clusters.visible_to(by))
    )
    if query.cluster_id is not None:
        found = found.where(Release.cluster_id == query.cluster_id)
    if query.namespace is not None:
        found = found.where(Release.namespace == query.namespace)
    if query.environment is not None:
        found = found.where(Release.environment == query.environment)
    found = found.where(
        Release.status.in_(_statuses(query.status))
        if query.status
        else Release.status != Status.deleted
    )
    picked, after = await newest(db, found, Release.id, limit=query.limit, cursor=query.cursor)
    rows = (await db.execute(_shown().where(Release.id.in_([row.id for row in picked])))).all()
    rows = sorted(rows, key=lambda row: row[0].id, reverse=True)
    return Page([_out(row) for row in rows], after)


def _statuses(text: str) -> list[Status]:
    try:
        return [Status(word.strip().upper()) for word in text.split(",") if word.strip()]
    except ValueError as error:
        known = ", ".join(one.value.lower() for one in Status)
        said = gettext("Use one or several of: {known}").format(known=known)
        raise invalid("status", said) from error


def _shown() -> Select[Release, str, int, int]:
    newest_of = and_(Revision.release_id == Release.id, Revision.number == Release.revision)
    return (
        select(Release, Cluster.name, Revision.workloads_count, Revision.resources_count)
        .join(Cluster, Cluster.id == Release.cluster_id)
        .outerjoin(Revision, newest_of)
    )


def _out(row: Row[Release, str, int, int]) -> ReleaseOut:
    return ReleaseOut(**_fields(row))


def _fields(row: Row[Release, str, int, int]) -> dict[str, Any]:
    release, cluster, workloads, resources = row
    return {
        "id": ids.public("rel", release.id),
        "cluster_id": ids.public("cls", release.cluster_id),
        "cluster": cluster,
        "name": release.name,
        "namespace": release.namespace,
        "kind": release.kind.value,
        "environment": release.environment.value,
        "status": release.status.value,
        "reason": release.reason,
        "revision": release.revision,
        "deployed_revision": release.deployed_revision,
        "workloads_count": workloads or 0,
        "resources_count": resources or 0,
        "has_drift": bool(release.drift),
        "drift_checked_at": release.drift_checked_at,
        "created_at": release.created_at,
        "updated_at": release.updated_at,
    }


async def one(db: AsyncSession, release: Release) -> ReleaseDetail:
    """A release with its newest revision, whole."""
    await db.flush()
    row = (
        await db.execute(
            _shown().where(Release.id == release.id).execution_options(populate_existing=True)
        )
    ).one()
    newest_of = await db.scalar(
        select(Revision).where(
            Revision.release_id == release.id, Revision.number == row[0].revision
        )
    )
    return ReleaseDetail(
        **_fields(row),
        newest=detail(newest_of) if newest_of is not None else None,
        drift=[_drift(one) for one in msgspec.convert(row[0].drift, list[Drift])],
        actions=_actions(row[0]),
    )


def _actions(release: Release) -> list[str]:
    """What can be done next (E-28)."""
    if release.status in MOVING:
        return ["view", "resources", "cancel"]
    if release.status is Status.deleted:
        return ["view", "redeploy"]
    return ["view", "resources", "redeploy", "edit", "rollback", "delete"]


def _drift(found: Drift) -> DriftOut:
    return DriftOut(
        **msgspec.structs.asdict(found.item),
        is_missing=found.is_missing,
        message=found.message,
        changes=[ChangeOut(**change) for change in found.changes],
    )


async def revisions(
    db: AsyncSession, release: Release, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[RevisionOut]:
    query = select(Revision).where(Revision.release_id == release.id)
    rows, after = await newest(db, query, Revision.id, limit=limit, cursor=cursor)
    return Page([_revision(row) for row in rows], after)


async def number_or_newest(db: AsyncSession, release: Release, number: int | None) -> Revision:
    wanted = release.revision if number is None else number
    found = await db.scalar(
        select(Revision).where(Revision.release_id == release.id, Revision.number == wanted)
    )
    if found is None:
        raise RevisionNotFound(number=wanted)
    return found


def _revision(row: Revision) -> RevisionOut:
    return RevisionOut(**_of_revision(row))


def detail(row: Revision) -> RevisionDetail:
    return RevisionDetail(
        **_of_revision(row),
        findings=msgspec.convert(row.findings, list[FindingOf]),
        results=_results(row.results),
        pruned=_results(row.pruned),
    )


def _results(found: Sequence[Any]) -> list[ResultOut]:
    return [
        ResultOut(
            **msgspec.structs.asdict(one.item),
            stage=one.stage,
            outcome=one.outcome.value,
            message=one.message,
            hint=one.hint,
            warnings=one.warnings,
            state=one.state,
            state_message=one.state_message,
        )
        for one in msgspec.convert(found, list[Result])
    ]


def _of_revision(row: Revision) -> dict[str, Any]:
    found = msgspec.convert(row.findings, list[FindingOf])
    counted = [one.severity for one in found if one.skipped is None]
    return {
        "number": row.number,
        "kind": row.kind.value,
        "why": row.why.value,
        "of": row.of_number,
        "environment": row.environment.value,
        "status": row.status.value,
        "reason": row.reason,
        "note": row.note,
        "profile": row.profile,
        "workloads_count": row.workloads_count,
        "resources_count": row.resources_count,
        "errors_count": counted.count("error"),
        "warnings_count": counted.count("warning"),
        "suppressed_count": len(found) - len(counted),
        "created_by": ids.public("user", row.created_by) if row.created_by else None,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
    }


def items_of(release: Release) -> list[Item]:
    return msgspec.convert(release.inventory, list[Item])
