"""A small HTTP client over raw sockets, so that tests see exactly what the edge sent."""

import asyncio
import contextlib
from dataclasses import dataclass, field


@dataclass
class Answer:
    """One answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    informational: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def send(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """Everything until the other side closes."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""

    async def ask(
        self,
        path: str,
        *,
        host: str = "a.localhost",
        method: str = "GET",
        body: bytes | None = None,
        **headers: str,
    ) -> Answer:
        await self.send(head(path, host=host, method=method, body=body, **headers) + (body or b""))
        return await self.answer(method)

    async def answer(self, method: str = "GET") -> Answer:
        answer = await self.answer_head()
        answer.body = await self._body(answer, method)
        return answer

    async def answer_head(self) -> Answer:
        informational: list[int] = []
        while True:
            raw = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *lines = raw.rstrip("\r\n").split("\r\n")
            status = int(line.split(" ")[1])
            pairs = (text.split(": ", 1) for text in lines)
            headers = {name.lower(): value for name, value in pairs}
            if status >= 200 or status == 101:
                return Answer(status, headers, informational=informational)
            informational.append(status)

    async def _body(self, answer: Answer, method: str) -> bytes:
        headers = answer.headers
        if method == "HEAD" or answer.status in (101, 204, 304):
            return b""
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while piece := await self.chunk():
                body += piece
            return body
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        return await self.reader.read()

    async def chunk(self) -> bytes:
        size = int((await self.reader.readuntil(b"\r\n")).strip(), 16)
        piece = await self.reader.readexactly(size)
        assert await self.reader.readexactly(2) == b"\r\n"
        return piece


def head(
    path: str,
    *,
    host: str = "a.localhost",
    method: str = "GET",
    body: bytes | None = None,
    **headers: str,
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def fetch(port: int, path: str, **options: str) -> Answer:
    """One request on a connection of its own."""
    async with await Client.connect(port) as client:
        return await client.ask(path, **options)  # pyright: ignore[reportArgumentType]


async def raw(port: int, request: bytes) -> bytes:
    """Send bytes and read until the edge closes."""
    async with await Client.connect(port) as client:
        await client.send(request)
        return await client.rest()
