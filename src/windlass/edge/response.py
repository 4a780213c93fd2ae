"""Reads the head of an app's answer, as strictly as a request's."""

import re

from windlass.edge.request import tokens
from windlass.edge.wire import Broken

_HEAD = re.compile(
    rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*)\r\n"
)
_FIELD = re.compile(rb"([^:\r\n]+):[ \t]*([^\r\n]*?)[ \t]*\r\n")
_LENGTH = re.compile(rb"[0-9]{1,18}")

# RFC 9110, 7.6.1, and Expect, which the edge meets itself.
HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"expect",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)


class Garbled(Broken):
    """The app's answer is not HTTP that two readers would read alike."""


class Response:
    """One answer's head. `length` is None when the body is chunked or ends with the connection."""

    __slots__ = ("chunked", "fields", "keep_alive", "length", "reason", "status", "upgrade")

    def __init__(self, status: int, reason: bytes, fields: list[tuple[bytes, bytes]]) -> None:
        self.status = status
        self.reason = reason
        self.fields = fields
        self.chunked = False
        self.length: int | None = None
        self.keep_alive = True
        self.upgrade = b""


def parse(head: bytes, *, method: bytes) -> Response:
    """Read a whole head, blank line included. Raises Garbled."""
    match = _HEAD.fullmatch(head)
    if match is None:
        raise Garbled("the answer is malformed")
    minor, status, reason, block = match.groups()
    fields = _FIELD.findall(block)
    response = Response(int(status), reason or b"", fields)
    lengths: list[bytes] = []
    connection: list[bytes] = []
    for name, value in fields:
        match name.lower():
            case b"content-length":
                lengths.append(value)
            case b"transfer-encoding":
                if value.lower() != b"chunked" or response.chunked:
                    raise Garbled("the answer's transfer encoding is not understood")
                response.chunked = True
            case b"connection":
                connection += tokens(value)
            case b"upgrade":
                response.upgrade = value
            case _:
                pass
    response.keep_alive = minor == b"1" and b"close" not in connection
    _set_length(response, lengths, method)
    return response


def end_to_end(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The fields that concern both ends, without those for this hop only."""
    named = {
        token for name, value in fields if name.lower() == b"connection" for token in tokens(value)
    }
    drop = HOP_BY_HOP | named if named else HOP_BY_HOP
    return [(name, value) for name, value in fields if name.lower() not in drop]


def _set_length(response: Response, lengths: list[bytes], method: bytes) -> None:
    if (response.chunked and lengths) or len(lengths) > 1:
        raise Garbled("the answer's length is contradictory")
    length = lengths.pop() if lengths else None
    if length is not None and not _LENGTH.fullmatch(length):
        raise Garbled("the answer's Content-Length is not a number")
    if method == b"HEAD" or response.status in (204, 304) or response.status < 200:
        response.chunked, response.length = False, 0
    elif length is not None:
        response.length = int(length)
    elif not response.chunked:
        # RFC 9112, 6.3: the body lasts until the connection ends, so it cannot be used again.
        response.keep_alive = False
