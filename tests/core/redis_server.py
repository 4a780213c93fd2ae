"""A real Redis on a socket of its own, for one test."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.running import until

needed = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)


class RedisServer:
    """It may be killed and started again; nothing of it is kept on a disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        argv = ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self._process = subprocess.Popen(argv, cwd=self.folder, stdout=subprocess.DEVNULL)
        until(self._answers, what="redis-server")

    def kill(self) -> None:
        """SIGKILL: connections break in the middle."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, *words: str) -> str:
        """One command by redis-cli."""
        argv = ["redis-cli", "-s", str(self.socket), *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def _answers(self) -> bool:
        return os.path.exists(self.socket) and self.ask("ping") == "PONG"
