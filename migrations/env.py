"""How Alembic reaches the database: the URL is given by `windlass.core.migrations`."""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

import windlass.auth.models
import windlass.builds.models
import windlass.clusters.models
import windlass.core.events
import windlass.core.idempotency
import windlass.deployments.models
import windlass.deployments.switches
import windlass.previews.models
import windlass.projects.models
import windlass.releases.models
import windlass.teams.models
import windlass.webhooks.models  # noqa: F401 - every table must be known to compare
from windlass.core.db import Model


def include_object(_object: object, name: str | None, *_: object) -> bool:
    """The job queue's tables belong to pgqueuer."""
    return not (name or "").startswith("pgqueuer")


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Model.metadata,
        include_object=include_object,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    url = context.config.get_main_option("sqlalchemy.url") or ""
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


asyncio.run(main())
