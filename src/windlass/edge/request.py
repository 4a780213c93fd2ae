"""Reads the head of an HTTP/1.x request; refuses all that two readers could read differently.

The rules are those of RFC 9112, on the strict side wherever it leaves a choice: that is what makes
request smuggling impossible, whatever stands in front of or behind the edge.
"""

import re
from functools import lru_cache

MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 100

_HEAD = re.compile(
    rb"([A-Z][A-Z-]{0,19}) ([!-\"$-~]+) HTTP/1\.([01])\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*)\r\n"
)
_FIELD = re.compile(rb"([^:\r\n]+):[ \t]*([^\r\n]*?)[ \t]*\r\n")
_HOST = re.compile(rb"([A-Za-z0-9](?:[A-Za-z0-9._-]*)|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?")
_ABSOLUTE = re.compile(rb"https?://([^/?@]*)([/?].*)?", re.IGNORECASE)
_LENGTH = re.compile(rb"[0-9]{1,18}")
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n|\r[^\n]")
_START = re.compile(rb"(?:\r\n)?(?:[A-Z]|\Z)|\r\Z")


class Refused(Exception):
    """This request is not answered; the connection ends after saying why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Request:
    """One request's head. Header names are lower case; `host` is lower case and without a port."""

    __slots__ = (
        "authority",
        "chunked",
        "fields",
        "headers",
        "host",
        "keep_alive",
        "length",
        "method",
        "minor",
        "path",
        "query",
    )

    def __init__(self, method: bytes, minor: int, fields: list[tuple[bytes, bytes]]) -> None:
        self.method = method
        self.minor = minor
        self.fields = fields
        self.headers: dict[bytes, bytes] = {}
        self.path = b"/"
        self.query = b""
        self.authority = b""
        self.host = ""
        self.length = 0
        self.chunked = False
        self.keep_alive = minor == 1

    @property
    def has_body(self) -> bool:
        """True when bytes of a body follow the head."""
        return self.chunked or self.length > 0

    @property
    def target(self) -> bytes:
        """Path and query as they were sent."""
        return self.path + b"?" + self.query if self.query else self.path

    @property
    def wants_html(self) -> bool:
        """True for a browser that navigates, false for a script that fetches."""
        return b"text/html" in self.headers.get(b"accept", b"")


def check_start(partial: bytes) -> None:
    """Refuse early what can never become a request: TLS, bare line feeds, floods."""
    if len(partial) > MAX_HEAD_BYTES:
        raise Refused(431, "The request's headers are too large.")
    if not _START.match(partial):
        raise Refused(400, "This is not an HTTP request.")
    if _BARE_LINE_FEED.search(partial):
        raise Refused(400, "A line of the request does not end with CR LF.")


def parse(head: bytes) -> Request:
    """Read a whole head, blank line included. Raises Refused."""
    if len(head) > MAX_HEAD_BYTES:
        raise Refused(431, "The request's headers are too large.")
    match = _HEAD.fullmatch(head)
    if match is None:
        raise Refused(*_why(head))
    method, target, minor, block = match.groups()
    fields = [(name.lower(), value) for name, value in _FIELD.findall(block)]
    if len(fields) > MAX_HEADERS:
        raise Refused(431, "The request has too many headers.")
    request = Request(method, int(minor), fields)
    headers = request.headers
    for name, value in fields:
        if name in headers:
            # Lists may come in several lines (RFC 9110, 5.2); framing headers may not.
            if name in (b"host", b"content-length", b"transfer-encoding"):
                raise Refused(400, f"The request has two {name.decode()} headers.")
            headers[name] = headers[name] + b", " + value
        else:
            headers[name] = value
    _set_target(request, target)
    if len(headers) > 1 or request.minor == 0:
        _set_framing(request)
    return request


def _why(head: bytes) -> tuple[int, str]:
    line = head.partition(b"\r\n")[0]
    if re.fullmatch(rb"\S+ \S+ HTTP/[0-9.]+", line) and b" HTTP/1." not in line:
        return 505, "Only HTTP/1.0 and HTTP/1.1 are spoken here."
    return 400, "The request is malformed."


def _set_target(request: Request, target: bytes) -> None:
    authority = request.headers.get(b"host")
    if authority is None:
        if request.minor == 1:
            raise Refused(400, "The request has no Host header.")
        authority = b""
    if target[0] != 47:  # "/"
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is not None:
            # RFC 9112, 3.2.2: the authority in the target overrides the Host header.
            authority, target = absolute[1], absolute[2] or b"/"
            if target[0] != 47:
                target = b"/" + target
        elif not (target == b"*" and request.method == b"OPTIONS"):
            raise Refused(400, "The request's target is malformed.")
    request.path, _, request.query = target.partition(b"?")
    request.authority = authority
    request.host = _host(authority)


@lru_cache(maxsize=1024)
def _host(authority: bytes) -> str:
    if not authority:
        return ""
    match = _HOST.fullmatch(authority)
    if match is None or len(authority) > 260:
        raise Refused(400, "The Host header is not a host name.")
    return match[1].decode().lower().rstrip(".")


def _set_framing(request: Request) -> None:
    headers = request.headers
    length = headers.get(b"content-length")
    encoding = headers.get(b"transfer-encoding")
    if encoding is not None:
        if length is not None:
            raise Refused(400, "The request has both Content-Length and Transfer-Encoding.")
        if encoding.lower() != b"chunked" or request.minor == 0:
            raise Refused(400, "The request's transfer encoding is not understood.")
        request.chunked = True
    elif length is not None:
        if not _LENGTH.fullmatch(length):
            raise Refused(400, "The request's Content-Length is not a number.")
        request.length = int(length)
    if (expect := headers.get(b"expect")) is not None and expect.lower() != b"100-continue":
        raise Refused(417, "The only expectation met here is 100-continue.")
    connection = headers.get(b"connection")
    if connection is not None and b"close" in tokens(connection):
        request.keep_alive = False


def tokens(value: bytes) -> list[bytes]:
    """The lower-case members of a comma-separated header."""
    return [token.strip().lower() for token in value.split(b",") if token.strip()]
