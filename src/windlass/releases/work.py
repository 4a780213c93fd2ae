"""One step's view of a release: its newest revision, its cluster, and how the step ends."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.adapters.kube import Client
from windlass.clusters import service as clusters
from windlass.clusters.models import Cluster
from windlass.core import clock, ids
from windlass.core.clusters import Access
from windlass.core.context import Ctx
from windlass.core.events import Event, emit
from windlass.core.live import announce
from windlass.core.loop import Step
from windlass.releases import events, reaching, sealing, service
from windlass.releases.models import Item, Release, Result, Revision, Wishes
from windlass.releases.phases import NEXT, Status

DRIFT_SECONDS = 600.0


class Work:
    """Read in one short transaction; what the step finds is written by `step` in another."""

    def __init__(
        self, ctx: Ctx, release: Release, revision: Revision, cluster: Cluster, access: Access
    ) -> None:
        self.ctx = ctx
        self.release = release
        self.revision = revision
        self.cluster = cluster
        self.access = access
        self.wishes = msgspec.convert(revision.wishes, Wishes)
        self.results = msgspec.convert(revision.results, list[Result])
        self.inventory = msgspec.convert(release.inventory, list[Item])

    @classmethod
    async def load(cls, ctx: Ctx, release: Release) -> "Work":
        async with ctx.transaction() as db:
            revision = (
                await db.scalars(
                    select(Revision).where(
                        Revision.release_id == release.id, Revision.number == release.revision
                    )
                )
            ).one()
            cluster = await db.get_one(Cluster, release.cluster_id)
        return cls(ctx, release, revision, cluster, clusters.access(cluster, ctx.keys))

    def kube(self) -> Client:
        return reaching.client(self.ctx.settings, self.access)

    @property
    def label(self) -> str:
        return label_of(self.release)

    def manifest(self) -> str:
        return sealing.manifest_of(self.ctx.keys, self.revision)

    def is_late(self) -> bool:
        """Whether the time is over that this revision has (E-27)."""
        is_going = self.release.status is Status.deleting
        begun = self.release.deleting_since if is_going else self.revision.started_at
        if begun is None:
            return False
        return clock.now() - begun > dt.timedelta(seconds=self.wishes.timeout_seconds)

    def step(
        self,
        status: Status,
        *,
        reason: str | None = None,
        again_in: float = 0,
        inventory: list[Item] | None = None,
        revision: dict[str, Any] | None = None,
        values: dict[str, Any] | None = None,
        fact: Event | None = None,
        is_news: bool = True,
    ) -> Step:
        """To `status`; results are written with it, and whoever looks is told."""
        was = self.release.status
        if status != was and status not in NEXT[was]:
            raise ValueError(f"no way from {was} to {status}")
        written: dict[str, Any] = {"status": status, "reason": reason, **(values or {})}
        if inventory is not None:
            written["inventory"] = msgspec.to_builtins(inventory)
        of_revision = {"results": msgspec.to_builtins(self.results), **(revision or {})}
        return Step(
            written, then=self._then(of_revision, fact) if is_news else None, again_in=again_in
        )

    def end(self, status: Status, reason: str | None = None, **more: Any) -> Step:
        """The revision has come to its end."""
        ended = {"status": status, "reason": reason, "finished_at": clock.now()}
        about, number = service.about(self.release, self.cluster), self.revision.number
        is_good = status is Status.deployed
        fact = (
            events.Deployed(**about, revision=number)
            if is_good
            else events.Failed(**about, revision=number, reason=(reason or "")[:500])
        )
        values = {"deployed_revision": number, "drift_checked_at": clock.now()} if is_good else {}
        return self.step(
            status,
            reason=reason,
            again_in=DRIFT_SECONDS,
            revision={**ended, **more.pop("revision", {})},
            values=values,
            fact=fact,
            **more,
        )

    def _then(
        self, values: dict[str, Any], fact: Event | None
    ) -> Callable[[AsyncSession], Awaitable[None]]:
        async def then(db: AsyncSession) -> None:
            await db.execute(update(Revision).where(Revision.id == self.revision.id).values(values))
            if fact is not None:
                await emit(db, fact, by=self.revision.created_by)
            await announce(db, f"release:{self.release.id}")

        return then


def label_of(release: Release) -> str:

    return ids.public("rel", release.id)
