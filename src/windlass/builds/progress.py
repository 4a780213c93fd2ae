"""What an engine says while it builds: lines of the classic builder, and BuildKit's, which are
protocol buffers in Base64. Only what people read is taken out of them."""

import base64
from collections.abc import Iterator
from typing import Any

_VERTEX, _LOG = 1, 3
_NAME, _CACHED, _ERROR = 3, 4, 7
_MESSAGE = 4
_Fields = Iterator[tuple[int, int | bytes]]


class Progress:
    """Turns the messages of one build into output; remembers the image and what went wrong."""

    def __init__(self) -> None:
        self.image: str | None = None
        self.error: str | None = None
        self.code: int | None = None
        self._seen: set[bytes] = set()

    def take(self, message: dict[str, Any]) -> bytes:
        """The output in one message."""
        aux = message.get("aux")
        if isinstance(aux, dict) and "ID" in aux:
            self.image = str(aux["ID"])
        if "error" in message:
            self.error = str(message["error"])
            self.code = (message.get("errorDetail") or {}).get("code")
            return b""
        if message.get("id") == "moby.buildkit.trace" and isinstance(aux, str):
            return b"".join(self._traced(base64.b64decode(aux)))
        return str(message.get("stream") or "").encode()

    def _traced(self, trace: bytes) -> Iterator[bytes]:
        for field, value in fields(trace):
            if not isinstance(value, bytes):
                continue
            if field == _VERTEX:
                yield self._vertex(value)
            elif field == _LOG:
                for inner, text in fields(value):
                    if inner == _MESSAGE and isinstance(text, bytes):
                        yield text

    def _vertex(self, vertex: bytes) -> bytes:
        """The name of a step, once; that it was cached is said with it."""
        found: dict[int, int | bytes] = dict(fields(vertex))
        name = found.get(_NAME)
        if not isinstance(name, bytes) or name.startswith(b"[internal]") or name in self._seen:
            return b""
        if _CACHED not in found and 5 not in found:
            # It has not begun: it is said when it does.
            return b""
        self._seen.add(name)
        return name + (b" (cached)\n" if found.get(_CACHED) else b"\n")


def fields(message: bytes) -> _Fields:
    """The fields of a protocol buffer: numbers and lengths of bytes; anything else ends it."""
    place = 0
    while place < len(message):
        key, place = _number(message, place)
        match key & 7:
            case 0:
                value, place = _number(message, place)
                yield key >> 3, value
            case 2:
                size, place = _number(message, place)
                yield key >> 3, message[place : place + size]
                place += size
            case 1:
                place += 8
            case 5:
                place += 4
            case _:
                return


def _number(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message):
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return value, place
