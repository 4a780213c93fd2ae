"""The second wall, by direct SQL as the web process's role: what a forgotten WHERE shows (B-014).

And what the schema itself refuses: values outside of an enum, broken rules, changed history
(C-017, C-020, B-012, B-013).
"""

import re
from functools import partial
from typing import cast

import asyncpg
import pytest

from tests import make
from tests.conftest import RolledBack
from windlass.auth.models import Actor
from windlass.core import caller
from windlass.core.blobs import BlobStore
from windlass.core.caller import Caller
from windlass.core.db import TENANT_ROLE
from windlass.core.ids import uuid7
from windlass.core.settings import Settings
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
# What belongs to the platform and to nobody on it.
_NOBODYS = {"alembic_version", "pgqueuer", "pgqueuer_log", "pgqueuer_schedules"}
_TENANT_COLUMNS = {"user_id", "owner_id", "project_id", "team_id", "deployment_id", "actor_id"}


@pytest.fixture
async def ann(database: RolledBack) -> Actor:
    return await make.user(database, email="ann@example.com", is_admin=False)


@pytest.fixture
async def bob(database: RolledBack) -> Actor:
    return await make.user(database, email="bob@example.com", is_admin=False)


@pytest.fixture
async def shop(database: RolledBack, settings: Settings, bob: Actor) -> Project:
    """Bob's project, with something in every table that hangs on one."""
    project = await make.project(database, bob)
    source = await make.source(database, BlobStore(settings.folder / "blobs"), bob)
    deployment = await make.deployment(database, project, source, bob, is_active=True)
    await database.fetch(
        "insert into env_variables (id, project_id, key, value_sealed, target)"
        " values ($1, $2, 'A', '', 'production')",
        uuid7(),
        project.id,
    )
    webhook = uuid7()
    await database.fetch(
        "insert into webhooks (id, project_id, secret_sealed) values ($1, $2, '')",
        webhook,
        project.id,
    )
    await database.fetch(
        "insert into webhook_deliveries"
        " (id, webhook_id, project_id, host, delivery, body_sha256, event, outcome)"
        " values ($1, $2, $3, 'github', 'x', '', 'push', 'ignored')",
        uuid7(),
        webhook,
        project.id,
    )
    await database.fetch(
        "insert into switches (id, project_id, site_id, deployment_id, generation, host, outcome,"
        " release, edge_run, baseline)"
        " select $1, project_id, id, $2, 1, host, 'COUNTING', 'r', 'x', '{}' from sites"
        " where project_id = $3",
        uuid7(),
        deployment.id,
        project.id,
    )
    await make.token(database, bob)
    assert deployment.project_id == project.id
    return project


async def as_web(
    database: RolledBack, who: Actor | None, query: str, *values: object
) -> list[asyncpg.Record]:
    """Direct SQL in somebody's name, with no WHERE of ours."""
    caller.enter(Caller(who.id if who else None, "", ""))
    return await database.tenants.fetch(query, *values)


async def refused(database: RolledBack, who: Actor | None, query: str, *values: object) -> str:
    """That the database says no, to nobody with rights over everything; returns what it says."""
    async with database.sessions() as db:
        raw = await (await db.connection()).get_raw_connection()
        connection = cast(asyncpg.Connection, raw.driver_connection)
        attempt = connection.transaction()
        await attempt.start()
        run = database.fetch if who is None else partial(as_web, database, who)
        with pytest.raises(asyncpg.PostgresError) as caught:
            await run(query, *values)
        await attempt.rollback()
    return str(caught.value)


async def tables(database: RolledBack) -> list[str]:
    rows = await database.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('r', 'p') and not relispartition order by 1"
    )
    return [row["relname"] for row in rows]


async def columns_of(database: RolledBack, table: str) -> set[str]:
    rows = await database.fetch(
        "select column_name from information_schema.columns where table_name = $1", table
    )
    return {row["column_name"] for row in rows}


