"""The control plane ends when it is told to, whatever hangs in it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.running import PATIENCE_SECONDS

from windlass.adapters.postgres import EmbeddedPostgres

_HANGS = """
import asyncio, sys, time
from windlass import control

async def start(settings, database, parts, tasks):
    print("up", flush=True)
    return [tasks.create_task(asyncio.to_thread(time.sleep, 600))]

control._start = start
control._STOP_SECONDS = 1
sys.exit(control.main(("web",)))
"""


def test_a_thread_that_hangs_does_not_keep_it_alive(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    given = {"WINDLASS_HOME": str(tmp_path / "home"), "WINDLASS_DATABASE_URL": postgres.url}
    process = subprocess.Popen(
        [sys.executable, "-c", _HANGS], env={**os.environ, **given}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=PATIENCE_SECONDS) == -signal.SIGALRM
    process.stdout.close()
