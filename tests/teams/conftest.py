from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Litestar
from tests.conftest import RolledBack
from tests.people import People, Person, gathered


@pytest.fixture
async def people(app: Litestar, database: RolledBack) -> AsyncIterator[People]:
    async for found in gathered(app, database):
        yield found


@pytest.fixture
async def ann(people: People) -> Person:
    """Who owns the team."""
    return await people.make("ann")


@pytest.fixture
async def team(ann: Person) -> dict[str, Any]:
    return await ann.post("/api/teams", name="Blue Whales")
