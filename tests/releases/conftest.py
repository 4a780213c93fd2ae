"""A cluster that is not one, and releases that are brought into it by the loop itself."""

from typing import Any

import httpx2
import pytest
from msgspec.structs import replace
from sqlalchemy import func, update

from tests.conftest import RolledBack
from tests.kube.server import FakeCluster
from windlass.auth.models import Actor
from windlass.clusters import service as clusters
from windlass.clusters.models import Cluster
from windlass.clusters.schemas import ClusterCreate
from windlass.core import ids, loop
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.releases.models import Release

LOOP = next(one for one in loop.LOOPS if one.model is Release)
_MOST_TURNS = 60


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, clusters=replace(settings.clusters, allow_private="127.0.0.0/8"))


@pytest.fixture
async def cluster(
    database: RolledBack, owner: Actor, key_ring: KeyRing, kube: FakeCluster
) -> Cluster:
    """It has the namespace `shop`."""
    kube.namespace("shop")
    wanted = ClusterCreate(name="main", server=kube.server, token=kube.access.token, ca=kube.ca)
    async with database.transaction() as db:
        return await clusters.create(db, wanted, key_ring, by=owner)


class Deck:
    """What a user and the worker do with releases, in as few words as tests need."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        database: RolledBack,
        ctx: Ctx,
        cluster: Cluster,
        kube: FakeCluster,
    ) -> None:
        self.client, self.database, self.ctx, self.cluster = client, database, ctx, cluster
        self.kube = kube
        self.cluster_id = ids.public("cls", cluster.id)

    def body(self, manifest: str, name: str = "web", **more: Any) -> dict[str, Any]:
        where = {"clusterId": self.cluster_id, "namespace": "shop"}
        return {**where, "name": name, "manifest": manifest, **more}

    async def post(self, path: str, json: Any = None, status: int | None = None) -> Any:
        answer = await self.client.post(f"/api/releases{path}", json=json)
        if status is not None:
            assert answer.status_code == status, answer.text
        return answer.json().get("data") or answer.json()["error"]

    async def get(self, path: str, status: int = 200) -> Any:
        answer = await self.client.get(f"/api/releases{path}")
        assert answer.status_code == status, answer.text
        return answer.json().get("data") if status == 200 else answer.json()["error"]

    async def plan(self, manifest: str, **more: Any) -> Any:
        return await self.post("/plan", self.body(manifest, **more), 200)

    async def ask(self, manifest: str, **more: Any) -> Any:
        """Accepted, warnings confirmed."""
        body = self.body(manifest, **more)
        answer = await self.client.post("/api/releases", json=body)
        if answer.status_code == 409:
            digest = answer.json()["error"]["details"]["digest"]
            answer = await self.client.post("/api/releases", json={**body, "confirm": digest})
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def turn(self) -> None:
        """One look of the loop, at what is due now and at what will be."""
        async with self.database.transaction() as db:
            await db.execute(update(Release).values(check_at=func.now()))
        await loop.tick(self.ctx, LOOP)

    async def until(self, id: str, *statuses: str) -> Any:
        found: dict[str, Any] = {}
        for _ in range(_MOST_TURNS):
            found = await self.get(f"/{id}")
            if found["status"] in statuses:
                return found
            await self.turn()
        raise AssertionError(f"it stays {found['status']}: {found['reason']}")

    async def deploy(self, manifest: str, **more: Any) -> Any:
        """Asked for and brought to its end, whatever that is."""
        made = await self.ask(manifest, **more)
        return await self.until(made["id"], *ENDS)

    def live(self, kind: str, name: str) -> dict[str, Any]:
        """An object as it is in the cluster."""
        found = self.kube.get(kind, name, "shop")
        assert found is not None
        return found

    def ready(self, *deployments: str) -> None:
        """What its controller would write, now."""
        for name in deployments:
            live = self.live("Deployment", name)
            replicas = live["spec"].get("replicas", 1)
            status: dict[str, Any] = {"observedGeneration": live["metadata"]["generation"]}
            status |= dict.fromkeys(COUNTS, replicas)
            self.kube.set_status("Deployment", name, "shop", status)


COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
ENDS = ("DEPLOYED", "PARTIAL", "FAILED", "DELETED")


@pytest.fixture
def ctx(settings: Settings, database: RolledBack, key_ring: KeyRing) -> Ctx:
    return Ctx(settings=settings, database=database, live=Live(database), keys=key_ring, world=None)


@pytest.fixture
async def deck(
    client: httpx2.AsyncClient, database: RolledBack, ctx: Ctx, cluster: Cluster, kube: FakeCluster
) -> Deck:
    return Deck(client, database, ctx, cluster, kube)
