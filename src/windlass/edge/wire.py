"""Bytes that arrived and bytes that leave, with back-pressure, for both sides of the proxy."""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import cast

INBOX_BYTES = 128 * 1024
PIECE_BYTES = 64 * 1024
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]{0,1000})?\r\n")
_MAX_LINE_BYTES = 1100
_MAX_TRAILER_BYTES = 16 * 1024


class Broken(Exception):
    """The other side left, or said something that cannot be understood."""


class Inbox:
    """What arrived and was not read yet. A full inbox stops the sender."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._bytes = bytearray()
        self._ended = False
        self._error: Broken | None = None
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_ended(self) -> bool:
        """True when the other side has said that nothing more comes, or has gone."""
        return self._ended or self._error is not None

    @property
    def is_empty(self) -> bool:
        """True when everything that arrived was read."""
        return not self._bytes

    def feed(self, data: bytes) -> None:
        """Bytes arrived."""
        self._bytes += data
        if len(self._bytes) > INBOX_BYTES and not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def end(self) -> None:
        """The other side has sent everything."""
        self._ended = True
        self._wake()

    def fail(self, error: Broken) -> None:
        """The other side is gone."""
        self._error = self._error or error
        self._wake()

    async def read(self, limit: int = PIECE_BYTES) -> bytes:
        """What is there, waiting for at least one byte; empty at the end. Raises Broken."""
        while not self._bytes:
            if self._error:
                raise self._error
            if self._ended:
                return b""
            await self._wait()
        return self._take(min(limit, len(self._bytes)))

    async def read_until(self, mark: bytes, limit: int) -> bytes:
        """Everything up to and including `mark`, at most `limit` bytes. Raises Broken."""
        start = 0
        while (found := self._bytes.find(mark, start)) < 0:
            start = max(0, len(self._bytes) - len(mark) + 1)
            if len(self._bytes) > limit:
                raise Broken("a line is too long")
            if self._error:
                raise self._error
            if self._ended:
                raise Broken("the connection ended in the middle")
            await self._wait()
        if found + len(mark) > limit:
            raise Broken("a line is too long")
        return self._take(found + len(mark))

    def rest(self) -> bytes:
        """Take everything without waiting."""
        return self._take(len(self._bytes))

    def _take(self, count: int) -> bytes:
        piece = bytes(self._bytes[:count])
        del self._bytes[:count]
        if self._paused and len(self._bytes) <= INBOX_BYTES // 2:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return piece

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Wire(asyncio.Protocol):
    """A connection to an app or to the panel."""

    def __init__(self) -> None:
        self._paused = False
        self._drained: asyncio.Future[None] | None = None
        self._error: Broken | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports implement the interface without inheriting from it.
        self.transport = cast(asyncio.Transport, transport)
        self.inbox = Inbox(self.transport)

    def data_received(self, data: bytes) -> None:
        self.inbox.feed(data)

    def eof_received(self) -> bool:
        self.inbox.end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._error = Broken("the connection was lost")
        # An orderly end was said by eof_received; anything else must not look like one.
        self.inbox.fail(self._error)
        self._release()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._release()

    @property
    def is_usable(self) -> bool:
        """True while nothing unexpected came and the other side has not ended the connection."""
        return self.inbox.is_empty and not self.inbox.is_ended and not self.transport.is_closing()

    async def write(self, data: bytes) -> None:
        """Send, and wait while the other side is slower than we are. Raises Broken."""
        if self._error is not None or self.transport.is_closing():
            raise self._error or Broken("the connection was closed")
        self.transport.write(data)
        if self._paused:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def write_eof(self) -> None:
        """Nothing more will be sent."""
        if not self.transport.is_closing() and self.transport.can_write_eof():
            self.transport.write_eof()

    def close(self) -> None:
        """Close at once; what was not sent is not needed by anybody any more."""
        self.transport.abort()

    def _release(self) -> None:
        if self._drained is not None and not self._drained.done():
            if self._error is not None:
                self._drained.set_exception(self._error)
            else:
                self._drained.set_result(None)


async def exactly(inbox: Inbox, count: int) -> AsyncGenerator[bytes]:
    """A body of `count` bytes, piece by piece. Raises Broken when it ends early."""
    while count:
        piece = await inbox.read(min(count, PIECE_BYTES))
        if not piece:
            raise Broken("the body ended early")
        count -= len(piece)
        yield piece


async def chunked(inbox: Inbox) -> AsyncGenerator[bytes]:
    """A chunked body (RFC 9112, 7.1), as pieces without their framing. Trailers are dropped."""
    while True:
        line = _CHUNK_LINE.fullmatch(await inbox.read_until(b"\r\n", _MAX_LINE_BYTES))
        if line is None:
            raise Broken("a chunk has no length")
        count = int(line[1], 16)
        if count == 0:
            break
        async for piece in exactly(inbox, count):
            yield piece
        if await inbox.read_until(b"\r\n", _MAX_LINE_BYTES) != b"\r\n":
            raise Broken("a chunk is longer than it said")
    size = 0
    while (trailer := await inbox.read_until(b"\r\n", _MAX_LINE_BYTES * 8)) != b"\r\n":
        size += len(trailer)
        if size > _MAX_TRAILER_BYTES:
            raise Broken("the trailers are too long")


async def until_end(inbox: Inbox) -> AsyncGenerator[bytes]:
    """A body that ends with its connection."""
    while piece := await inbox.read():
        yield piece
