"""A project that is connected to its Git host, and a host that is told what becomes of it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest
from msgspec.structs import replace

from tests import make
from tests.conftest import RolledBack
from tests.webhooks.host_server import HostServer
from tests.webhooks.hosts import Delivery, url_of
from windlass.auth.models import Actor
from windlass.core import ids
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.projects.models import Project

TOKEN = "token-of-the-host"


def outcomes(answer: httpx2.Response) -> list[tuple[str, str | None]]:
    """What became of a delivery, and why."""
    assert answer.status_code == 202, answer.text
    return [(one["outcome"], one["reason"]) for one in answer.json()["data"]]


class Connected(msgspec.Struct, frozen=True):
    """A project, where its webhook is, and its secret."""

    project: Project
    id: str
    secret: str

    @property
    def path(self) -> str:
        return f"/api/projects/{self.id}/webhook"


class Sender:
    """Connects projects, and sends what a Git host sends: without a session."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        anonymous: httpx2.AsyncClient,
        database: RolledBack,
        owner: Actor,
    ) -> None:
        self._client, self._anonymous = client, anonymous
        self._database, self._owner = database, owner

    async def connect(self, host: str, name: str = "Shop", **given: Any) -> Connected:
        url = given.pop("repository_url", url_of(host))
        project = await make.project(self._database, self._owner, name, repository_url=url)
        id = ids.public("proj", project.id)
        answer = await self._client.post(f"/api/projects/{id}/webhook", json=given)
        assert answer.status_code == 201, answer.text
        return Connected(project, id, answer.json()["data"]["secret"])

    async def send(
        self,
        delivery: Delivery,
        secret: str | None,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        query: str = "",
    ) -> httpx2.Response:
        return await self._anonymous.post(
            f"/api/webhooks/{delivery.host}{query}",
            content=delivery.body if body is None else body,
            headers=delivery.headers(secret) if headers is None else headers,
        )

    async def deployments(self) -> list[dict[str, Any]]:
        answer = await self._client.get("/api/deployments")
        return answer.json()["data"]


@pytest.fixture
async def git(
    client: httpx2.AsyncClient, anonymous: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> Sender:
    return Sender(client, anonymous, database, owner)


@pytest.fixture
async def host() -> AsyncIterator[HostServer]:
    found = HostServer()
    yield found
    found.close()


@pytest.fixture
def ctx(settings: Settings, database: RolledBack, key_ring: KeyRing, host: HostServer) -> Ctx:
    settings = replace(settings, builds=replace(settings.builds, allow_private=host.place))
    return Ctx(settings=settings, database=database, live=Live(database), keys=key_ring, world=None)


async def reporting(
    git: Sender, client: httpx2.AsyncClient, host: HostServer, kind: str
) -> Connected:
    """A project whose host is told."""
    url = f"http://{host.place}/Acme/Shop.git"
    shop = await git.connect("gitea", repository_url=url)
    answer = await client.put(f"{shop.path}/token", json={"token": TOKEN, "host": kind})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["reportsTo"] == kind
    return shop
