"""What an engine says while it builds: lines of the classic builder, and BuildKit's, which are
protocol buffers in Base64. Only what people read is taken out of them."""

import base64
import re
from collections.abc import Iterator
from typing import Any

from windlass.builds.steps import BuildFailed
from windlass.core.languages import N_
from windlass.core.launch_spec import Limits
from windlass.core.manifest import size_text

_TAIL_BYTES = 16 << 10
_NO_SPACE = re.compile(r"no space left on device", re.IGNORECASE)
_FOREIGN = re.compile(r"exec format error", re.IGNORECASE)
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
        self.tail = b""
        """The last of the output, where the reason of a failure stands."""
        self._seen: set[bytes] = set()

    def take(self, message: dict[str, Any]) -> bytes:
        """The output in one message."""
        output = self._output(message)
        self.tail = (self.tail + output)[-_TAIL_BYTES:]
        return output

    def _output(self, message: dict[str, Any]) -> bytes:
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


def failure(progress: Progress, limits: Limits) -> BuildFailed:
    """Why there is no image, and what to do about it."""
    said = (progress.error or "").strip()
    if progress.code == 137 or said.endswith("exit code: 137"):
        text = N_(
            "A RUN step was killed; most likely it used more than {memory} of memory. Raise"
            " WINDLASS_BUILDS__MEMORY_BYTES, or build less in parallel."
        ).format(memory=size_text(limits.memory_bytes).replace(".0 ", " "))
        return BuildFailed("OUT_OF_MEMORY", text)
    if full := disk_full(said):
        return full
    if _FOREIGN.search(said) or _FOREIGN.search(progress.tail.decode(errors="replace")):
        text = N_(
            "A program of the image is for another kind of processor: {error}. Start from an image"
            " that is built for this one."
        ).format(error=said[:300])
        return BuildFailed("WRONG_ARCHITECTURE", text)
    if _NO_SPACE.search(progress.tail.decode(errors="replace")):
        text = N_("A RUN step found no space left on its disk: {error}").format(error=said[:300])
        return BuildFailed("DISK_FULL", text)
    text = N_("The Dockerfile was not built: {error}").format(error=said[:500])
    return BuildFailed("BUILD_FAILED", text)


def disk_full(said: str) -> BuildFailed | None:
    """Whether that is what the engine says."""
    if not _NO_SPACE.search(said):
        return None
    text = N_("The disk of the engine is full: {error}").format(error=said[:300])
    return BuildFailed("DISK_FULL", text)


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
