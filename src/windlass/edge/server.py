"""The public side of the edge: which host is whose, and the few things all connections share."""

import asyncio
import os
import time
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from math import ceil
from time import perf_counter

import msgspec

from windlass.edge import guards, log, paths, proxy, replies, static, upstream
from windlass.edge.app import App, Down
from windlass.edge.config import Config
from windlass.edge.connection import Connection
from windlass.edge.content import Contents
from windlass.edge.guards import Guards
from windlass.edge.proxy import Counted, Exchange, Unreachable
from windlass.edge.replies import Reply
from windlass.edge.request import Request
from windlass.edge.rulebook import Rulebook
from windlass.edge.supervisor import Supervisor
from windlass.edge.table import RESERVED, Release, Table
from windlass.edge.tunnel import Ending
from windlass.edge.upstream import Pool

TICK_SECONDS = 1.0
# A process that has just died is noticed within milliseconds.
NOTICE_SECONDS = 0.25
# How the worker marks the one look that it takes after a switch: no visitor came.
LOOK = b"x-windlass-look"
_ALLOW = b"Allow: GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE\r\n"


class Server:
    """Answers or hands on every request; also the clock that connections share."""

    def __init__(self, config: Config, supervisor: Supervisor) -> None:
        self._config = config
        self.patience = config.patience
        self._supervisor = supervisor
        self._panels = frozenset(config.panel_hosts)
        self._panel_pool = Pool(upstream.unix(f"{config.home}/run/web.sock"))
        self.table = Table(config.home)
        self._guards = Guards(config.home)
        self._contents = Contents(config.cache_bytes)
        self._connections: set[Connection] = set()
        self._left: asyncio.Event | None = None
        self._ticking = False
        self.is_stopping = False
        self._read_clock()

    def route(
        self, request: Request, connection: Connection
    ) -> Reply | Coroutine[None, None, None]:
        """The answer itself, or the work that will give it."""
        host = request.host
        if host in self._panels:
            return self._refuse_method(request) or self._panel(request, connection)
        deployment = self.table.deployment(host)
        if deployment is None:
            return self._nobody(request)
        try:
            release = self.table.release(deployment)
            site = release.site
            if site.project:
                stopped = self._stopped(request, connection, release)
                if stopped is not None:
                    return stopped
            if site.kind == "static":
                if request.path == b"*":
                    return replies.empty(204, static.ALLOW)
                reply = static.answer(request, release, self._contents)
                if LOOK not in request.headers:
                    release.tally.add_file()
                return reply
        except (OSError, msgspec.MsgspecError) as error:
            self.table.tally(deployment).add(500, 0.0)
            return self._unreadable(request, error)
        if release.site.kind == "worker":
            return self._refuse_method(request) or self._works(request, release)
        if (moved := self._moved(request, release)) is not None:
            return moved
        return self._refuse_method(request) or self._app(request, connection)

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
        if self._left is not None:
            self._left.set()

    def report(self, message: str, error: BaseException) -> None:
        """Log a fault of our own."""
        log.fault(message, error)

    async def drain(self, seconds: float) -> None:
        """Let running requests end, then close what is left."""
        self.is_stopping = True
        for connection in list(self._connections):
            connection.stop()
        await self._supervisor.say_goodbye()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._connections:
                    self._left = asyncio.Event()
                    await self._left.wait()
        for connection in list(self._connections):
            connection.abort()
        self._panel_pool.close()

    async def _panel(self, request: Request, connection: Connection) -> None:
        exchange = self._exchange(connection, self._panel_pool, b"")
        try:
            await proxy.forward(request, connection, exchange)
        except Unreachable:
            text = "The control panel is not running. Sites keep being served."
            proxy.fail(request, connection, exchange, 503, text, b"Retry-After: 2\r\n")

    async def _app(self, request: Request, connection: Connection) -> None:
        tries = 0
        began = perf_counter()
        while True:
            # From reading the link to counting the visit nothing waits, or a switch could come
            # between and the process could be ended under this request.
            release = self._release(request)
            if isinstance(release, Reply):
                connection.send(request, release)
                return
            tally = None if LOOK in request.headers else (release.tally, began)
            app = self._supervisor.of(release.site, request.host)
            with app.visit():
                try:
                    pool = await app.pool()
                    exchange = self._exchange(connection, pool, release.marks, tally, app.ending)
                    if release.rulebook is not None:
                        exchange = _with_headers(exchange, request, release.rulebook)
                    await proxy.forward(request, connection, exchange)
                    return
                except Down as down:
                    if self.table.deployment(request.host) != release.deployment:
                        continue
                    self._say_down(request, connection, release, down, tally)
                    return
                except Unreachable:
                    tries += 1
                    if tries < 3 and await _notices_a_change(app):
                        continue
                    exchange = self._exchange(connection, self._panel_pool, release.marks, tally)
                    text = "The app of this site does not accept connections."
                    proxy.fail(request, connection, exchange, 502, text)
                    return

    def _release(self, request: Request) -> Release | Reply:
        """What the host serves at this moment, or the answer when that is not an app any more."""
        deployment = self.table.deployment(request.host)
        if deployment is None:
            return self._nobody(request)
        try:
            release = self.table.release(deployment)
            if release.site.kind == "static":
                return static.answer(request, release, self._contents)
            if release.site.kind == "worker":
                return self._works(request, release)
        except (OSError, msgspec.MsgspecError) as error:
            return self._unreadable(request, error)
        return release

    def _works(self, request: Request, release: Release) -> Reply:
        """What stands at the address of workers; who asks here wakes those of a preview."""
        self._supervisor.of(release.site, request.host).want()
        text = "This project runs workers. It has no web process, so nothing is served here."
        return replies.to(request, 404, text, release.marks)

    @staticmethod
    def _moved(request: Request, release: Release) -> Reply | None:
        """What the rules of an app's site answer before the app is asked."""
        if release.rulebook is None:
            return None
        found = release.rulebook.redirect(request)
        return None if found is None else static.redirect(request, found, release.marks)

    def _stopped(
        self, request: Request, connection: Connection, release: Release
    ) -> Reply | Coroutine[None, None, None] | None:
        """What a preview with a password answers to who has not given it."""
        project = release.site.project
        guard = self._guards.of(project)
        if guard is None:
            return None
        if request.method == b"POST" and request.path == guards.UNLOCK:
            trusted = proxy.is_trusted(connection.peer, self._config.trusted_proxies)
            said = request.headers if trusted else {}
            return self._guards.unlock(
                request,
                connection,
                guard=guard,
                project=project,
                peer=proxy.visitor(request, connection.peer, is_trusted=trusted),
                marks=release.marks,
                is_secure=said.get(b"x-forwarded-proto") == b"https",
            )
        return None if guards.is_let_in(request, guard) else guards.ask(request, release.marks)

    def _say_down(
        self,
        request: Request,
        connection: Connection,
        release: Release,
        down: Down,
        tally: Counted | None,
    ) -> None:
        since = datetime.fromtimestamp(down.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        text = f"The app of this site is not running since {since}. It is being restarted."
        retry = b"Retry-After: %d\r\n" % ceil(down.retry_seconds)
        exchange = self._exchange(connection, self._panel_pool, release.marks, tally)
        proxy.fail(request, connection, exchange, 503, text, retry)

    def _exchange(
        self,
        connection: Connection,
        pool: Pool,
        marks: bytes,
        counted: Counted | None = None,
        ending: Ending | None = None,
    ) -> Exchange:
        trusted = proxy.is_trusted(connection.peer, self._config.trusted_proxies)
        return Exchange(
            pool=pool,
            marks=marks,
            request_id=os.urandom(8).hex(),
            is_trusted=trusted,
            counted=counted,
            patience=self.patience,
            ending=ending,
        )

    def _nobody(self, request: Request) -> Reply:
        if request.path == b"/health":
            # For load balancers, which ask by address; no site can be meant by that.
            return replies.page(200, "ok", as_html=False)
        if request.method == b"OPTIONS":
            return replies.empty(204, _ALLOW)
        name = request.host or "an address without a name"
        return replies.to(request, 404, f"There is no site at {name}.")

    def _unreadable(self, request: Request, error: Exception) -> Reply:
        self.report("edge.release_unreadable", error)
        return replies.to(request, 500, "The files of this site cannot be read at this moment.")

    def _refuse_method(self, request: Request) -> Reply | None:
        # CONNECT would make us an open proxy; TRACE shows cookies to scripts.
        if request.method in (b"CONNECT", b"TRACE"):
            return replies.to(request, 405, "This method is not allowed here.", _ALLOW)
        return replies.empty(204, _ALLOW) if request.path == b"*" else None

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


def _with_headers(exchange: Exchange, request: Request, book: Rulebook) -> Exchange:
    """The headers that the site's rules give an answer of its app replace the app's own."""
    name = paths.decode(request.path)
    found = book.headers(f"/{name}") if name is not None and book.has_headers else {}
    found = {lower: pair for lower, pair in found.items() if lower not in RESERVED}
    if not found:
        return exchange
    lines = "".join(f"{name}: {value}\r\n" for name, value in found.values())
    return msgspec.structs.replace(
        exchange,
        marks=exchange.marks + lines.encode("latin-1"),
        # A cookie more takes none away.
        replaced=frozenset(lower.encode() for lower in found if lower != "set-cookie"),
    )


async def _notices_a_change(app: App) -> bool:
    """True when the app's state changes within a moment: its process had just ended."""
    try:
        async with asyncio.timeout(NOTICE_SECONDS):
            await app.changed()
    except TimeoutError:
        return False
    return True
