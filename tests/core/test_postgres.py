"""The embedded database after its server was killed."""

import os
import select
import signal
from pathlib import Path

import asyncpg
import pytest

from windlass.adapters.postgres import EmbeddedPostgres

pytestmark = pytest.mark.anyio


async def test_what_a_killed_server_left_is_ended_before_the_next_one_starts(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    server = EmbeddedPostgres(tmp_path, uid=postgres.uid)
    await server.start()
    connection = await asyncpg.connect(server.url)
    busy = await connection.fetchval("select pg_backend_pid()")
    gone = os.pidfd_open(busy)
    # In the middle of a statement it does not notice that its server is no more.
    os.kill(busy, signal.SIGSTOP)
    killed = server.pid()
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    # The number of a process that nobody has reaped, or that the system has given away again.
    (server.sockets / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n{server.data}\n")
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")

    await server.start()

    assert select.select([gone], [], [], 0)[0], "the session of the killed server is still there"
    os.close(gone)
    connection.terminate()
    again = await asyncpg.connect(server.url)
    assert await again.fetchval("select 1") == 1
    await again.close()
    await server.stop()
