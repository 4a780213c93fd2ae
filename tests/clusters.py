"""A database with its schema, made once for a run of the suite and copied: `initdb` and thirty
migrations take two seconds of a processor, a copy a tenth of one."""

import asyncio
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from windlass.adapters.postgres import EmbeddedPostgres
from windlass.core import migrations

UID = 210_000
_FOLDER = "cluster"
_kept: list[Path] = []


def keep_in(folder: Path) -> None:
    """Where the one of this run is; all workers say the same."""
    _kept[:] = [folder]


def is_kept() -> bool:
    """Not outside of the suite: a benchmark measures the whole."""
    return bool(_kept)


def put(home: Path) -> None:
    """Give this `<home>` a database that was migrated and stopped."""
    source = _made(_kept[0]) / "postgres"
    shutil.copytree(source, home / "postgres")
    if os.geteuid() == 0:
        for path in [home / "postgres", *(home / "postgres").rglob("*")]:
            os.chown(path, UID, -1)


def _made(folder: Path) -> Path:
    done = folder / _FOLDER
    with (folder / "cluster.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            # The path of a socket must be short.
            with tempfile.TemporaryDirectory(prefix="wl") as draft:
                asyncio.run(_make(Path(draft)))
                shutil.copytree(draft, done, ignore=shutil.ignore_patterns("run"))
    return done


async def _make(home: Path) -> None:
    server = EmbeddedPostgres(home, uid=UID)
    await server.start()
    await asyncio.to_thread(migrations.alembic, server.url, "upgrade", "head")
    await server.stop()
