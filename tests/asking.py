"""Asks the application in process, byte for byte; a stream that does not end is left again."""

import asyncio
from typing import Any

import msgspec
from litestar import Litestar

Headers = list[tuple[bytes, bytes]]


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


async def ask(
    app: Litestar, method: str, path: str, *, query: str = "", headers: Headers, body: bytes = b""
) -> Answer:
    """Until the answer ends; of a stream until it begins."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"panel.example"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("panel.example", 80),
    }
    return await asyncio.wait_for(_answer(app, scope, body), 120)


async def _answer(app: Litestar, scope: dict[str, Any], body: bytes) -> Answer:
    sent: list[dict[str, Any]] = []
    is_over = asyncio.Event()
    asked = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        if (message := next(asked, None)) is None:
            await is_over.wait()
            return {"type": "http.disconnect"}
        return message

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        kind = dict(message.get("headers", ())).get(b"content-type", b"")
        is_last = message["type"] == "http.response.body" and not message.get("more_body")
        if is_last or kind.startswith(b"text/event-stream"):
            is_over.set()

    running = asyncio.ensure_future(app(scope, receive, send))  # type: ignore[arg-type]
    waiting = asyncio.ensure_future(is_over.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        # It was told that nobody listens any more.
        await asyncio.wait({running}, timeout=60)
    for task in (running, waiting):
        task.cancel()
    await asyncio.gather(running, waiting, return_exceptions=True)
    found = {name.decode().lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, b"".join(part.get("body", b"") for part in sent[1:]))
