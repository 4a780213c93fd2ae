"""From what somebody sent to a wish that passed the gate."""

import asyncio
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.clusters import service as clusters
from windlass.clusters.models import Cluster
from windlass.core.crypto import KeyRing
from windlass.core.errors import Forbidden
from windlass.releases import gate, sealing
from windlass.releases.errors import FormWithoutWorkload, NamespaceImmutable
from windlass.releases.gate import Checked, Rules
from windlass.releases.models import Environment, Kind, Release, Revision, Why, Wishes
from windlass.releases.schemas import Again, ReleaseCreate, ReleaseEdit, Wanted
from windlass.releases.service import Wish


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A revision before the gate."""

    namespace: str
    name: str
    manifest: str
    source: dict[str, Any]
    environment: Environment
    profile: str
    asked: Wanted
    why: Why = Why.deploy
    of_number: int | None = None

    @property
    def wishes(self) -> Wishes:
        return Wishes(
            force=tuple(self.asked.force),
            recreate=tuple(self.asked.recreate),
            create_namespace=self.asked.create_namespace,
            with_data=self.asked.with_data,
            cluster_wide=self.asked.cluster_wide,
            timeout_seconds=self.asked.timeout_seconds,
        )


def of_new(data: ReleaseCreate, namespace: str) -> Draft:
    return Draft(
        namespace=namespace,
        name=data.name,
        manifest=data.manifest,
        source={"form": data.form} if data.form is not None else {},
        environment=Environment(data.environment),
        profile=data.profile,
        asked=data,
    )


def of_edit(release: Release, newest: Revision, data: ReleaseEdit, keys: KeyRing) -> Draft:
    """What is not given stays as it was; the place cannot be changed (K-114)."""
    if data.namespace not in (None, release.namespace) or data.cluster_id is not None:
        raise NamespaceImmutable()
    source = sealing.source_of(keys, newest)
    if data.form is not None:
        source = {"form": data.form}
    elif data.manifest is not None:
        # A text that was written by hand is not what the form says any more.
        source = {}
    return Draft(
        namespace=release.namespace,
        name=release.name,
        manifest=sealing.manifest_of(keys, newest) if data.manifest is None else data.manifest,
        source=source,
        environment=Environment(data.environment or release.environment),
        profile=data.profile or newest.profile,
        asked=data,
    )


def of_again(release: Release, old: Revision, data: Again, keys: KeyRing, *, why: Why) -> Draft:
    """An earlier revision once more, byte for byte (K-113)."""
    return Draft(
        namespace=release.namespace,
        name=release.name,
        manifest=sealing.manifest_of(keys, old),
        source=sealing.source_of(keys, old),
        environment=old.environment,
        profile=old.profile,
        asked=data,
        why=why,
        of_number=old.number,
    )


def rules_of(cluster: Cluster, draft: Draft) -> Rules:
    return Rules(
        namespace=draft.namespace,
        profile=draft.profile,
        kubernetes=(cluster.facts or {}).get("minor", ""),
        may_cluster_wide=draft.asked.cluster_wide,
    )


async def checked(cluster: Cluster, draft: Draft) -> Checked:
    return await asyncio.to_thread(gate.check, draft.manifest, rules_of(cluster, draft))


async def pass_gate(db: AsyncSession, cluster: Cluster, draft: Draft, *, by: Actor) -> Wish:
    """Raises what the gate raises."""
    await allow(db, cluster, draft, by=by)
    found = await checked(cluster, draft)
    gate.pass_or_refuse(found, draft.asked.confirm)
    if "form" in draft.source and not found.workloads:
        raise FormWithoutWorkload()
    return Wish(
        manifest=draft.manifest,
        source=draft.source,
        environment=draft.environment,
        profile=draft.profile,
        wishes=draft.wishes,
        checked=found,
        confirm=draft.asked.confirm,
        note=draft.asked.note,
        kind=Kind.manifests,
        why=draft.why,
        of_number=draft.of_number,
    )


async def namespace_of(
    db: AsyncSession, cluster: Cluster, data: ReleaseCreate, *, by: Actor
) -> str:
    """The one that is asked for, or one that is made for the caller (K-006)."""
    if data.namespace is None:
        return await clusters.next_namespace(db, by=by)
    return data.namespace


async def allow(db: AsyncSession, cluster: Cluster, draft: Draft, *, by: Actor) -> None:
    """Its namespace may be used, also when that changed since the last revision; what counts for
    the whole cluster is its admins' to say."""
    clusters.check_namespace(cluster, draft.namespace)
    if draft.asked.cluster_wide:
        await clusters.get(db, cluster.id, Permission.project_settings, by=by)


async def may_deploy(db: AsyncSession, release: Release, *, by: Actor) -> bool:
    try:
        await clusters.get(db, release.cluster_id, Permission.deploy_create, by=by)
    except Forbidden:
        return False
    return True
