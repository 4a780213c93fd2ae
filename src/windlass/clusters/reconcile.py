"""A cluster that somebody asks about is tried, and what is found stands in its row."""

from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.adapters.world import clusters_of
from windlass.clusters import probing, service
from windlass.clusters.models import Cluster
from windlass.core import clock
from windlass.core.context import Ctx
from windlass.core.crypto import SealBroken
from windlass.core.live import announce
from windlass.core.loop import Step, reconciles


@reconciles(Cluster, when=lambda: Cluster.asked != Cluster.answered, lease=60)
async def test(ctx: Ctx, cluster: Cluster) -> Step:
    """Try it once. Whoever asks again meanwhile is answered by another step."""
    try:
        access = service.access(cluster, ctx.keys)
        allow = clusters_of(ctx.settings)
        found = await probing.probe(access, cluster.namespaces, allow=allow)
    except SealBroken:
        found = probing.Probe(reason="UNREADABLE", detail="its seal is broken: give it anew")

    async def tell(db: AsyncSession) -> None:
        await announce(db, f"cluster:{cluster.id}")

    values: dict[str, Any] = {
        "answered": cluster.asked,
        "tested_at": clock.now(),
        "trouble": found.reason,
        "trouble_detail": found.detail,
    }
    if found.facts is not None:
        values["facts"] = msgspec.to_builtins(found.facts)
    return Step(values, then=tell, again_in=0)
