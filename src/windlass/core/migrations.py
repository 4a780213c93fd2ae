"""Where the schema stands, and moving it. Alembic is only imported when something has to move."""

import sys
from pathlib import Path

import asyncpg

import windlass

_FILE_NAME = "%%(year)d-%%(month).2d-%%(day).2d-%%(hour).2d%%(minute).2d_%%(slug)s"
_CURRENT = "select version_num from alembic_version"


def folder() -> Path:
    """The migrations: inside the installed package, or beside `src` in a checkout."""
    package = Path(windlass.__file__).parent
    packed = package / "migrations"
    return packed if packed.exists() else package.parents[1] / "migrations"


def head() -> str:
    """The newest revision: file names sort by time, `2026-11-21-0900_initial.py`."""
    newest = max(path.name for path in folder().glob("versions/*.py"))
    return newest.split("_")[0].replace("-", "")


async def current(connection: asyncpg.Connection) -> str | None:
    """The revision that the database has; None when it has no schema yet."""
    try:
        return await connection.fetchval(_CURRENT)
    except asyncpg.UndefinedTableError:
        return None


def alembic(url: str, *command: str) -> None:
    """Run one Alembic command against a database: `upgrade head`, `downgrade base`, `check`…"""
    from alembic.config import CommandLine, Config

    config = Config()
    config.set_main_option("script_location", str(folder()))
    config.set_main_option("file_template", _FILE_NAME)
    address = url.replace("postgresql://", "postgresql+asyncpg://", 1)
    config.set_main_option("sqlalchemy.url", address.replace("%", "%%"))
    line = CommandLine(prog="windlass-migrations")
    options = line.parser.parse_args(command)
    line.run_cmd(config, options)


if __name__ == "__main__":
    alembic(sys.argv[1], *sys.argv[2:])