async def test_every_table_of_a_tenant_is_behind_the_wall(database: RolledBack) -> None:
    rows = await database.fetch(
        "select relname, relrowsecurity and relforcerowsecurity as is_forced,"
        " exists (select from pg_policy p where p.polrelid = c.oid and $1::regrole = any(polroles))"
        " as has_policy from pg_class c where relkind in ('r', 'p')"
        " and relnamespace = 'public'::regnamespace",
        TENANT_ROLE,
    )
    walls = {row["relname"]: row["is_forced"] and row["has_policy"] for row in rows}

    assert "projects" in walls
    assert [
        table
        for table in await tables(database)
        if await columns_of(database, table) & _TENANT_COLUMNS
        and table not in _NOBODYS
        and not walls[table]
    ] == []


async def test_the_web_role_can_neither_bypass_nor_own(database: RolledBack) -> None:
    [role] = await database.fetch(
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles"
        " where rolname = $1",
        TENANT_ROLE,
    )
    owned = await database.fetch(
        "select relname from pg_class where relowner = $1::regrole", TENANT_ROLE
    )

    assert not any(role.values())
    assert owned == []


async def test_a_forgotten_where_shows_nothing_foreign(
    database: RolledBack, ann: Actor, bob: Actor, shop: Project
) -> None:
    """Everything there is was made by Bob; Ann and nobody see nothing of it, Bob does."""
    shown: dict[str, int] = {}
    for table in await tables(database):
        if table in _NOBODYS or not await columns_of(database, table) & _TENANT_COLUMNS:
            continue
        for who in (ann, None):
            rows = await as_web(database, who, f"select * from {table}")
            foreign = [row for row in rows if str(bob.id) in str(dict(row))]
            if foreign or (who is None and rows):
                shown[table] = len(rows)

    assert shown == {}
    for table in ("projects", "deployments", "sources", "env_variables", "sites", "tokens"):
        assert len(await as_web(database, bob, f"select * from {table}")) >= 1, table


async def test_nobody_is_written_to_by_a_forgotten_where(
    database: RolledBack, ann: Actor, bob: Actor, shop: Project
) -> None:
    for statement in (
        "update projects set name = 'Taken' returning id",
        "update deployments set branch = 'taken' returning id",
        "update env_variables set key = 'TAKEN' returning id",
        "update tokens set name = 'taken' returning id",
        "delete from env_variables returning id",
        "delete from tokens returning id",
        "delete from projects returning id",
    ):
        assert await as_web(database, ann, statement) == [], statement
    others = "update users set name = 'taken' where id <> $1 returning id"
    assert await as_web(database, ann, others, ann.id) == []
    assert [row["name"] for row in await database.fetch("select name from projects")] == ["Shop"]


async def test_nobody_writes_into_what_is_somebody_elses(
    database: RolledBack, ann: Actor, bob: Actor, shop: Project
) -> None:
    for statement, values in (
        (
            "insert into projects (id, owner_id, name, slug) values ($1, $2, 'X', 'x')",
            (uuid7(), bob.id),
        ),
        (
            "insert into env_variables (id, project_id, key, value_sealed, target)"
            " values ($1, $2, 'B', '', 'production')",
            (uuid7(), shop.id),
        ),
        (
            "insert into tokens (id, user_id, name, digest, start) values ($1, $2, 'x', 'x', 'x')",
            (uuid7(), bob.id),
        ),
        (
            "insert into events (id, name, actor_id, payload) values ($1, 'forged', $2, '{}')",
            (uuid7(), bob.id),
        ),
    ):
        said = await refused(database, ann, statement, *values)
        assert "row-level security" in said, statement


async def test_nobody_moves_a_row_of_theirs_to_somebody_else(
    database: RolledBack, ann: Actor, shop: Project
) -> None:
    mine = await make.project(database, ann, name="Mine")
    await database.fetch(
        "insert into env_variables (id, project_id, key, value_sealed, target)"
        " values ($1, $2, 'MINE', '', 'production')",
        uuid7(),
        mine.id,
    )
    move = "update env_variables set project_id = $1 where key = 'MINE'"

    assert "row-level security" in await refused(database, ann, move, shop.id)


