"""Our web process on a TCP port, as `windlass up` runs it on a Unix socket: for api_list.py."""

import asyncio
import gc
import sys

import uvloop

from windlass import app, worker
from windlass.core import environment, log
from windlass.core.blobs import BlobStore
from windlass.core.crypto import KeyRing
from windlass.core.db import Database
from windlass.core.live import Live
from windlass.core.server import Server, config


async def main(url: str, port: int) -> None:
    # What is done after a fact is known to the web process, too: it makes the jobs.
    assert worker.MODULES
    found = environment.load()
    log.configure(found.log_level)
    system = Database(url, pool_size=found.database.pool_size)
    database = Database(url, pool_size=found.database.pool_size, for_tenants=True)
    live = Live(system)
    keys, blobs = KeyRing.load(found.folder / "keys"), BlobStore(found.folder / "blobs")
    site = app.build(found, database, system, live, keys, blobs)
    listening = asyncio.create_task(live.run())
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    serving = Server(config(site, port=port))
    await serving.serve()
    listening.cancel()


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main(sys.argv[1], int(sys.argv[2])))
