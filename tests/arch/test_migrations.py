"""Migrations run up, down and up again on a database with rows in it, and make the models."""

import asyncio
import datetime as dt
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from windlass.adapters.postgres import EmbeddedPostgres
from windlass.core import migrations

pytestmark = pytest.mark.anyio
_FILES = sorted(migrations.folder().glob("versions/*.py"))
_REVISIONS = [path.name.split("_")[0].replace("-", "") for path in _FILES]
_OURS = """
select c.table_name, c.column_name, c.data_type, c.is_nullable = 'YES', c.column_default,
  c.is_identity = 'YES',
  (select f.confrelid::regclass::text from pg_constraint f join pg_attribute a
     on a.attrelid = f.conrelid and a.attnum = any(f.conkey)
   where f.contype = 'f' and f.conrelid = c.table_name::regclass
     and a.attname = c.column_name limit 1),
  (select pg_get_constraintdef(k.oid) from pg_constraint k join pg_attribute a
     on a.attrelid = k.conrelid and k.conkey = array[a.attnum]
   where k.contype = 'c' and k.conrelid = c.table_name::regclass
     and a.attname = c.column_name limit 1)
from information_schema.columns c join information_schema.tables t using (table_name, table_schema)
where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
  and c.table_name not like 'pgqueuer%' and c.table_name <> 'alembic_version'
order by c.table_name, c.ordinal_position
"""


@pytest.fixture
async def empty(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The address of a database with nothing in it."""
    name = f"migrations_{uuid4().hex[:8]}"
    admin = await asyncpg.connect(postgres.url_of("postgres"))
    await admin.execute(f'create database "{name}"')
    yield postgres.url_of(name)
    await admin.execute(f'drop database "{name}" with (force)')
    await admin.close()


def _alembic(url: str, *command: str) -> None:
    """In a process of its own, as the control plane does it."""
    argv = [sys.executable, "-m", "windlass.core.migrations", url, *command]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr[-3000:]}"


async def _step(url: str, *command: str) -> None:
    """Here: a process of its own for each would take most of the time."""
    await asyncio.to_thread(migrations.alembic, url, *command)


async def _fill(url: str) -> dict[str, int]:
    """One row in every table of whatever schema is there; returns how many rows each has."""
    connection = await asyncpg.connect(url)
    tables: dict[str, list[asyncpg.Record]] = {}
    for column in await connection.fetch(_OURS):
        tables.setdefault(column[0], []).append(column)
    filled: dict[str, UUID | None] = {}
    while waiting := [name for name in tables if name not in filled]:
        ready = next(name for name in waiting if _parents(name, tables[name]) <= filled.keys())
        filled[ready] = await _insert(connection, ready, tables[ready], filled)
    counts = {name: await connection.fetchval(f'select count(*) from "{name}"') for name in tables}
    await connection.close()
    return counts


def _parents(name: str, columns: list[asyncpg.Record]) -> set[str]:
    """Tables that must have a row before this one; what may be null, and itself, can wait."""
    return {column[6] for column in columns if column[6] and not column[3]} - {name}


async def _insert(
    connection: asyncpg.Connection,
    table: str,
    columns: list[asyncpg.Record],
    filled: dict[str, UUID | None],
) -> UUID | None:
    values = {
        name: filled[parent] if parent else _value(kind, check or "")
        for _, name, kind, nullable, default, identity, parent, check in columns
        if default is None and not identity and not (parent and nullable)
    }
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    # The names come from the database's own catalogue.
    await connection.execute(f'insert into "{table}" ({names}) values ({marks})', *values.values())
    return values.get("id") if isinstance(values.get("id"), UUID) else None


def _value(kind: str, check: str) -> object:
    if (allowed := re.search(r"'([^']+)'::", check)) and "~" not in check:
        return allowed[1]
    now = dt.datetime.now(dt.UTC)
    samples: dict[str, object] = {
        "uuid": uuid4(),
        "bytea": uuid4().bytes,
        "bigint": 1,
        "integer": 1,
        "double precision": 1.5,
        "boolean": True,
        "timestamp with time zone": now,
        "jsonb": "{}",
        "ARRAY": ["project:read"],
    }
    return samples.get(kind, f"text_{uuid4().hex}")


async def test_up_down_and_up_again_with_rows_in_every_table(empty: str) -> None:
    for revision in _REVISIONS:
        await _step(empty, "upgrade", revision)
        before = await _fill(empty)
        assert before
        assert 0 not in before.values()
    for revision in reversed(["base", *_REVISIONS[:-1]]):
        await _step(empty, "downgrade", revision)

    assert await _left_over(empty) == []

    _alembic(empty, "upgrade", "head")
    assert 0 not in (await _fill(empty)).values()


async def _left_over(url: str) -> list[str]:
    """What a complete downgrade did not remove."""
    connection = await asyncpg.connect(url)
    query = """
      select relname::text as name from pg_class
        where relnamespace = 'public'::regnamespace
          and relname not in ('alembic_version', 'alembic_version_pkc')
      union all select proname::text from pg_proc where pronamespace = 'public'::regnamespace
      union all select typname::text from pg_type
        where typnamespace = 'public'::regnamespace and typname not like '%alembic_version'
    """
    found = [row["name"] for row in await connection.fetch(query)]
    await connection.close()
    return found


def test_models_and_migrations_agree(postgres: EmbeddedPostgres) -> None:
    """Run `make migration m="area: what changes"` when this fails."""
    _alembic(postgres.url, "check")


def test_the_name_of_the_newest_file_is_the_newest_revision() -> None:
    """The control plane reads the head from the file names, without importing Alembic."""
    declared = [
        re.search(r'^revision(?:: str)? = ["\'](\d+)["\']', path.read_text(), re.M)
        for path in _FILES
    ]

    assert [found and found[1] for found in declared] == _REVISIONS
    assert migrations.head() == _REVISIONS[-1]


def test_every_migration_limits_how_long_it_may_lock() -> None:
    for path in _FILES:
        assert path.read_text().count("lock_timeout") >= 2, path.name
