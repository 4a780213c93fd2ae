"""The public side of the edge: which host is whose, and the few things all connections share."""

import asyncio
import time
import traceback
from collections.abc import Coroutine

import msgspec

from windlass.edge import log, replies, static
from windlass.edge.config import Config
from windlass.edge.connection import Connection
from windlass.edge.content import Contents
from windlass.edge.replies import Reply
from windlass.edge.request import Request
from windlass.edge.table import Release, Table

TICK_SECONDS = 1.0
_ALLOW = b"Allow: GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE\r\n"


class Server:
    """Answers or hands on every request; also the clock that connections share."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._panels = frozenset(config.panel_hosts)
        self._table = Table(config.home)
        self._contents = Contents(config.cache_bytes)
        self._connections: set[Connection] = set()
        self._ticking = False
        self.is_stopping = False
        self._read_clock()

    def route(
        self, request: Request, connection: Connection
    ) -> Reply | Coroutine[None, None, None]:
        """The answer itself, or the work that will give it."""
        host = request.host
        if host in self._panels:
            return self._panel(request, connection)
        deployment = self._table.deployment(host)
        if deployment is None:
            return self._nobody(request)
        try:
            release = self._table.release(deployment)
            if request.method in (b"CONNECT", b"TRACE") or request.path == b"*":
                return self._refuse_method(request)
            if release.site.kind == "static":
                return static.answer(request, release, self._contents)
        except (OSError, msgspec.DecodeError) as error:
            self.report("edge.release_unreadable", error)
            return _page(request, 500, "The files of this site cannot be read at this moment.")
        return self._app(request, release, connection)

    def admit(self, connection: Connection) -> bool:
        """Count a connection; false when there are too many."""
        if not self._ticking:
            self._ticking = True
            self._read_clock()
            asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)
        self._connections.add(connection)
        return len(self._connections) <= self._config.max_connections

    def forget(self, connection: Connection) -> None:
        """A connection has ended."""
        self._connections.discard(connection)

    def report(self, message: str, error: BaseException) -> None:
        """Log a fault of our own."""
        log.event(message, error="".join(traceback.format_exception(error)))

    def _panel(
        self, request: Request, connection: Connection
    ) -> Reply | Coroutine[None, None, None]:
        return _page(request, 503, "The control panel is not running.")

    def _app(
        self, request: Request, release: Release, connection: Connection
    ) -> Reply | Coroutine[None, None, None]:
        return _page(request, 503, "apps later")

    def _nobody(self, request: Request) -> Reply:
        if request.path == b"/health":
            # For load balancers, which ask by address; no site can be meant by that.
            return replies.page(200, "ok", as_html=False)
        if request.method == b"OPTIONS":
            return replies.empty(204, _ALLOW)
        name = request.host or "an address without a name"
        return _page(request, 404, f"There is no site at {name}.")

    def _refuse_method(self, request: Request) -> Reply:
        if request.method == b"OPTIONS":
            return replies.empty(204, _ALLOW)
        return _page(request, 405, "This method is not allowed here.", _ALLOW)

    def _tick(self) -> None:
        self._read_clock()
        for connection in [c for c in self._connections if c.deadline <= self.now]:
            connection.expire()
        # Without visitors the process sleeps.
        self._ticking = bool(self._connections)
        if self._ticking:
            asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _read_clock(self) -> None:
        self.now = time.monotonic()
        date = replies.date_line(time.time())
        self.keep_alive_end = date + b"\r\n"
        self.close_end = date + b"Connection: close\r\n\r\n"


def _page(request: Request, status: int, text: str, headers: bytes = b"") -> Reply:
    return replies.page(
        status,
        text,
        as_html=request.wants_html,
        headers=headers,
        without_body=request.method == b"HEAD",
    )
