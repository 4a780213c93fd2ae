"""Uvicorn as we run it: one write for an answer, our own signals, and no ticks for nothing."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Server(uvicorn.Server):
    """On our own event loop, with our own signal handling, and without its ten ticks a second:
    nobody needs its date header."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    async def main_loop(self) -> None:
        await self.stopping.wait()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Protocol(HttpToolsProtocol):
    """HTTP/1.1, where the head of an answer waits a moment for its body.

    Uvicorn writes them one after the other, which are two system calls and two wake-ups of
    whoever reads; measured, that was a third of a request.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore
        super().connection_made(_Corked(transport, self.loop))  # pyright: ignore


class _Corked:
    """A transport that sends the head of an answer together with what follows it."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        """A head is kept until the body comes, or until the loop's next turn if none does."""
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.writelines((head, data))
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """After everything that was written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def config(site: Any, **where: Any) -> uvicorn.Config:
    """How the control plane answers; `where` is `uds=` or `port=`."""
    return uvicorn.Config(
        site,
        **where,
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=3,
        server_header=False,
        date_header=False,
        proxy_headers=False,
    )
