"""Hands one request to an app or to the panel and its answer back, streaming both ways.

Framing is never copied: bodies are decoded and framed again, so that the app and the edge cannot
disagree about where a message ends.
"""

import asyncio
import ipaddress
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import lru_cache
from time import perf_counter

import msgspec

from windlass.core.tally import Tally
from windlass.edge import replies, tunnel, wire
from windlass.edge.config import Patience
from windlass.edge.connection import Connection
from windlass.edge.request import Request, tokens
from windlass.edge.response import Garbled, Response, end_to_end, parse
from windlass.edge.tunnel import Ending
from windlass.edge.upstream import Pool
from windlass.edge.wire import Broken, Wire

MAX_ANSWER_HEAD_BYTES = 64 * 1024
_IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))
_OURS = frozenset(
    (
        b"content-length",
        b"forwarded",
        b"host",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"x-windlass-deployment",
    )
)


class Unreachable(Exception):
    """No connection could be made."""


class _Stale(Broken):
    """A connection turned out to be closed before a byte of the answer came."""


Counted = tuple[Tally, float]


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What the proxy needs besides the request: where to, and what to say on the way."""

    pool: Pool
    marks: bytes = b""
    """Header lines added to every answer."""
    replaced: frozenset[bytes] = frozenset()
    """Headers of the app, in lower case, that `marks` replaces."""
    request_id: str
    is_trusted: bool = False
    """The visitor is a proxy of ours whose X-Forwarded-* headers are believed."""
    proto: str = "http"
    counted: Counted | None = None
    """Where the answer is counted, and when the request came (`perf_counter`)."""
    patience: Patience = Patience()
    ending: Ending | None = None
    """Of the process that answers."""


async def forward(request: Request, client: Connection, exchange: Exchange) -> None:
    """Answer one request through the pool.

    Raises Broken when the visitor is gone, and Unreachable when nobody listens: then nothing was
    sent or read, so the caller may try again.
    """
    upload = _Upload(request, client, exchange.patience)
    try:
        upstream, response = await _ask(request, client, exchange, upload)
    except TimeoutError:
        upload.stop()
        fail(request, client, exchange, 504, "The app did not answer in time.")
        return
    except Broken:
        upload.stop()
        status, text = upload.fault or (502, "The app ended the connection without an answer.")
        fail(request, client, exchange, status, text)
        return
    kept = False
    try:
        if response.status == 101:
            if _upgrade(request):
                _count(exchange, 101)
            await _tunnel(request, client, upstream, response, exchange)
        else:
            _count(exchange, response.status)
            kept = await _pass_on(request, client, upstream, response, exchange)
    finally:
        upload.stop()
        # An app that still waits for the rest of a body would take the next request for it.
        if kept and upload.is_over:
            exchange.pool.keep(upstream)
        else:
            upstream.close()


def fail(
    request: Request,
    client: Connection,
    exchange: Exchange,
    status: int,
    text: str,
    headers: bytes = b"",
) -> None:
    """Answer with an error page that names the request, so that its log lines can be found."""
    if client.is_gone:
        raise Broken("the visitor left")
    _count(exchange, status)
    id = exchange.request_id
    lines = exchange.marks + b"X-Request-Id: " + id.encode() + b"\r\n" + headers
    client.send(request, replies.to(request, status, text, lines, note=f"Request {id}"))


def _count(exchange: Exchange, status: int) -> None:
    if exchange.counted is not None:
        tally, began = exchange.counted
        tally.add(status, perf_counter() - began)


@lru_cache(maxsize=1024)
def is_trusted(peer: str, networks: tuple[str, ...]) -> bool:
    """True when this address belongs to a proxy of ours."""
    if not networks:
        return False
    address = ipaddress.ip_address(peer.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network) for network in networks)


def visitor(request: Request, peer: str, *, is_trusted: bool) -> str:
    """Who asks: the peer, or whom a proxy of ours names last."""
    before = request.headers.get(b"x-forwarded-for", b"") if is_trusted else b""
    name = before.rpartition(b",")[2].strip().decode("latin-1")
    try:
        return str(ipaddress.ip_address(name)) if name else peer
    except ValueError:
        return peer


async def _ask(
    request: Request, client: Connection, exchange: Exchange, upload: "_Upload"
) -> tuple[Wire, Response]:
    """Send the request and read the head of the answer. A stale connection is replaced once."""
    # What cannot be repeated never travels on a connection that the app may just be closing.
    may_repeat = request.method in _IDEMPOTENT and not request.has_body
    if may_repeat and (kept := exchange.pool.reuse()) is not None:
        with suppress(_Stale):
            return kept, await _send(request, client, kept, exchange, upload)
    try:
        upstream = await exchange.pool.open()
    except OSError as error:
        raise Unreachable from error
    return upstream, await _send(request, client, upstream, exchange, upload)


async def _send(
    request: Request, client: Connection, upstream: Wire, exchange: Exchange, upload: "_Upload"
) -> Response:
    try:
        async with asyncio.timeout(exchange.patience.answer_seconds) as timeout:
            await upstream.write(_request_head(request, client, exchange))
            if request.has_body:
                upload.start(upstream, timeout)
            return await _read_head(request, client, upstream)
    except Garbled:
        upstream.close()
        raise
    except Broken as error:
        upstream.close()
        raise _Stale("closed before an answer") from error
    except BaseException:
        upstream.close()
        raise


async def _read_head(request: Request, client: Connection, upstream: Wire) -> Response:
    while True:
        head = await upstream.inbox.read_until(b"\r\n\r\n", MAX_ANSWER_HEAD_BYTES)
        response = parse(head, method=request.method)
        if response.status >= 200 or response.status == 101:
            return response
        # 100 was answered by the edge itself; others (103 Early Hints) are for the visitor.
        if response.status != 100 and request.minor == 1:
            await client.write(head)


class _Upload:
    """Passes the request's body on while the answer may already be coming."""

    def __init__(self, request: Request, client: Connection, patience: Patience) -> None:
        self._request = request
        self._patience = patience
        self._client = client
        self._task: asyncio.Task[None] | None = None
        self.is_over = not request.has_body
        """Nothing of the body is left to be sent."""
        self.fault: tuple[int, str] | None = None
        """What the visitor did wrong, as status and text."""

    def start(self, upstream: Wire, timeout: asyncio.Timeout) -> None:
        """Begin; every piece that leaves gives the app its time to answer anew."""
        self._task = asyncio.create_task(self._run(upstream, timeout))

    def stop(self) -> None:
        """The answer is complete: the rest of the body interests nobody."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self, upstream: Wire, timeout: asyncio.Timeout) -> None:
        request, client = self._request, self._client
        loop = asyncio.get_running_loop()
        inbox = client.open_inbox()
        body = wire.chunked(inbox) if request.chunked else wire.exactly(inbox, request.length)
        try:
            if b"expect" in request.headers:
                await client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            while piece := await self._next(body):
                await upstream.write(_chunk(piece) if request.chunked else piece)
                with suppress(RuntimeError):  # the answer has begun already
                    timeout.reschedule(loop.time() + self._patience.answer_seconds)
            client.close_inbox()
            if request.chunked:
                await upstream.write(b"0\r\n\r\n")
            self.is_over = True
        except (Broken, TimeoutError):
            # When the app is the one that left, its answer may still be there to be read.
            if self.fault:
                upstream.close()

    async def _next(self, body: AsyncGenerator[bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._patience.upload_seconds):
                return await anext(body, b"")
        except Broken:
            self.fault = (400, "The request's body is malformed or incomplete.")
            raise
        except TimeoutError:
            self.fault = (408, "The request's body took too long to arrive.")
            raise


def _request_head(request: Request, client: Connection, exchange: Exchange) -> bytes:
    lines = [
        b"%s %s HTTP/1.1\r\nHost: %s\r\n" % (request.method, request.target, request.authority)
    ]
    trusted = exchange.is_trusted
    for name, value in end_to_end(request.fields):
        # CGI-like apps read X_Forwarded_For as X-Forwarded-For, so underscores are not passed on.
        if (name in _OURS and not (trusted and name == b"forwarded")) or b"_" in name:
            continue
        lines.append(b"%s: %s\r\n" % (name, value))
    headers = request.headers
    peer = client.peer.encode()
    before = headers.get(b"x-forwarded-for") if trusted else None
    proto = headers.get(b"x-forwarded-proto") if trusted else None
    host = headers.get(b"x-forwarded-host") if trusted else None
    lines.append(b"X-Forwarded-For: %s\r\n" % (before + b", " + peer if before else peer))
    lines.append(b"X-Forwarded-Proto: %s\r\n" % (proto or exchange.proto.encode()))
    lines.append(b"X-Forwarded-Host: %s\r\n" % (host or request.authority))
    if b"x-request-id" not in headers:
        lines.append(b"X-Request-Id: %s\r\n" % exchange.request_id.encode())
    if request.chunked:
        lines.append(b"Transfer-Encoding: chunked\r\n")
    elif b"content-length" in headers:
        lines.append(b"Content-Length: %d\r\n" % request.length)
    if upgrade := _upgrade(request):
        lines.append(b"Connection: Upgrade\r\nUpgrade: %s\r\n" % upgrade)
    lines.append(b"\r\n")
    return b"".join(lines)


def _upgrade(request: Request) -> bytes:
    """The protocol asked for, or nothing; h2c would tunnel requests past the edge."""
    upgrade = request.headers.get(b"upgrade", b"")
    if request.minor == 0 or request.has_body or not upgrade or b"h2c" in tokens(upgrade):
        return b""
    return upgrade if b"upgrade" in tokens(request.headers.get(b"connection", b"")) else b""


async def _pass_on(
    request: Request, client: Connection, upstream: Wire, response: Response, exchange: Exchange
) -> bool:
    """Send the answer on; true when the upstream connection can be used again."""
    chunk = response.length is None and request.minor == 1
    # Without chunks the end of the body can only be shown by closing.
    keep = request.keep_alive and (response.length is not None or chunk)
    keep = keep and not client.has_unread_body
    await client.write(_response_head(response, exchange, chunk=chunk, keep=keep))
    try:
        body = _body(upstream, response)
        async for piece in body:
            await client.write(_chunk(piece) if chunk else piece)
        if chunk:
            await client.write(b"0\r\n\r\n")
    except Broken:
        # The head has promised more: only a cut connection tells the visitor that this is not all.
        if exchange.counted is not None and not client.is_gone:
            exchange.counted[0].cut()
        client.abort()
        return False
    client.done(keep_alive=keep)
    return response.keep_alive


def _body(upstream: Wire, response: Response) -> AsyncGenerator[bytes]:
    if response.chunked:
        return wire.chunked(upstream.inbox)
    if response.length is not None:
        return wire.exactly(upstream.inbox, response.length)
    return wire.until_end(upstream.inbox)


def _response_head(response: Response, exchange: Exchange, *, chunk: bool, keep: bool) -> bytes:
    lines = [b"HTTP/1.1 %d %s\r\n" % (response.status, response.reason)]
    lines += [
        b"%s: %s\r\n" % (name, value)
        for name, value in end_to_end(response.fields)
        if (lower := name.lower()) != b"x-windlass-deployment" and lower not in exchange.replaced
    ]
    lines.append(exchange.marks)
    if chunk:
        lines.append(b"Transfer-Encoding: chunked\r\n")
    if not keep:
        lines.append(b"Connection: close\r\n")
    lines.append(b"\r\n")
    return b"".join(lines)


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


async def _tunnel(
    request: Request, client: Connection, upstream: Wire, response: Response, exchange: Exchange
) -> None:
    """Bytes both ways until both sides have finished."""
    if not _upgrade(request):
        fail(request, client, exchange, 502, "The app switched protocols without being asked.")
        return
    lines = [b"HTTP/1.1 101 %s\r\n" % (response.reason or b"Switching Protocols")]
    lines += [b"%s: %s\r\n" % field for field in end_to_end(response.fields)]
    lines.append(b"Connection: Upgrade\r\nUpgrade: %s\r\n" % response.upgrade)
    lines.append(exchange.marks + b"\r\n")
    inbox = client.open_inbox()
    await client.write(b"".join(lines))
    await tunnel.run(
        client, inbox, upstream, protocol=response.upgrade, ending=exchange.ending or Ending()
    )
