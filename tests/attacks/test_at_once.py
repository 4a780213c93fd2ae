"""Two who act on each other at the same moment, each with a connection of its own: no deadlock
reaches them, and nothing is left without somebody who answers for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

# Every area registers what stands in the way of a deletion, and what goes with it.
import windlass.app  # noqa: F401
from tests import make
from windlass.adapters.postgres import EmbeddedPostgres
from windlass.admin import service as admin
from windlass.auth import departing
from windlass.auth.models import Actor
from windlass.auth.permissions import Role
from windlass.core import migrations
from windlass.core.db import Database
from windlass.core.errors import AppError
from windlass.projects import service as projects
from windlass.projects import sharing
from windlass.projects.models import Project, TeamProject
from windlass.teams import service as teams
from windlass.teams.models import Team, TeamMember
from windlass.teams.schemas import TeamCreate

pytestmark = pytest.mark.anyio
Act = Callable[[AsyncSession], Awaitable[Any]]
ROUNDS = 8
_numbers = count()


@pytest.fixture(scope="module")
def committed(postgres: EmbeddedPostgres) -> str:
    """A database of its own, where what is written stays."""
    asyncio.run(_create(postgres.url_of("postgres")))
    url = postgres.url_of("at_once")
    migrations.alembic(url, "upgrade", "head")
    return url


async def _create(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("create database at_once")
    await connection.close()


@pytest.fixture
async def apart(committed: str) -> AsyncIterator[Database]:
    database = Database(committed, pool_size=4)
    await database.fetch("truncate users, teams cascade")
    yield database
    await database.close()


async def person(database: Database, *, is_admin: bool = False) -> Actor:
    return await make.user(database, email=f"p{next(_numbers)}@example.com", is_admin=is_admin)


async def at_once(database: Database, *acts: Act) -> list[str]:
    """What became of each: `done`, or the name of the error that somebody reads."""

    async def run(act: Act) -> str:
        try:
            async with database.transaction() as db:
                await act(db)
        except AppError as error:
            return type(error).__name__
        return "done"

    return await asyncio.wait_for(asyncio.gather(*(run(act) for act in acts)), 60)


def leaving(actor: Actor, *along: str) -> Act:
    return lambda db: departing.leave(db, actor, along=along, is_hard=False)


async def one(database: Database, query: str, *values: object) -> int:
    (row,) = await database.fetch(query, *values)
    return row[0]


ADMINS = "select count(*) from users where is_admin and deleted_at is null and suspended_at is null"
PAIRS: dict[str, Callable[[Actor, Actor], tuple[Act, Act]]] = {
    "both leave": lambda a, b: (leaving(a), leaving(b)),
    "each suspends the other": lambda a, b: (
        lambda db: admin.suspend(db, b.id, by=a),
        lambda db: admin.suspend(db, a.id, by=b),
    ),
    "each takes the other's office": lambda a, b: (
        lambda db: admin.set_admin(db, b.id, False, by=a),
        lambda db: admin.set_admin(db, a.id, False, by=b),
    ),
    "one suspends the other, who leaves": lambda a, b: (
        lambda db: admin.suspend(db, b.id, by=a),
        leaving(b),
    ),
    "one leaves, the other takes the office": lambda a, b: (
        leaving(a),
        lambda db: admin.set_admin(db, a.id, False, by=b),
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
async def test_two_administrators_leave_at_least_one(apart: Database, pair: str) -> None:
    for _ in range(ROUNDS):
        first, second = [await person(apart, is_admin=True) for _ in range(2)]

        ended = await at_once(apart, *PAIRS[pair](first, second))

        assert "done" in ended
        assert await one(apart, ADMINS) >= 1, ended
        await apart.fetch("update users set is_admin = false")


async def test_who_leaves_and_is_suspended_meanwhile_waits_for_nobody_in_a_circle(
    apart: Database,
) -> None:
    boss = await person(apart, is_admin=True)
    for _ in range(ROUNDS):
        other = await person(apart)

        ended = await at_once(
            apart, leaving(other), lambda db, other=other: admin.suspend(db, other.id, by=boss)
        )

        assert set(ended) <= {"done", "PersonNotFound"}


OWNERS = "select count(*) from team_members where team_id = $1 and role = 'OWNER'"


BOTH_OWN: dict[str, Callable[[Team, Actor, Actor], tuple[Act, Act]]] = {
    "both leave": lambda team, a, b: (
        lambda db: teams.leave(db, team, by=a),
        lambda db: teams.leave(db, team, by=b),
    ),
    "each takes the other out": lambda team, a, b: (
        lambda db: teams.remove_member(db, team, b.id, by=a),
        lambda db: teams.remove_member(db, team, a.id, by=b),
    ),
    "both delete their account": lambda _, a, b: (leaving(a), leaving(b)),
    "one hands over, the other leaves": lambda team, a, b: (
        lambda db: teams.hand_over(db, team, b.id, by=a),
        lambda db: teams.leave(db, team, by=b),
    ),
}


@pytest.mark.parametrize("way", BOTH_OWN)
async def test_of_two_owners_one_stays(apart: Database, way: str) -> None:
    for number in range(ROUNDS):
        first, second = [await person(apart) for _ in range(2)]
        team = await _team(apart, f"team {number}", first, second)

        ended = await at_once(apart, *BOTH_OWN[way](team, first, second))

        assert "done" in ended
        assert await one(apart, OWNERS, team.id) >= 1, ended


AGAINST: dict[str, Callable[[UUID, Actor, Actor], Act]] = {
    "who gets it leaves": lambda _shop, _giver, heir: leaving(heir),
    "who gives it leaves": lambda _shop, giver, _heir: leaving(giver, "projects"),
    "it is deleted": lambda shop, giver, _heir: lambda db: _delete(db, shop, giver),
}


@pytest.mark.parametrize("way", AGAINST)
async def test_what_is_given_away_belongs_to_somebody_who_is_there(
    apart: Database, way: str
) -> None:
    for number in range(ROUNDS):
        giver, heir, third = [await person(apart) for _ in range(3)]
        # The third stays an owner of the team, whoever of the two goes.
        team = await _team(apart, f"team {number}", giver, heir, third)
        shop = (await make.project(apart, giver, f"shop {number}")).id
        async with apart.transaction() as db:
            db.add(TeamProject(team_id=team.id, project_id=shop, shared_by=giver.id))

        ended = await at_once(apart, giving(shop, heir, giver), AGAINST[way](shop, giver, heir))

        (row,) = await apart.fetch(
            "select p.owner_id, p.deleted_at as gone, u.deleted_at as left from projects p"
            " join users u on u.id = p.owner_id where p.id = $1",
            shop,
        )
        assert "done" in ended
        assert row["gone"] is not None or row["left"] is None, ended
        assert row["gone"] is None or row["owner_id"] == giver.id, ended


def giving(shop: UUID, to: Actor, by: Actor) -> Act:
    return lambda db: _give(db, shop, to, by)


async def _give(db: AsyncSession, id: UUID, to: Actor, by: Actor) -> None:
    await sharing.transfer(db, await db.get_one(Project, id), to.id, by=by)


async def _delete(db: AsyncSession, id: UUID, by: Actor) -> None:
    await projects.remove(db, await db.get_one(Project, id), by=by)


async def _team(database: Database, name: str, *owners: Actor) -> Team:
    async with database.transaction() as db:
        made = await teams.create(db, TeamCreate(name=name), by=owners[0])
        for other in owners[1:]:
            db.add(TeamMember(team_id=made.team.id, user_id=other.id, role=Role.owner))
    return made.team
