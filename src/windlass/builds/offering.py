"""The other end of a session with BuildKit: what RUN steps mount as secrets is asked for here.

The engine calls back over the connection that offered the session: gRPC on HTTP/2, of which two
calls without streams are enough. Nothing but the secrets of this build can be had, and nothing of
them is an argument, a layer or a line of history.
"""

import asyncio
import contextlib
import secrets as randomness
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from windlass.builds.progress import fields
from windlass.core.engine import Engine, EngineAway
from windlass.core.threads import end

_GET_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret"
_CHECK = "/grpc.health.v1.Health/Check"
_SERVING = b"\x08\x01"
_OK, _NOT_FOUND, _UNIMPLEMENTED = "0", "5", "12"
_READ_BYTES = 64 << 10


class Stream(Protocol):
    """A connection that both sides now use as they like."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes: ...
    async def write(self, buffer: bytes, timeout: float | None = None) -> None: ...


@asynccontextmanager
async def offered(engine: Engine, secrets: Mapping[str, bytes]) -> AsyncGenerator[str]:
    """A session for one build; its id. Raises EngineAway or EngineRefused."""
    id = randomness.token_hex(16)
    headers = {
        "x-docker-expose-session-uuid": id,
        "x-docker-expose-session-name": "windlass",
        "x-docker-expose-session-sharedkey": "",
        "x-docker-expose-session-grpc-method": _GET_SECRET,
    }
    async with engine.upgraded("/session", "h2c", headers) as stream:
        answering = asyncio.create_task(Answers(secrets).serve(stream))
        try:
            yield id
        finally:
            # An engine that went away is said by the build itself.
            with contextlib.suppress(EngineAway):
                await end(answering)


class Answers:
    """The calls of one session and what is answered."""

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        self._secrets = secrets
        config = H2Configuration(client_side=False, header_encoding="utf-8")
        self._http = H2Connection(config)
        self._calls: dict[int, tuple[str, bytearray]] = {}
        self._waiting: dict[int, bytes] = {}

    async def serve(self, stream: Stream) -> None:
        """Until the engine closes it."""
        self._http.initiate_connection()
        await stream.write(self._http.data_to_send())
        while received := await stream.read(_READ_BYTES):
            try:
                self._take(received)
            except ProtocolError:
                return
            if sent := self._http.data_to_send():
                await stream.write(sent)

    def _take(self, received: bytes) -> None:
        for event in self._http.receive_data(received):
            match event:
                case RequestReceived():
                    found = {str(name): str(value) for name, value in event.headers}
                    self._calls[event.stream_id] = (found.get(":path", ""), bytearray())
                case DataReceived():
                    self._calls[event.stream_id][1].extend(event.data)
                    self._http.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
                case StreamEnded():
                    self._answer(event.stream_id, *self._calls.pop(event.stream_id))
                case StreamReset():
                    self._calls.pop(event.stream_id, None)
                    self._waiting.pop(event.stream_id, None)
                case _:
                    pass
        for id in list(self._waiting):
            self._send(id)

    def _answer(self, id: int, path: str, request: bytearray) -> None:
        status, message = self._said(path, bytes(request[5:]))
        head = [(":status", "200"), ("content-type", "application/grpc")]
        if message is None:
            self._http.send_headers(id, [*head, ("grpc-status", status)], end_stream=True)
            return
        self._http.send_headers(id, head)
        self._waiting[id] = b"\0" + len(message).to_bytes(4) + message

    def _said(self, path: str, request: bytes) -> tuple[str, bytes | None]:
        if path == _CHECK:
            return _OK, _SERVING
        if path != _GET_SECRET:
            return _UNIMPLEMENTED, None
        name = dict(fields(request)).get(1)
        found = (
            self._secrets.get(name.decode(errors="replace")) if isinstance(name, bytes) else None
        )
        return (_OK, _bytes_field(found)) if found is not None else (_NOT_FOUND, None)

    def _send(self, id: int) -> None:
        """As much of an answer as the engine takes now."""
        rest = self._waiting[id]
        while rest:
            window = self._http.local_flow_control_window(id)
            size = min(len(rest), window, self._http.max_outbound_frame_size)
            if size <= 0:
                self._waiting[id] = rest
                return
            self._http.send_data(id, rest[:size])
            rest = rest[size:]
        del self._waiting[id]
        self._http.send_headers(id, [("grpc-status", _OK)], end_stream=True)


def _bytes_field(value: bytes) -> bytes:
    """The first field of a protocol buffer."""
    size, head = len(value), bytearray(b"\x0a")
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + value
