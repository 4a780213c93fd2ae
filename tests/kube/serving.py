"""The API server as somebody reaches it: HTTPS on a port of its own, in a thread of its own, so
that tests, command lines and browsers can use it at once. It can fail in every way there is."""

import asyncio
import contextlib
import json
import re
import ssl
import threading
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

from tests.kube.answers import Refused
from tests.kube.api import Answer, Api, Asked, Logging, Watching


class Fault(NamedTuple):
    """What goes wrong with requests that match. `times` counts down."""

    what: str
    path: re.Pattern[str]
    method: str
    answer: Refused | None
    times: list[int]


class Served:
    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.api: Api | None = None
        self.tokens: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self.port = 0
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._ready = threading.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(60)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)

    def wake(self) -> None:
        """Something changed: whoever watches looks."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._notify)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def drop_all(self) -> None:
        """End every connection, in the middle of whatever it is."""
        done = threading.Event()

        def drop() -> None:
            for task in self._connections:
                task.cancel()
            done.set()

        self._loop.call_soon_threadsafe(drop)
        assert done.wait(60)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._close())
        self._loop.close()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", 0, ssl=self._context
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._speak(reader, writer)
        except (ConnectionError, h11.RemoteProtocolError, ssl.SSLError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await writer.wait_closed()

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER)
        while True:
            request, body = await _read(http, reader)
            if request is None:
                return
            asked = self._asked(request, body, writer)
            self.asked.append((asked.method, asked.path))
            if not await self._serve(http, reader, writer, asked):
                return
            if http.our_state is h11.MUST_CLOSE:
                return
            http.start_next_cycle()

    async def _serve(
        self,
        http: h11.Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        asked: Asked,
    ) -> bool:
        """Whether the connection can go on."""
        fault = self._fault(asked)
        if fault is not None and fault.what == "hang":
            await reader.read(1)
            return False
        try:
            if fault is not None and fault.answer is not None:
                raise fault.answer
            assert self.api is not None
            found = self.api.answer(asked)
        except Refused as error:
            found = Answer(error.code, error.body, tuple(error.headers.items()))
        if isinstance(found, Answer):
            sent = _whole(http, found)
            if fault is not None and fault.what == "cut":
                writer.write(sent[: len(sent) - len(sent) // 3])
                await writer.drain()
                writer.transport.abort()
                return False
            writer.write(sent)
            await writer.drain()
            return True
        parts = self._watched(found) if isinstance(found, Watching) else self._logged(found)
        kind = "application/json" if isinstance(found, Watching) else "text/plain"
        headers = [("Content-Type", kind), ("Transfer-Encoding", "chunked")]
        writer.write(http.send(h11.Response(status_code=200, headers=headers)) or b"")
        async for part in parts:
            writer.write(http.send(h11.Data(data=part)) or b"")
            await writer.drain()
        writer.write(http.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        return True

    def _asked(self, request: h11.Request, body: bytes, writer: asyncio.StreamWriter) -> Asked:
        url = urlsplit(request.target.decode())
        headers = {name.decode().lower(): value.decode() for name, value in request.headers}
        return Asked(
            method=request.method.decode(),
            path=unquote(url.path),
            query=dict(parse_qsl(url.query)),
            headers=headers,
            body=body,
            user=self._user(headers, writer),
        )

    def _user(self, headers: dict[str, str], writer: asyncio.StreamWriter) -> str | None:
        if token := headers.get("authorization", "").removeprefix("Bearer "):
            return self.tokens.get(token)
        certificate = writer.get_extra_info("peercert") or {}
        named = [
            value
            for part in certificate.get("subject", ())
            for key, value in part
            if key == "commonName"
        ]
        return named[0] if named else None

    def _fault(self, asked: Asked) -> Fault | None:
        for fault in self.faults:
            if (
                fault.times[0]
                and fault.method in ("", asked.method)
                and fault.path.search(asked.path)
            ):
                fault.times[0] -= 1
                return fault
        return None

    async def _watched(self, watching: Watching) -> AsyncIterator[bytes]:
        assert self.api is not None
        store = self.api.store
        given = watching.query.get("resourceVersion") or ""
        seen = int(given or 0)
        end = self._loop.time() + float(watching.query.get("timeoutSeconds") or 300)
        if not seen:
            with store.lock:
                found = store.all(watching.kind, watching.namespace)
                seen = store.version
            for item in found:
                yield _line("ADDED", item)
        while self._loop.time() < end:
            changed = self._changed
            with store.lock:
                is_too_old = seen < store.oldest
                happened = [one for one in store.history if one.version > seen]
                newest = store.version
            if is_too_old:
                text = f"too old resource version: {seen} ({store.oldest})"
                yield _line("ERROR", Refused(410, "Expired", text).body)
                return
            for one in happened:
                if self.api.is_watched(watching, one):
                    yield _line(one.type, one.object)
            if newest > seen and watching.query.get("allowWatchBookmarks") == "true":
                seen = newest
                yield _line("BOOKMARK", _bookmark(watching, seen))
            seen = newest
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), max(0.0, end - self._loop.time()))

    async def _logged(self, logging: Logging) -> AsyncIterator[bytes]:
        """What was said, and with `follow` what is said, while the pod is there."""
        assert self.api is not None
        sent = 0
        while True:
            changed = self._changed
            text = self.api.logs.get(logging.key, "")
            if not sent:
                text = _tail(text, logging.query)
                sent = len(self.api.logs.get(logging.key, "")) - len(text)
                if limit := logging.query.get("limitBytes"):
                    text = text[: int(limit)]
                if text:
                    yield text.encode()
                sent += len(text)
            elif len(text) > sent:
                yield text[sent:].encode()
                sent = len(text)
            pod = self.api.store.kinds["v1", "pods"]
            is_there = self.api.store.get(pod, *logging.key[:2]) is not None
            if logging.query.get("follow") != "true" or not is_there:
                return
            await changed.wait()


async def _read(
    http: h11.Connection, reader: asyncio.StreamReader
) -> tuple[h11.Request | None, bytes]:
    request: h11.Request | None = None
    body = b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return request, body
        else:
            return None, b""


def _whole(http: h11.Connection, answer: Answer) -> bytes:
    is_text = isinstance(answer.body, str)
    body = answer.body.encode() if is_text else json.dumps(answer.body).encode()
    named = {name.lower() for name, _ in answer.headers}
    headers = list(answer.headers)
    if "content-type" not in named:
        headers.append(("Content-Type", "text/plain" if is_text else "application/json"))
    headers.append(("Content-Length", str(len(body))))
    parts = [
        http.send(h11.Response(status_code=answer.status, headers=headers)),
        http.send(h11.Data(data=body)),
        http.send(h11.EndOfMessage()),
    ]
    return b"".join(part or b"" for part in parts)


def _line(type: str, item: Any) -> bytes:
    return json.dumps({"type": type, "object": item}).encode() + b"\n"


def _bookmark(watching: Watching, version: int) -> dict[str, Any]:
    return {
        "apiVersion": watching.kind.api_version,
        "kind": watching.kind.kind,
        "metadata": {"resourceVersion": str(version), "creationTimestamp": None},
    }


def _tail(text: str, query: dict[str, str]) -> str:
    if (count := query.get("tailLines")) is None:
        return text
    lines = text.splitlines(keepends=True)
    return "".join(lines[len(lines) - int(count) :]) if int(count) < len(lines) else text
