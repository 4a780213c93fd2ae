"""Bytes both ways between a visitor and an app after a switch of protocols: WebSockets above all.

A WebSocket lives longer than its process may. When the process is to end, both sides get a close
frame, so that the visitor's program knows that it should come back, and to what.
"""

import asyncio
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress

from windlass.edge.connection import Connection
from windlass.edge.wire import Broken, Inbox, Wire

RESTART = 1012
"""Close code (RFC 6455, IANA): come back, another process answers."""
GOING_AWAY = 1001
_FAREWELL_SECONDS = 1.5
_FRAME_SECONDS = 1.0
_LOOK_SECONDS = 0.02
_CLOSE = 8


class Ending:
    """Of one process: tells its tunnels when it is about to end, and waits until they are gone."""

    def __init__(self) -> None:
        self.code = RESTART
        self._is_near = asyncio.Event()
        self._tunnels = 0
        self._left = asyncio.Event()

    @contextmanager
    def joined(self) -> Generator[None]:
        """For as long as a tunnel lasts."""
        self._tunnels += 1
        try:
            yield
        finally:
            self._tunnels -= 1
            self._left.set()

    async def near(self) -> None:
        """Returns when the process is about to end."""
        await self._is_near.wait()

    async def announce(self, code: int = RESTART) -> None:
        """It is about to end; returns when nobody is connected any more, or after a moment."""
        if not self._is_near.is_set():
            self.code = code
            self._is_near.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                while self._tunnels:
                    self._left.clear()
                    await self._left.wait()


class Frames:
    """Follows where the frames of one direction end (RFC 6455, 5.2), without looking into them."""

    def __init__(self) -> None:
        self.is_closed = False
        """A close frame went by: nothing may follow it."""
        self._head = bytearray()
        self._left = 0

    @property
    def is_between(self) -> bool:
        """A frame of ours could come now."""
        return not (self._left or self._head or self.is_closed)

    def feed(self, data: bytes) -> None:
        """Bytes of this direction, cut anywhere."""
        place = 0
        while place < len(data):
            if self._left:
                taken = min(self._left, len(data) - place)
                self._left -= taken
                place += taken
                continue
            missing = _head_size(self._head) - len(self._head)
            self._head += data[place : place + missing]
            place += missing
            if len(self._head) >= 2 and len(self._head) == _head_size(self._head):
                self._left = _payload(self._head)
                self.is_closed = self.is_closed or self._head[0] & 15 == _CLOSE
                self._head.clear()


def close_frame(code: int, *, is_masked: bool) -> bytes:
    """The frame that ends a WebSocket; what goes to a server is masked."""
    payload = code.to_bytes(2, "big")
    if not is_masked:
        return bytes((0x80 | _CLOSE, len(payload))) + payload
    mask = os.urandom(4)
    hidden = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return bytes((0x80 | _CLOSE, 0x80 | len(payload))) + mask + hidden


async def run(
    client: Connection, inbox: Inbox, upstream: Wire, *, protocol: bytes, ending: Ending
) -> None:
    """Until the app has finished: then there is nobody left to talk to. When the visitor has, the
    app is told and may still say goodbye."""
    is_websocket = protocol.lower() == b"websocket"
    to_client, to_app = Frames(), Frames()
    up = asyncio.create_task(_pour(inbox, upstream, to_app))
    down = asyncio.create_task(_pour(upstream.inbox, client, to_client))
    near = asyncio.create_task(ending.near())
    watched = {down, near} if is_websocket else {down}
    try:
        with ending.joined():
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            if not down.done() and await _is_between(to_client, down):
                down.cancel()
                up.cancel()
                with suppress(Broken):
                    await client.write(close_frame(ending.code, is_masked=False))
                if to_app.is_between:
                    with suppress(Broken):
                        await upstream.write(close_frame(GOING_AWAY, is_masked=True))
                client.done(keep_alive=False)
                return
    finally:
        for task in (up, down, near):
            task.cancel()
    client.close()


async def _is_between(frames: Frames, down: asyncio.Task[None]) -> bool:
    """Whether the app's frame has come to its end within a moment, and none of it said goodbye."""
    end = asyncio.get_running_loop().time() + _FRAME_SECONDS
    while not frames.is_between and not down.done():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(_LOOK_SECONDS)
    return not down.done()


def _head_size(head: bytearray) -> int:
    """How many bytes the head of a frame has, as far as one can know."""
    if len(head) < 2:
        return 2
    extended = {126: 2, 127: 8}.get(head[1] & 127, 0)
    return 2 + extended + (4 if head[1] & 128 else 0)


def _payload(head: bytearray) -> int:
    size = head[1] & 127
    if size < 126:
        return size
    return int.from_bytes(head[2 : 4 if size == 126 else 10], "big")


async def _pour(source: Inbox, target: Wire | Connection, frames: Frames) -> None:
    with suppress(Broken):
        while piece := await source.read():
            frames.feed(piece)
            await target.write(piece)
        target.write_eof()
