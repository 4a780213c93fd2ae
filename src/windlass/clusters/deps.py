"""Clusters as handlers get them: loaded with the check whether the caller may see them."""

from typing import NamedTuple

from litestar.di import NamedDependency
from litestar.params import FromPath

from windlass.auth.deps import CurrentActor, permission_of
from windlass.auth.permissions import Role
from windlass.clusters import service
from windlass.clusters.models import Cluster
from windlass.core import ids
from windlass.core.http import DB, Request


class Held(NamedTuple):
    """A cluster, and what the caller is on it."""

    row: Cluster
    role: Role


InCluster = NamedDependency[Held]


async def provide_cluster(
    request: Request, db: DB, actor: CurrentActor, cluster_id: FromPath[str]
) -> Held:
    id = ids.private("cls", cluster_id)
    return Held(*await service.get_with_role(db, id, permission_of(request), by=actor))
