"""People, what they share, and things that happened."""

import datetime as dt
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from litestar import Litestar
from sqlalchemy import text, update
from tests import make
from tests.conftest import RolledBack, client_of

from windlass.auth.models import Actor, Plan, User
from windlass.auth.permissions import Role
from windlass.core import ids
from windlass.projects.models import Project, TeamProject
from windlass.teams.models import Team, TeamMember

_INSERT = text("""
insert into events (id, name, actor_id, user_id, project_id, team_id, request_id, address,
  user_agent, payload, created_at)
values (:id, :name, :actor_id, :user_id, :project_id, :team_id, :request_id, :address,
  :user_agent, cast(:payload as jsonb), coalesce(cast(:created_at as timestamptz), now()))
""")


class World:
    """Makes what a test needs, past the services: the log is what is looked at."""

    def __init__(self, app: Litestar, database: RolledBack) -> None:
        self._app, self.database = app, database
        self._clients: list[httpx2.AsyncClient] = []

    async def person(self, name: str, *, is_admin: bool = False) -> Actor:
        actor = await make.user(self.database, email=f"{name}@example.com", is_admin=is_admin)
        async with self.database.transaction() as db:
            values = {"plan": Plan.enterprise}
            await db.execute(update(User).where(User.id == actor.id).values(**values))
        return actor

    async def client(self, actor: Actor) -> httpx2.AsyncClient:
        found = client_of(self._app, await make.token(self.database, actor))
        self._clients.append(found)
        return found

    async def team(self, slug: str, **members: tuple[Actor, Role]) -> Team:
        team = Team(id=ids.uuid7(), name=slug.capitalize(), slug=slug)
        async with self.database.transaction() as db:
            db.add(team)
            for actor, role in members.values():
                db.add(TeamMember(team_id=team.id, user_id=actor.id, role=role))
        return team

    async def share(self, project: Project, team: Team) -> None:
        async with self.database.transaction() as db:
            db.add(TeamProject(team_id=team.id, project_id=project.id, shared_by=None))

    async def happened(
        self,
        what: str = "auth.SignedIn",
        *,
        by: Actor | None = None,
        user: Actor | None = None,
        project: Project | None = None,
        team: Team | UUID | None = None,
        at: dt.datetime | None = None,
        agent: str = "",
        address: str = "203.0.113.7",
        **payload: Any,
    ) -> str:
        """A row of the log, as `emit` writes it; returns its outward id."""
        id = ids.uuid7()
        values = {
            "id": id,
            "name": what,
            "actor_id": by.id if by else None,
            "user_id": user.id if user else None,
            "project_id": project.id if project else None,
            "team_id": team.id if isinstance(team, Team) else team,
            "request_id": "req_1",
            "address": address,
            "user_agent": agent,
            "payload": json.dumps(payload, default=str),
            "created_at": at,
        }
        async with self.database.transaction() as db:
            await db.execute(_INSERT, values)
        return ids.public("evt", id)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@pytest.fixture
async def world(app: Litestar, database: RolledBack) -> AsyncIterator[World]:
    found = World(app, database)
    yield found
    await found.close()


async def entries(client: httpx2.AsyncClient, path: str = "/api/audit", **asked: Any) -> Any:
    """The data of a list that must be answered."""
    answer = await client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]
