from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Litestar
from tests.conftest import RolledBack
from tests.people import People, Person, gathered

from windlass.auth.permissions import Role


@pytest.fixture
async def people(app: Litestar, database: RolledBack) -> AsyncIterator[People]:
    async for found in gathered(app, database):
        yield found


@pytest.fixture
async def ann(people: People) -> Person:
    """Who owns the team and the project."""
    return await people.make("ann")


@pytest.fixture
async def team(ann: Person) -> dict[str, Any]:
    return await ann.post("/api/teams", name="Blue Whales")


@pytest.fixture
async def bob(people: People, team: dict[str, Any]) -> Person:
    """A developer in the team."""
    return await people.member(team, Role.developer, "bob")


@pytest.fixture
async def shop(ann: Person) -> dict[str, Any]:
    """A project that nobody but ann sees."""
    return await ann.post("/api/projects", name="Shop")


@pytest.fixture
async def shared(ann: Person, shop: dict[str, Any], team: dict[str, Any]) -> dict[str, Any]:
    """The same, shared with the team."""
    await ann.post(f"/api/projects/{shop['id']}/teams", teamId=team["id"])
    return shop