async def test_a_project_is_deleted_softly_and_restored_behind_the_wall(
    database: RolledBack, bob: Actor, shop: Project
) -> None:
    gone = "update projects set deleted_at = now() where id = $1 returning id"
    back = "update projects set deleted_at = null where id = $1 returning id"

    assert len(await as_web(database, bob, gone, shop.id)) == 1
    assert len(await as_web(database, bob, back, shop.id)) == 1


async def test_the_platform_still_counts_everything(
    database: RolledBack, ann: Actor, bob: Actor, shop: Project
) -> None:
    """What admins and jobs read works as the other role (B-052)."""
    [counted] = await database.fetch_as("windlass_system", "select count(*) from projects")
    [people] = await database.fetch_as("windlass_system", "select count(*) from users")

    assert counted["count"] == 1
    assert people["count"] >= 2


async def test_history_is_added_to_and_never_changed(
    database: RolledBack, bob: Actor, shop: Project
) -> None:
    for statement in ("update events set address = 'x'", "delete from events", "truncate events"):
        for who in (None, bob):
            said = await refused(database, who, statement)
            assert re.search("only ever added|permission denied|must be owner", said), said


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("users", "plan", "PLATINUM"),
        ("users", "username", "Ann B"),
        ("users", "email", "Ann@Example.com"),
        ("deployments", "status", "DONE"),
        ("env_variables", "target", "staging"),
        ("sources", "kind", "floppy"),
        ("sources", "status", "DONE"),
    ],
)
async def test_the_schema_refuses_values_that_are_none(
    database: RolledBack, shop: Project, table: str, column: str, value: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await database.fetch(f"update {table} set {column} = $1", value)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("users", "email"),
        ("users", "username"),
        ("projects", "owner_id, slug"),
        ("sites", "host"),
        ("env_variables", "project_id, key, target"),
        ("accounts", "provider, provider_account_id"),
        ("team_members", "team_id, user_id"),
        ("team_projects", "team_id, project_id"),
        ("teams", "slug"),
        ("tokens", "digest"),
    ],
)
async def test_what_must_be_there_once_is_unique(
    database: RolledBack, table: str, columns: str
) -> None:
    rows = await database.fetch(
        "select indexdef from pg_indexes where tablename = $1 and indexdef like 'CREATE UNIQUE%'",
        table,
    )

    assert any(row["indexdef"].endswith(f"({columns})") for row in rows)


async def test_foreign_keys_have_an_index(database: RolledBack) -> None:
    """Deleting a parent must not read the whole child (C-020); a unique one counts."""
    rows = await database.fetch(
        "select conrelid::regclass::text as tab, a.attname as col from pg_constraint c"
        " join pg_attribute a on a.attrelid = conrelid and a.attnum = conkey[1]"
        " where contype = 'f' and connamespace = 'public'::regnamespace and confdeltype = 'c'"
        " and not exists (select from pg_index i where i.indrelid = conrelid"
        " and i.indkey[0] = conkey[1]) order by 1, 2"
    )

    assert [f"{row['tab']}.{row['col']}" for row in rows] == []


async def test_the_line_of_the_queue_is_nobodys_to_read_or_to_change(
    database: RolledBack, settings: Settings, bob: Actor
) -> None:
    project = await make.project(database, bob)
    source = await make.source(database, BlobStore(settings.folder / "blobs"), bob)
    await make.deployment(database, project, source, bob)
    await database.fetch("select queue_settle()")
    assert len(await database.fetch("select from queue_line where owner_id = $1", bob.id)) == 1

    for table in ("queue_line", "queue_changes"):
        assert await as_web(database, bob, f"select * from {table}") == []
        assert await as_web(database, bob, f"delete from {table} returning 1") == []
    assert "row-level security" in await refused(
        database, bob, "insert into queue_changes (owner_id) values ($1)", bob.id
    )
    assert len(await database.fetch("select from queue_line where owner_id = $1", bob.id)) == 1
