"""One visitor's connection: reads requests one after the other and answers files on the spot.

Whatever can be answered from memory is answered inside `data_received`, without a task. Everything
else (an app, the panel) becomes one task per request, and the connection feeds it through an inbox.
"""

import asyncio
import os
from collections.abc import Coroutine
from typing import Protocol, cast

from windlass.edge import replies
from windlass.edge.config import Patience
from windlass.edge.replies import Reply
from windlass.edge.request import Refused, Request, check_start, parse
from windlass.edge.wire import Broken, Inbox

READ_AHEAD_BYTES = 64 * 1024
FILE_CHUNK_BYTES = 128 * 1024
_FOREVER = float("inf")


class Service(Protocol):
    """What a connection needs to know of the process around it."""

    keep_alive_end: bytes
    close_end: bytes
    is_stopping: bool
    patience: Patience

    @property
    def now(self) -> float: ...
    def admit(self, connection: "Connection") -> bool: ...
    def forget(self, connection: "Connection") -> None: ...
    def route(
        self, request: Request, connection: "Connection"
    ) -> Reply | Coroutine[None, None, None]: ...
    def report(self, message: str, error: BaseException) -> None: ...


class Connection(asyncio.Protocol):
    """The public side. `deadline` is when `expire` is called, on the service's coarse clock."""

    def __init__(self, service: Service, *, peer: str | None = None) -> None:
        self._service = service
        self.patience = service.patience
        self.peer = peer or ""
        self.deadline = _FOREVER
        self._buffer = b""
        self._busy = False
        self._paused = False
        self._reading = True
        self._half_closed = False
        self._lingering = False
        self._inbox: Inbox | None = None
        self._task: asyncio.Task[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._file = -1
        self._offset = 0
        self._left = 0

    # Events of the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports implement the interface without inheriting from it.
        self._transport = cast(asyncio.Transport, transport)
        if not self.peer:
            address = transport.get_extra_info("peername")
            self.peer = str(address[0]) if address else "127.0.0.1"
        if not self._service.admit(self):
            self._finish(replies.page(503, "Too many visitors at this moment.", as_html=False))
            return
        self.deadline = self._service.now + self.patience.head_seconds

    def data_received(self, data: bytes) -> None:
        if self._inbox is not None:
            self._inbox.feed(data)
        elif self._lingering:
            return
        elif self._busy or self._paused:
            self._buffer += data
            if len(self._buffer) > READ_AHEAD_BYTES:
                self._pause_reading()
        else:
            self._consume(self._buffer + data if self._buffer else data)

    def eof_received(self) -> bool:
        self._half_closed = True
        if self._inbox is not None:
            self._inbox.end()
        elif self._task is not None:
            self._wait_for_half_closed()
        # A client that has sent everything may still wait for its answers.
        waits = self._busy or (self._paused and bool(self._buffer))
        return waits and not self._lingering

    def pause_writing(self) -> None:
        self._paused = True
        self.deadline = self._service.now + self.patience.stall_seconds

    def resume_writing(self) -> None:
        self._paused = False
        seconds = self.patience.linger_seconds if self._lingering else self.patience.idle_seconds
        self.deadline = _FOREVER if self._busy else self._service.now + seconds
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        if self._left:
            self._pump()
        elif not self._busy:
            self._proceed()

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.forget(self)
        self.deadline = _FOREVER
        self._close_file()
        if self._inbox is not None:
            self._inbox.fail(Broken("the visitor left"))
        if self._drained is not None and not self._drained.done():
            self._drained.set_exception(Broken("the visitor left"))
        if self._task is not None:
            self._task.cancel()

    def expire(self) -> None:
        """Called by the service when the deadline has passed."""
        if self._paused or self._lingering or self._busy:
            self._transport.abort()
        elif self._buffer:
            self._finish(replies.page(408, "The request took too long to arrive.", as_html=False))
        else:
            self._transport.close()

    def stop(self) -> None:
        """The process is ending: close now when idle, after the current answer otherwise."""
        if not self._busy and not self._buffer:
            self._transport.close()

    # Reading requests

    def _consume(self, data: bytes) -> None:
        while data:
            end = data.find(b"\r\n\r\n") + 4
            try:
                if end == 3 or data[:2] == b"\r\n":
                    check_start(data)
                    if data[:2] == b"\r\n" and len(data) > 2:
                        # RFC 9112, 2.2: one empty line before a request is forgiven.
                        data = data[2:]
                        continue
                    self._wait_for_head(data)
                    return
                request = parse(data[:end])
            except Refused as refused:
                self._finish(replies.page(refused.status, refused.reason, as_html=False))
                return
            data = data[end:]
            self._answer(request, data)
            if self._busy or self._paused or self._lingering:
                return
            self._buffer = b""
        self._buffer = b""
        self.deadline = self._service.now + self.patience.idle_seconds
        if self._half_closed:
            self._transport.close()

    def _wait_for_head(self, data: bytes) -> None:
        # The first byte starts the clock and later ones do not restart it.
        if not self._buffer:
            self.deadline = self._service.now + self.patience.head_seconds
        self._buffer = data
        if self._half_closed:
            self._transport.close()

    def _answer(self, request: Request, rest: bytes) -> None:
        self._buffer = rest
        outcome = self._service.route(request, self)
        if isinstance(outcome, Reply):
            self.send(request, outcome)
        else:
            self._begin(request, outcome, rest)

    def _begin(self, request: Request, work: Coroutine[None, None, None], rest: bytes) -> None:
        self._busy = True
        self.deadline = _FOREVER
        if request.has_body:
            self.open_inbox()
        self._task = asyncio.get_running_loop().create_task(self._run(request, work))

    async def _run(self, request: Request, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Broken:
            self._transport.abort()
        except Exception as error:  # the edge of a worker: one request must not end the process
            self._service.report("edge.request_failed", error)
            self._transport.abort()
        finally:
            if self._task is asyncio.current_task():
                self._task = None

    # What the task of a request may do

    def open_inbox(self) -> Inbox:
        """From now on everything that arrives goes to the inbox: a body, or a tunnel."""
        if self._inbox is None:
            self._inbox = Inbox(self._transport)
            if self._buffer:
                self._inbox.feed(self._buffer)
                self._buffer = b""
            self._resume_reading()
            if self._half_closed:
                self._inbox.end()
        return self._inbox

    def close_inbox(self) -> None:
        """The body was read to its end: what follows is the next request."""
        if self._inbox is not None:
            self._buffer = self._inbox.rest() + self._buffer
            self._inbox = None

    async def write(self, data: bytes) -> None:
        """Send, and wait while the visitor is slower than we are. Raises Broken when they left."""
        if self._transport.is_closing():
            raise Broken("the visitor left")
        self._transport.write(data)
        if self._half_closed and self._inbox is None:
            self._wait_for_half_closed()
        if self._paused:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    @property
    def is_gone(self) -> bool:
        """True when nothing can be sent any more."""
        return self._transport.is_closing()

    @property
    def has_unread_body(self) -> bool:
        """True while the request's body has not been read to its end."""
        return self._inbox is not None

    def close(self) -> None:
        """End after what was written has left."""
        self._transport.close()

    def write_eof(self) -> None:
        """Nothing more will be sent."""
        if not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()

    def abort(self) -> None:
        """End at once: the visitor must see that the answer is incomplete."""
        self._transport.abort()

    def send(self, request: Request, reply: Reply) -> None:
        """Answer with a ready reply; a body that nobody read ends the connection."""
        unread = request.has_body or self._inbox is not None
        service = self._service
        self._busy = False
        if unread or not request.keep_alive or service.is_stopping:
            self._finish(reply)
            return
        self._transport.write(reply.head + service.keep_alive_end)
        if reply.body:
            # The loop sends both with one system call.
            self._transport.write(reply.body)
        elif reply.file >= 0:
            self._send_file(reply)
            return
        if self._task is not None:
            self._proceed_soon()

    def done(self, *, keep_alive: bool) -> None:
        """The task has sent its whole answer."""
        self._busy = False
        if not keep_alive or self._inbox is not None or self._service.is_stopping:
            self._linger()
        else:
            self._proceed_soon()

    # Sending and ending

    def _finish(self, reply: Reply) -> None:
        self._buffer = b""
        self._transport.write(reply.head + self._service.close_end)
        if reply.body:
            self._transport.write(reply.body)
        if reply.file >= 0:
            self._lingering = True
            self._send_file(reply)
        else:
            self._linger()

    def _linger(self) -> None:
        """Close without losing the answer: unread bytes would make the kernel send a reset."""
        self._lingering = True
        if self._inbox is not None:
            # Taking what is there lets the visitor go on sending, into nothing.
            self._inbox.rest()
            self._inbox = None
        self._buffer = b""
        self._resume_reading()
        self.deadline = self._service.now + (
            self.patience.stall_seconds if self._paused else self.patience.linger_seconds
        )
        if self._half_closed or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self.write_eof()

    def _send_file(self, reply: Reply) -> None:
        self._busy = True
        self._file, self._offset, self._left = reply.file, reply.offset, reply.size
        self._pump()

    def _pump(self) -> None:
        """Send one piece, then let others have their turn."""
        if self._paused or self._file < 0:
            return
        # The page cache answers in microseconds; a thread would cost more than it saves.
        piece = os.pread(self._file, min(FILE_CHUNK_BYTES, self._left), self._offset)
        if not piece:
            self._transport.abort()
            return
        self._offset += len(piece)
        self._left -= len(piece)
        self._transport.write(piece)
        if self._left:
            asyncio.get_running_loop().call_soon(self._pump)
            return
        self._close_file()
        self._busy = False
        if self._lingering:
            self._linger()
        elif not self._paused:
            self._proceed()

    def _close_file(self) -> None:
        self._left = 0
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _proceed_soon(self) -> None:
        # Not from inside the task, which is about to end.
        asyncio.get_running_loop().call_soon(self._proceed)

    def _proceed(self) -> None:
        """Look for the next request among what has arrived already."""
        if self._busy or self._paused or self._lingering or self._transport.is_closing():
            return
        if self._half_closed and not self._buffer:
            self._transport.close()
            return
        self.deadline = self._service.now + self.patience.idle_seconds
        self._resume_reading()
        rest, self._buffer = self._buffer, b""
        self._consume(rest)

    def _wait_for_half_closed(self) -> None:
        # Only a write would tell whether somebody is still there, and a stream may stay silent.
        self.deadline = self._service.now + self.patience.half_closed_seconds

    def _pause_reading(self) -> None:
        if self._reading and not self._transport.is_closing():
            self._reading = False
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if not self._reading and not self._transport.is_closing():
            self._reading = True
            self._transport.resume_reading()
