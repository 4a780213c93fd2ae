from collections.abc import AsyncIterator

import msgspec
import pytest
from litestar import Litestar
from sqlalchemy import update
from tests.conftest import RolledBack
from tests.people import People, Person, gathered

from windlass.auth.models import User


@pytest.fixture
async def people(app: Litestar, database: RolledBack) -> AsyncIterator[People]:
    async for found in gathered(app, database):
        yield found


@pytest.fixture
async def ada(people: People, database: RolledBack) -> Person:
    """The administrator."""
    return await promoted(await people.make("ada"), database)


@pytest.fixture
async def bob(people: People) -> Person:
    """Somebody who is none."""
    return await people.make("bob")


async def promoted(person: Person, database: RolledBack) -> Person:
    async with database.transaction() as db:
        await db.execute(update(User).where(User.id == person.id).values(is_admin=True))
    person.actor = msgspec.structs.replace(person.actor, is_admin=True)
    return person
