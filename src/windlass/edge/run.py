"""The life of the edge process: one per instance, from its lock to its last request."""

import asyncio
import contextlib
import fcntl
import os
import resource
import signal
import socket
from pathlib import Path

from windlass.core import launch, links
from windlass.edge import log
from windlass.edge.config import Config
from windlass.edge.connection import Connection
from windlass.edge.control import Control
from windlass.edge.runner import Start, Starter
from windlass.edge.server import Server
from windlass.edge.supervisor import Supervisor

BACKLOG = 4096
MAX_SOCKET_PATH_BYTES = 107
_SPARE_DESCRIPTORS = 200
_SWEEP_SECONDS = 10.0


class CannotStart(Exception):
    """The edge cannot start; the text says why and what to do."""


def hold_lock(home: Path) -> int:
    """Make sure that there is one edge for this home. Raises CannotStart."""
    (home / "run").mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(home / "run" / "edge.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise CannotStart(f"Another edge serves {home} already.") from None
    return lock


async def serve(config: Config, *, start: Start | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raises CannotStart."""
    starter = Starter(config.home, config.engine)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    supervisor = Supervisor(
        config.home, start=start or starter, data_keys=config.data_keys, logs=config.logs
    )
    server = Server(config, supervisor)
    control = Control(server, supervisor)
    public = await _listen(config, server)
    supervisor.watch()
    # Before anybody can ask for a release to be warmed, whose container may be among them.
    await _sweep_containers(starter, config.home)
    private = await _listen_privately(config.home, control)
    port = public[0].sockets[0].getsockname()[1]
    _write(config.home / "run" / "edge.port", str(port))
    _write(config.home / "run" / "edge.pid", str(os.getpid()))
    log.event("edge.started", port=port, pid=os.getpid())
    await stopped.wait()
    for listener in (*public, private):
        listener.close()
    control.close()
    await server.drain(config.stop_seconds)
    await supervisor.close()
    await starter.close()
    for name in ("edge.pid", "edge.port", "edge.sock"):
        (config.home / "run" / name).unlink(missing_ok=True)
    log.event("edge.stopped", pid=os.getpid())


def sweep() -> None:
    """End the apps of an edge that was killed."""
    for name in launch.sweep("app-"):
        log.event("edge.swept", launch=name)


async def _sweep_containers(starter: Starter, home: Path) -> None:
    """Containers of releases that a host serves are gone on with; the others have nobody."""
    keep = frozenset(links.routes(home).values())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SWEEP_SECONDS):
            for name in await starter.sweep(keep):
                log.event("edge.swept", launch=name)


def raise_limits(config: Config) -> Config:
    """Use all file descriptors the system grants, and admit no more visitors than they allow."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # A visitor of an app needs two.
    possible = max(50, (hard - _SPARE_DESCRIPTORS) // 2)
    if hard == resource.RLIM_INFINITY or possible >= config.max_connections:
        return config
    return config.with_connections(possible)


async def _listen(config: Config, server: Server) -> list[asyncio.Server]:
    loop = asyncio.get_running_loop()
    listeners: list[asyncio.Server] = []
    port = config.port
    for address in config.bind:
        sock = _bound(address, port)
        if sock is None:
            continue
        port = sock.getsockname()[1]
        listeners.append(
            await loop.create_server(lambda: Connection(server), sock=sock, backlog=BACKLOG)
        )
    if not listeners:
        raise CannotStart(f"None of {', '.join(config.bind)} is an address of this machine.")
    return listeners


def _bound(address: str, port: int) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        sock.bind((address, port))
    except PermissionError:
        raise CannotStart(f"Port {port} needs more rights. Choose one above 1023.") from None
    except OSError as error:
        sock.close()
        if error.errno == 98:
            raise CannotStart(f"Port {port} is taken on {address}. Choose another.") from None
        # A machine without IPv6 has no ::1.
        return None
    sock.setblocking(False)
    return sock


async def _listen_privately(home: Path, control: Control) -> asyncio.Server:
    path = home / "run" / "edge.sock"
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    if len(str(path).encode()) > MAX_SOCKET_PATH_BYTES:
        raise CannotStart(f"{home} is too long a name for a home: its sockets need a shorter one.")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(path))
    os.chmod(path, 0o600)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    return await loop.create_unix_server(lambda: Connection(control, peer="local"), sock=sock)


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text)
    draft.replace(path)
