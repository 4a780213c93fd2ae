"""A whole edge in the test's own event loop: real sockets, real files, real processes."""

import asyncio
import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.running import PATIENCE_SECONDS, free_port

from windlass.core import links, process
from windlass.core import site as sites
from windlass.core.launch import Exit, Launch
from windlass.core.process import Process
from windlass.core.site import File, Site
from windlass.edge.config import Config
from windlass.edge.connection import Connection
from windlass.edge.control import Control
from windlass.edge.runner import Start, memory_bytes
from windlass.edge.server import Server
from windlass.edge.supervisor import Supervisor

ECHO_APP = Path(__file__).with_name("echo_app.py")


def put_release(
    home: Path,
    deployment: str,
    files: dict[str, bytes],
    *,
    variants: dict[str, tuple[bytes, bytes]] | None = None,
    **options: object,
) -> Site:
    """A static release; `variants` gives the gzip and brotli content of a file."""
    folder = sites.folder(home, deployment)
    known: dict[str, File] = {}
    for path, content in files.items():
        target = folder / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        gz, br = (variants or {}).get(path, (b"", b""))
        for extension, variant in ((".gz", gz), (".br", br)):
            if variant:
                target.with_name(target.name + extension).write_bytes(variant)
        known[path] = File(hashlib.sha256(content).hexdigest(), len(content), len(gz), len(br))
    folder.mkdir(parents=True, exist_ok=True)
    site = Site(deployment=deployment, kind="static", files=known, **options)  # pyright: ignore
    sites.write(folder, site)
    return site


def put_app(
    home: Path,
    deployment: str,
    *,
    argv: tuple[str, ...] = (sys.executable, str(ECHO_APP)),
    env: dict[str, str] | None = None,
    mask: tuple[str, ...] = (),
    workers: tuple[Process, ...] = (),
    **options: object,
) -> Site:
    """A server release that runs the echo app on a free port."""
    folder = sites.folder(home, deployment)
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    site = Site(deployment=deployment, kind="server", port=port, **options)  # pyright: ignore
    variables = {"PORT": str(port), "NAME": deployment, **(env or {})}
    launch = Launch(name=f"app-{deployment}", argv=argv, env=variables)
    process.write(home, deployment, Process(launch=launch, mask=mask, others=workers))
    sites.write(folder, site)
    return site


def worker(code: str, name: str = "worker", **options: object) -> Process:
    """A process beside the web process: some Python."""
    launch = Launch(name=f"app-x-{name}", argv=(sys.executable, "-uc", code))
    return Process(launch=launch, name=name, **options)  # pyright: ignore


class LocalRunning:
    """A process on the host's loopback with the interface of `core.launch.Running`."""

    def __init__(self, child: subprocess.Popen[bytes], on_output: Callable[[bytes], None]) -> None:
        self.pid = child.pid
        self._child = child
        self._ended = asyncio.create_task(self._follow(on_output))

    async def _follow(self, on_output: Callable[[bytes], None]) -> Exit:
        stdout = self._child.stdout
        assert stdout is not None
        while data := await asyncio.to_thread(os.read, stdout.fileno(), 65536):
            on_output(data)
        stdout.close()
        code = await asyncio.to_thread(self._child.wait)
        return Exit(code if code >= 0 else None, -code if code < 0 else None)

    async def wait(self) -> Exit:
        return await asyncio.shield(self._ended)

    async def terminate(self, *, grace_seconds: float) -> Exit:
        if not self._ended.done():
            self._child.send_signal(signal.SIGTERM)
        done, _ = await asyncio.wait({self._ended}, timeout=grace_seconds)
        if not done:
            self._child.kill()
        return await self.wait()

    def memory_bytes(self) -> int:
        return memory_bytes(self.pid)

    async def dial(self, port: int) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        except BaseException:
            sock.close()
            raise
        return sock


async def start_locally(process: Process, on_output: Callable[[bytes], None]) -> LocalRunning:
    child = subprocess.Popen(  # noqa: ASYNC220 - as the sandbox does
        process.launch.argv,
        env=process.launch.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return LocalRunning(child, on_output)


class Edge:
    """What a test sees of the running edge."""

    def __init__(self, home: Path, *, start: Start = start_locally, **options: object) -> None:
        self.home = home
        self.config = Config(home=home, **options)  # pyright: ignore
        self.supervisor = Supervisor(home, start=start, first_retry_seconds=0.05)
        self.server = Server(self.config, self.supervisor)
        self.control = Control(self.server, self.supervisor)
        self.port = 0
        self.generation = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._public = await loop.create_server(lambda: Connection(self.server), "127.0.0.1", 0)
        self.port = self._public.sockets[0].getsockname()[1]
        self._private = await loop.create_unix_server(
            lambda: Connection(self.control, peer="local"), str(self.home / "run" / "edge.sock")
        )
        self.supervisor.watch()

    async def stop(self) -> None:
        self._public.close()
        self._private.close()
        self.control.close()
        await self.server.drain(0.2)
        await self.supervisor.close()

    def switch(self, deployment: str, host: str = "a.localhost") -> None:
        self.generation += 1
        assert links.switch(self.home, host, deployment, self.generation)


async def eventually(is_true: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a real process to do what it was asked."""
    end = asyncio.get_running_loop().time() + seconds
    while not is_true():
        assert asyncio.get_running_loop().time() < end, "it did not happen in time"
        await asyncio.sleep(0.01)
