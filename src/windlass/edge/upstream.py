"""Connections to one app or to the panel: opened on demand, kept for the next request."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from windlass.edge.wire import Wire

# Shorter than the five seconds after which Node and uvicorn close an idle connection themselves.
KEEP_SECONDS = 3.0
KEEP_MOST = 32

Dial = Callable[[], Awaitable[socket.socket]]


class Pool:
    """Idle connections to one place. `dial` gives a connected, non-blocking socket."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._idle: list[tuple[float, Wire]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def reuse(self) -> Wire | None:
        """A kept connection that still looks alive."""
        self._drop_old()
        while self._idle:
            _, wire = self._idle.pop()
            if wire.is_usable:
                return wire
            wire.close()
        return None

    async def open(self) -> Wire:
        """A new connection. Raises OSError."""
        sock = await self._dial()
        try:
            _, wire = await asyncio.get_running_loop().create_connection(Wire, sock=sock)
        except BaseException:
            sock.close()
            raise
        return wire

    def keep(self, wire: Wire) -> None:
        """Take back a connection whose answer was read to its end."""
        if self._closed or not wire.is_usable or len(self._idle) >= KEEP_MOST:
            wire.close()
            return
        loop = asyncio.get_running_loop()
        self._idle.append((loop.time(), wire))
        if self._timer is None:
            self._timer = loop.call_later(KEEP_SECONDS, self._expire)

    def close(self) -> None:
        """Close what is idle, so that an app that stops waits for nobody."""
        self._closed = True
        for _, wire in self._idle:
            wire.close()
        self._idle.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _expire(self) -> None:
        self._drop_old()
        self._timer = None
        if self._idle:
            self._timer = asyncio.get_running_loop().call_later(KEEP_SECONDS, self._expire)

    def _drop_old(self) -> None:
        limit = asyncio.get_running_loop().time() - KEEP_SECONDS
        while self._idle and self._idle[0][0] < limit:
            self._idle.pop(0)[1].close()


def unix(path: str) -> Dial:
    """Dial a Unix socket."""

    async def dial() -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            # Connecting to a local listener never waits for longer than its queue is full.
            sock.connect(path)
        except BlockingIOError as error:
            sock.close()
            raise ConnectionRefusedError("the listener's queue is full") from error
        except OSError:
            sock.close()
            raise
        return sock

    return dial
