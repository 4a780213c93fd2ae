"""How the worker talks to the edge: a few JSON requests over `run/edge.sock`.

The socket is its owner's only. Nothing breaks when a request is lost, because the edge acts on what
is in the file system anyway.
"""

import os
import time
from collections.abc import Coroutine
from datetime import UTC, datetime

import msgspec

import windlass
from windlass.core.site import Site
from windlass.core.tally import Tally
from windlass.edge import bodies
from windlass.edge.connection import Connection
from windlass.edge.replies import STATUS_LINES, Reply
from windlass.edge.request import Request
from windlass.edge.server import Server
from windlass.edge.supervisor import AppStatus, Supervisor, WarmFailed
from windlass.edge.wire import Broken

MAX_BODY_BYTES = 64 * 1024
_MOST = 100


class Status(msgspec.Struct, frozen=True):
    """Answer of `GET /status`."""

    pid: int
    version: str
    started_at: str
    apps: dict[str, AppStatus]


class Warm(msgspec.Struct, frozen=True):
    """Body of `POST /warm`. `host` is what the app sees as its Host while it is asked."""

    deployment: str
    deadline_seconds: float = 60.0
    host: str = "localhost"


class Settle(msgspec.Struct, frozen=True):
    """Body of `POST /settle`."""

    deployment: str
    steady_seconds: float


class Stop(msgspec.Struct, frozen=True):
    """Body of `POST /stop`."""

    deployment: str


class Asked(msgspec.Struct, frozen=True):
    """Body of `POST /traffic`."""

    deployments: list[str]


class Traffic(msgspec.Struct, frozen=True):
    """Answer of `POST /traffic`: counts since this run of the edge began, and which run it is."""

    run: str
    tallies: dict[str, Tally]


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answer of the other requests."""

    ok: bool
    seconds: float | None = None
    reason: str | None = None
    log: list[str] | None = None


class Control:
    """A service for `Connection`, like the public one."""

    def __init__(self, server: Server, supervisor: Supervisor) -> None:
        self._server = server
        self.patience = server.patience
        self._supervisor = supervisor
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._connections: set[Connection] = set()
        self.is_stopping = False
        self.close_end = b"Connection: close\r\n\r\n"
        self.keep_alive_end = b"\r\n"

    @property
    def now(self) -> float:
        """The clock of the deadlines; nobody looks at them here, the caller is our own."""
        return time.monotonic()

    def admit(self, connection: Connection) -> bool:
        """Every caller is welcome."""
        self._connections.add(connection)
        return True

    def forget(self, connection: Connection) -> None:
        """A caller has left."""
        self._connections.discard(connection)

    def report(self, message: str, error: BaseException) -> None:
        """Log a fault of our own."""
        self._server.report(message, error)

    def close(self) -> None:
        """End every connection after its answer."""
        self.is_stopping = True
        for connection in list(self._connections):
            connection.stop()

    def route(self, request: Request, connection: Connection) -> Coroutine[None, None, None]:
        """Everything here may take time."""
        return self._serve(request, connection)

    async def _serve(self, request: Request, connection: Connection) -> None:
        try:
            body = await bodies.whole(request, connection, most=MAX_BODY_BYTES)
            status, answer = await self._answer(request, body)
        except msgspec.MsgspecError as error:
            status, answer = 400, Outcome(ok=False, reason=str(error))
        if connection.is_gone:
            raise Broken("the caller left")
        connection.send(request, _json(status, answer))

    async def _answer(self, request: Request, body: bytes) -> tuple[int, msgspec.Struct]:
        match request.method, request.path:
            case b"GET", b"/status":
                return 200, self._status()
            case b"POST", b"/warm":
                return await self._warm(msgspec.json.decode(body, type=Warm))
            case b"POST", b"/settle":
                return await self._settle(msgspec.json.decode(body, type=Settle))
            case b"POST", b"/traffic":
                return 200, self._traffic(msgspec.json.decode(body, type=Asked))
            case b"POST", b"/stop":
                stop = msgspec.json.decode(body, type=Stop)
                await self._supervisor.stop(stop.deployment)
                return 200, Outcome(ok=True)
            case b"POST", b"/refresh":
                self._supervisor.look()
                return 200, Outcome(ok=True)
            case _:
                return 404, Outcome(ok=False, reason="There is no such request.")

    def _traffic(self, asked: Asked) -> Traffic:
        tally = self._server.table.tally
        run = f"{os.getpid()} {self._started_at}"
        return Traffic(run, {name: tally(name) for name in asked.deployments[:_MOST]})

    def _status(self) -> Status:
        return Status(
            pid=os.getpid(),
            version=windlass.__version__,
            started_at=self._started_at,
            apps=self._supervisor.status(),
        )

    async def _settle(self, settle: Settle) -> tuple[int, Outcome]:
        began, site = time.monotonic(), self._site(settle.deployment)
        if isinstance(site, Outcome):
            return 422, site
        try:
            await self._supervisor.settle(site, steady_seconds=settle.steady_seconds)
        except WarmFailed as failed:
            return 422, Outcome(ok=False, reason=str(failed), log=failed.lines)
        return 200, Outcome(ok=True, seconds=round(time.monotonic() - began, 3))

    def _site(self, deployment: str) -> Site | Outcome:
        """The release that is meant, or what to answer when there is none."""
        if "/" in deployment:
            return Outcome(ok=False, reason="This is not a deployment.", log=[])
        try:
            return self._server.table.release(deployment).site
        except (OSError, msgspec.MsgspecError) as error:
            return Outcome(ok=False, reason=f"The release cannot be read: {error}", log=[])

    async def _warm(self, warm: Warm) -> tuple[int, Outcome]:
        began, site = time.monotonic(), self._site(warm.deployment)
        if isinstance(site, Outcome):
            return 422, site
        if site.kind != "server":
            return 200, Outcome(ok=True, seconds=round(time.monotonic() - began, 3))
        try:
            seconds = await self._supervisor.warm(
                site, deadline_seconds=warm.deadline_seconds, host=warm.host
            )
        except WarmFailed as failed:
            return 422, Outcome(ok=False, reason=str(failed), log=failed.lines)
        return 200, Outcome(ok=True, seconds=round(seconds, 3))


def _json(status: int, answer: msgspec.Struct) -> Reply:
    body = msgspec.json.encode(answer)
    head = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return Reply(STATUS_LINES[status] + head, body)
