"""A release is a name in a namespace of a cluster; each of its revisions is kept whole (K-002)."""

import datetime as dt
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from windlass.core.db import Model
from windlass.core.loop import Leased
from windlass.releases.phases import Outcome, Status


class Kind(StrEnum):
    manifests = "manifests"
    helm = "helm"


class Environment(StrEnum):
    production = "production"
    staging = "staging"
    preview = "preview"
    development = "development"


class Why(StrEnum):
    """What a revision came of."""

    deploy = "deploy"
    redeploy = "redeploy"
    rollback = "rollback"


class Release(Leased, Model):
    """What is, or shall be, in the cluster under this name. The row stays when it is deleted there:
    its history is enough to bring it back (K-004)."""

    __tablename__ = "releases"
    __table_args__ = (
        UniqueConstraint("cluster_id", "namespace", "name"),
        Index("ix_releases_cluster_id_id", "cluster_id", "id"),
    )

    cluster_id: Mapped[UUID] = mapped_column(ForeignKey("clusters.id", ondelete="RESTRICT"))
    name: Mapped[str]
    namespace: Mapped[str]
    kind: Mapped[Kind] = mapped_column(default=Kind.manifests)
    environment: Mapped[Environment] = mapped_column(default=Environment.production)
    status: Mapped[Status] = mapped_column(default=Status.queued)
    # One line that says why it is so; null where all is well.
    reason: Mapped[str | None]
    # The number of the newest revision, and of the last that was deployed whole.
    revision: Mapped[int] = mapped_column(default=0, server_default="0")
    deployed_revision: Mapped[int | None]
    # Everything that we applied and have not taken away: written before it is applied.
    inventory: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, default=list, server_default="[]"
    )
    # What somebody changed in the cluster since: [{object, changes}], and when we looked.
    drift: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default="[]")
    drift_checked_at: Mapped[dt.datetime | None]
    # Whether the end of its deletion takes away what holds data, too.
    with_data: Mapped[bool] = mapped_column(default=False, server_default="false")
    deleting_since: Mapped[dt.datetime | None]
    created_by: Mapped[UUID | None]


class Revision(Model):
    """One wish for a release: what was sent, byte for byte, and what became of it (K-100)."""

    __tablename__ = "revisions"
    __table_args__ = (UniqueConstraint("release_id", "number"),)

    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"))
    number: Mapped[int]
    kind: Mapped[Kind] = mapped_column(default=Kind.manifests)
    why: Mapped[Why] = mapped_column(default=Why.deploy)
    # The revision that was rolled back to or deployed again.
    of_number: Mapped[int | None]
    environment: Mapped[Environment] = mapped_column(default=Environment.production)
    note: Mapped[str | None]
    # The manifests hold Secrets; the source is the builder's form or Helm's values, as JSON.
    manifest_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    source_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    profile: Mapped[str]
    # What the check found, and the digest of the warnings that somebody took upon themselves.
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    confirmed: Mapped[str | None]
    workloads_count: Mapped[int] = mapped_column(default=0, server_default="0")
    resources_count: Mapped[int] = mapped_column(default=0, server_default="0")
    # `Wishes`: what was confirmed of the plan, which objects may be taken over or made anew.
    wishes: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    status: Mapped[Status] = mapped_column(default=Status.queued)
    reason: Mapped[str | None]
    results: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    pruned: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    created_by: Mapped[UUID | None]
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller said besides the documents. Objects are named as `Kind/name`."""

    force: tuple[str, ...] = ()
    recreate: tuple[str, ...] = ()
    create_namespace: bool = False
    cluster_wide: bool = False
    with_data: bool = False
    timeout_seconds: int = 300


class Item(msgspec.Struct, frozen=True, order=True):
    """One object of the inventory."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""

    @property
    def title(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Without the version of its group: the same object in another one is the same."""
        group = self.api_version.rpartition("/")[0]
        return group, self.kind, self.namespace, self.name


class Result(msgspec.Struct, kw_only=True):
    """What became of one document: first of applying it, then of its rollout (K-099)."""

    index: int
    stage: int
    item: Item
    outcome: Outcome = Outcome.waiting
    message: str = ""
    hint: str = ""
    warnings: list[str] = msgspec.field(default_factory=list[str])
    state: str = ""
    state_message: str = ""
