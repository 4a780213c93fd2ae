"""A project that is connected to its Git host."""

from typing import Any

import httpx2
import msgspec
import pytest

from tests import make
from tests.conftest import RolledBack
from tests.webhooks.hosts import Delivery, url_of
from windlass.auth.models import Actor
from windlass.core import ids
from windlass.projects.models import Project


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
