"""JSON: Kubernetes clusters (K-008, K-095, K-097, E-24, E-26)."""

from litestar import Router, delete, get, patch, post, put
from litestar.params import FromQuery, JSONBody

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission, Role
from windlass.clusters import service
from windlass.clusters.deps import InCluster
from windlass.clusters.schemas import ClusterChange, ClusterCreate, ClusterOut, CredentialSet
from windlass.core.http import DB, Request
from windlass.core.paging import LIMIT
from windlass.core.schemas import CursorText, Limit, Page


@get("/", permission=Permission.project_read)
async def list_clusters(
    db: DB,
    actor: CurrentActor,
    limit: FromQuery[Limit] = LIMIT,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[ClusterOut]:
    """Your clusters and those of your teams, the newest first."""
    return await service.page(db, limit=limit, cursor=cursor, by=actor)


@post("/", permission=Permission.project_write)
async def add_cluster(
    request: Request, db: DB, actor: CurrentActor, data: JSONBody[ClusterCreate]
) -> ClusterOut:
    """Bring a cluster along: by a kubeconfig, through Rancher, or by its server and a token. It is
    tried at once; `test` says how that went. The credential is sealed and in no answer."""
    row = await service.create(db, data, request.app.state.key_ring, by=actor)
    return ClusterOut.of(row, Role.owner)


@get("/{cluster_id:str}", permission=Permission.project_read)
async def get_cluster(cluster: InCluster) -> ClusterOut:
    """One cluster, with what was found in it."""
    return ClusterOut.of(*cluster)


@patch("/{cluster_id:str}", permission=Permission.project_settings)
async def change_cluster(
    db: DB, actor: CurrentActor, cluster: InCluster, data: JSONBody[ClusterChange]
) -> ClusterOut:
    """Change its name, its team, or which namespaces releases may use."""
    await service.change(db, cluster.row, data, by=actor)
    return ClusterOut.of(*cluster)


@put("/{cluster_id:str}/credential", permission=Permission.project_settings)
async def replace_credential(
    request: Request,
    db: DB,
    actor: CurrentActor,
    cluster: InCluster,
    data: JSONBody[CredentialSet],
) -> ClusterOut:
    """Replace what proves us to it: a token alone, or the whole way in. Releases are not touched;
    it is tried at once."""
    keys = request.app.state.key_ring
    await service.replace_credential(db, cluster.row, data, keys, by=actor)
    return ClusterOut.of(*cluster)


@post("/{cluster_id:str}/test", permission=Permission.deploy_create, status_code=202)
async def test_cluster(db: DB, cluster: InCluster) -> ClusterOut:
    """Have it tried again. `test.state` is `testing` until what was found stands in the cluster."""
    await service.ask(db, cluster.row)
    return ClusterOut.of(*cluster)


@delete("/{cluster_id:str}", permission=Permission.project_delete)
async def remove_cluster(db: DB, actor: CurrentActor, cluster: InCluster) -> None:
    """Forget a cluster and its credential. One with releases is not forgotten: 409."""
    await service.remove(db, cluster.row, by=actor)


router = Router(
    "/api/clusters",
    route_handlers=[
        list_clusters,
        add_cluster,
        get_cluster,
        change_cluster,
        replace_credential,
        test_cluster,
        remove_cluster,
    ],
    tags=["Clusters"],
)
