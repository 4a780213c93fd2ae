"""Write a migration: what the models have and a database at the newest revision has not.

usage: python packaging/migration.py "domains: add verified_at"
"""

import asyncio
import datetime as dt
import subprocess
import sys
import tempfile
from pathlib import Path

from windlass.adapters.postgres import EmbeddedPostgres
from windlass.builds import uids
from windlass.core.settings import Settings


async def main(message: str) -> int:
    """Returns the exit code of Alembic."""
    with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
        home = Path(folder)
        postgres = EmbeddedPostgres(home, uid=uids.of_postgres(Settings()))
        await postgres.start()
        try:
            alembic = [sys.executable, "-m", "windlass.core.migrations", postgres.url]
            # Revisions are the time in the file's name: the newest name is the head.
            revision = f"{dt.datetime.now().astimezone():%Y%m%d%H%M}"
            write = ["revision", "--autogenerate", "--rev-id", revision, "-m", message]
            for command in (["upgrade", "head"], write):
                done = await asyncio.to_thread(subprocess.run, [*alembic, *command], check=False)
                if done.returncode != 0:
                    return done.returncode
        finally:
            await postgres.stop()
    return 0


sys.exit(asyncio.run(main(sys.argv[1])))
