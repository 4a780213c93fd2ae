"""People for tests about who may do what: each signed in, with an address that is confirmed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import httpx2
from litestar import Litestar
from sqlalchemy import func, update

from tests import make
from tests.conftest import RolledBack, client_of
from windlass.auth.models import Actor, Plan, User
from windlass.auth.permissions import Role
from windlass.core import ids
from windlass.teams.models import TeamMember


class Person:
    """Somebody with a client of their own."""

    def __init__(self, actor: Actor, client: httpx2.AsyncClient) -> None:
        self.actor, self.client = actor, client

    @property
    def id(self) -> UUID:
        return self.actor.id

    @property
    def public(self) -> str:
        return ids.public("user", self.actor.id)

    @property
    def email(self) -> str:
        assert self.actor.email is not None
        return self.actor.email

    async def call(self, method: str, path: str, **given: Any) -> httpx2.Response:
        return await self.client.request(method, path, **given)

    async def get(self, path: str) -> Any:
        """The data of an answer that must be good."""
        return data(await self.client.get(path))

    async def post(self, path: str, **body: Any) -> Any:
        return data(await self.client.post(path, json=body or None))


def data(response: httpx2.Response) -> Any:
    assert response.status_code < 300, response.text
    return response.json()["data"] if response.content else None


def message(response: httpx2.Response) -> str:
    return response.json()["error"]["message"]


class People:
    """Makes persons and puts them into teams."""

    def __init__(self, app: Litestar, database: RolledBack) -> None:
        self._app, self._database = app, database
        self._clients = AsyncExitStack()

    async def make(self, name: str, *, is_verified: bool = True) -> Person:
        actor = await make.user(self._database, email=f"{name}@example.com", is_admin=False)
        async with self._database.transaction() as db:
            at = func.now() if is_verified else None
            values = {"email_verified_at": at, "plan": Plan.enterprise}
            await db.execute(update(User).where(User.id == actor.id).values(**values))
        token = await make.token(self._database, actor)
        return Person(actor, await self._clients.enter_async_context(client_of(self._app, token)))

    async def join(self, team: dict[str, Any], person: Person, role: Role) -> Person:
        async with self._database.transaction() as db:
            db.add(
                TeamMember(team_id=ids.private("team", team["id"]), user_id=person.id, role=role)
            )
        return person

    async def member(self, team: dict[str, Any], role: Role, name: str | None = None) -> Person:
        """A new person who is in the team."""
        return await self.join(team, await self.make(name or role.value.lower()), role)

    async def close(self) -> None:
        await self._clients.aclose()


async def gathered(app: Litestar, database: RolledBack) -> AsyncIterator[People]:
    """The body of a fixture `people`."""
    found = People(app, database)
    yield found
    await found.close()
