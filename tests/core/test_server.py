"""Answers over a real socket: what is written together, and what is never held back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from windlass.core.server import Server, config

pytestmark = pytest.mark.anyio
_App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
_HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}


@asynccontextmanager
async def _serving(app: _App, path: Path) -> AsyncIterator[asyncio.StreamReader]:
    server = Server(config(app, uds=str(path)))
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(60):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0)
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"GET / HTTP/1.1\r\nhost: panel\r\nconnection: close\r\n\r\n")
        yield reader
        writer.close()
        server.should_exit = server.force_exit = True
        server.stopping.set()
        await running


async def test_the_head_and_the_body_of_an_answer_are_one_write(tmp_path: Path) -> None:
    async def app(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
        await send(_HEAD)
        await send({"type": "http.response.body", "body": b"hello"})

    async with _serving(app, tmp_path / "s") as reader:
        first = await reader.read(65536)

    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert first.endswith(b"\r\n\r\nhello")


async def test_the_head_of_a_stream_does_not_wait_for_its_first_event(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def app(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
        await send(_HEAD)
        await go.wait()
        await send({"type": "http.response.body", "body": b"hello"})

    async with _serving(app, tmp_path / "s") as reader:
        head = await reader.readuntil(b"\r\n\r\n")
        go.set()
        rest = await reader.read()

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert rest == b"hello"


async def test_an_answer_without_a_body_ends(tmp_path: Path) -> None:
    async def app(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with _serving(app, tmp_path / "s") as reader:
        whole = await reader.read()

    assert whole.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert whole.endswith(b"\r\n\r\n")
