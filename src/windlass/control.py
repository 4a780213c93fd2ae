"""The control plane in one process: web and worker, and the embedded database beside it.

One process instead of two saves 40 MB; `windlass web` and `windlass worker` are the same parts for
installations that want them apart.
"""

import gc

# What is imported stays for good, and what is built of it: to look through all of it again and
# again is a fifth of the start. `_start` turns the collector on.
if __name__ == "__main__":
    gc.disable()

import asyncio
import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import click
import uvloop
from litestar import Litestar

import windlass
from windlass import app, example, worker
from windlass.adapters.postgres import EmbeddedFailed, EmbeddedPostgres
from windlass.auth import service as auth
from windlass.builds import uids
from windlass.core import environment, log, migrations
from windlass.core.blobs import BlobStore
from windlass.core.crypto import KeyRing, write_secret
from windlass.core.db import Database
from windlass.core.environment import InvalidSettings
from windlass.core.live import Live
from windlass.core.server import Server, config
from windlass.core.settings import Settings

_LOCK_SECONDS = 20.0
_WATCH_SECONDS = 2.0
_STOP_SECONDS = 30


class CannotStart(Exception):
    """The control plane cannot start; the text says why and what to do."""


def command() -> None:
    """Run web and worker until told to stop."""
    main(("web", "worker"))


@click.command("web")
def web() -> None:
    """Run the API and the pages."""
    sys.exit(main(("web",)))


@click.command("worker")
def work() -> None:
    """Run builds, jobs and loops."""
    sys.exit(main(("worker",)))


def main(parts: tuple[str, ...]) -> int:
    """Returns the exit code: 1 with one line when it cannot start."""
    try:
        settings = environment.load()
        # Together they are somebody's `windlass up`: the terminal is for people.
        file = settings.folder / "logs" / "control.log" if len(parts) > 1 else None
        log.configure(settings.log_level, file=file)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, parts))
    except (CannotStart, EmbeddedFailed, InvalidSettings) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _serve(settings: Settings, parts: tuple[str, ...]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    home = settings.folder
    lock = await _hold_lock(home / "run" / f"{'-'.join(parts)}.lock")
    embedded = None
    if not settings.database_url:
        embedded = EmbeddedPostgres(home, uid=uids.of_postgres(settings))
        await embedded.start()
    database = Database(
        embedded.url if embedded else settings.database_url,
        pool_size=settings.database.pool_size,
    )
    await _migrate(database)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = await _start(settings, database, parts, tasks)
            if embedded is not None:
                running.append(tasks.create_task(_watch(embedded)))
            await stopped.wait()
            # Nobody may be left who ends a process that hangs: the kernel does.
            signal.alarm(_STOP_SECONDS)
            for task in running:
                task.cancel()
    finally:
        await database.close()
        if embedded is not None and "worker" in parts and "web" in parts:
            await embedded.stop()
        os.close(lock)


async def _start(
    settings: Settings, database: Database, parts: tuple[str, ...], tasks: asyncio.TaskGroup
) -> list[asyncio.Task[None]]:
    live = Live(database)
    keys = KeyRing.load(settings.folder / "keys", settings.secrets.data_keys)
    running = [tasks.create_task(live.run())]
    async with database.transaction() as db:
        link = await auth.ensure_owner(db, settings.folder / "keys")
    ctx = worker.context(settings, database, live, keys)
    if "web" in parts:
        blobs = BlobStore(settings.folder / "blobs")
        tenants = Database(database.url, pool_size=settings.database.pool_size, for_tenants=True)
        site = app.build(settings, tenants, database, live, keys, blobs)
        running.append(tasks.create_task(_serve_web(settings, site)))
    if "worker" in parts:
        running.append(tasks.create_task(worker.run(ctx)))
    if "web" in parts:
        running.append(tasks.create_task(_greet(ctx, link)))
    # What was imported and built stays for good: the collector need not look at it again and
    # again, and what it took for a moment goes back to the system.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
    ctypes.CDLL(None).malloc_trim(0)
    return running


async def _serve_web(settings: Settings, site: Litestar) -> None:
    path = settings.folder / "run" / "web.sock"
    path.unlink(missing_ok=True)
    server = Server(config(site, uds=str(path)))
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        server.stopping.set()
        # Open streams would wait for ever; visitors reconnect to the next process.
        server.force_exit = True
        await asyncio.wait({serving}, timeout=5)
        await site.state.database.close()


async def _greet(ctx: worker.Ctx, link: str | None) -> None:
    """Tell whoever started us where everything is; on the first start deploy the example."""
    settings = ctx.settings
    write_secret(settings.folder / "run" / "windlass.json", f'{{"url": "{settings.panel_url}"}}\n')
    lines = [f"Windlass {windlass.__version__} is up", "", f"  Panel    {settings.panel_url}"]
    if link is not None:
        where = f"{settings.panel_url}/setup?token={link}"
        lines.append(f"  Set up   {where}  (once: the owner's e-mail and password)")
    if (url := await example.deploy_once(ctx)) is not None:
        lines.append(f"  Example  {url}")
    lines += ["", "  windlass deploy   in any folder puts it online.  Ctrl-C stops everything.", ""]
    print("\n".join(lines), flush=True)  # noqa: T201


async def _watch(embedded: EmbeddedPostgres) -> None:
    """The database is started again when it died."""
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        if embedded.pid() is None:
            log.get().error("database.died", fix="it is started again")
            with contextlib.suppress(EmbeddedFailed):
                await embedded.start()


async def _migrate(database: Database) -> None:
    """Bring the schema up to date. Alembic runs in a process of its own: it is 15 MB."""
    try:
        connection = await database.connect()
    except (OSError, asyncpg.PostgresError) as error:
        raise CannotStart(f"The database does not answer: {error}") from error
    try:
        current = await migrations.current(connection)
    finally:
        await connection.close()
    if current == migrations.head():
        return
    if current is not None and current > migrations.head():
        raise CannotStart("The database belongs to a newer Windlass. Install that one.")
    argv = [sys.executable, "-m", "windlass.core.migrations", database.url, "upgrade", "head"]
    done = await asyncio.to_thread(
        subprocess.run, argv, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CannotStart(f"The migration failed:\n{done.stderr.strip()}")


async def _hold_lock(path: Path) -> int:
    """One control plane for a home; the one before may still be stopping."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                text = f"Another Windlass runs in {path.parents[1]} already."
                raise CannotStart(text) from None
            await asyncio.sleep(0.1)
        else:
            return lock


if __name__ == "__main__":
    sys.exit(main(("web", "worker")))
