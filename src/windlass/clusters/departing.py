"""Clusters are forgotten with the account of whoever brought them along; they run on."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth import departing
from windlass.auth.departing import Loss
from windlass.auth.models import Actor
from windlass.clusters import service
from windlass.clusters.models import Cluster
from windlass.core.languages import N_


@departing.register(departing.LOSSES)
async def find(db: AsyncSession, user_id: UUID) -> Loss:
    """Their credentials; what runs in them is not touched."""
    query = select(Cluster.name).where(Cluster.owner_id == user_id).order_by(Cluster.name)
    return Loss(N_("clusters"), tuple(await db.scalars(query)))


@departing.register(departing.STEPS)
async def remove_all(db: AsyncSession, actor: Actor) -> None:
    query = select(Cluster).where(Cluster.owner_id == actor.id)
    for cluster in list(await db.scalars(query)):
        await service.remove(db, cluster, by=actor)
