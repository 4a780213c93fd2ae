"""The only way out of a sandbox: a proxy that looks at every address before it connects.

It serves listeners that were made inside sandboxes, so nothing inside has a route to anywhere.
It asks for names itself and connects to exactly the address it looked at.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import msgspec

from windlass.core.addresses import AddressPolicy, resolve_public
from windlass.core.errors import AppError

_HEAD_BYTES = 64 << 10
_CHUNK = 64 << 10
_HEAD_SECONDS = 30.0
_CONNECT_SECONDS = 10.0
_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_DROPPED = (b"connection", b"keep-alive", b"host", b"te", b"upgrade")
Refused = Callable[[str], None]


class EgressPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What may be reached through the proxy; the rest is refused with a line that says why."""

    addresses: AddressPolicy = AddressPolicy()
    ports: frozenset[int] = frozenset({80, 443})
    hosts: tuple[str, ...] | None = None
    """None: any public host. Otherwise only these (`*.example.com` covers subdomains)."""
    always: frozenset[str] = frozenset()
    """`name:port` that is always allowed, private or not: what pip and npm are set up with."""
    hosts_setting: str = "WINDLASS_BUILDS__EGRESS"
    """Named in refusals, so that a reader knows what to change."""
    idle_seconds: float = 300.0
    max_bytes: int = 8 << 30
    max_connections: int = 256


class _Refusal(Exception):
    """An answer instead of a connection."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status
        self.line = line


class _TooMuch(Exception):
    """One connection moved more bytes than a connection may."""


class Attachment:
    """One listener of one sandbox, for as long as that lives."""

    def __init__(self, limit: int, serve: Callable[["_Client"], Awaitable[None]]) -> None:
        self._limit = limit
        self._serve = serve
        self._clients: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, listener: socket.socket) -> None:
        """Begin to accept."""
        listener.setblocking(False)
        self._server = await asyncio.start_server(
            self._accept, sock=listener, limit=_HEAD_BYTES, backlog=256
        )

    async def close(self) -> None:
        """Stop accepting and end every connection."""
        if self._server:
            self._server.close()
        for client in self._clients:
            client.cancel()
        if self._clients:
            await asyncio.wait(set(self._clients), timeout=5)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._clients.add(task)
        client = _Client(reader, writer)
        try:
            if len(self._clients) > self._limit:
                await client.answer(503, "too many connections at once")
            else:
                await self._serve(client)
        except (OSError, asyncio.CancelledError):
            # The stream's own task logs a cancellation as an error; it ends here on purpose.
            pass
        finally:
            self._clients.discard(task)
            client.abort()


class _Client:
    """One connection from inside."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self, status: int, line: str) -> None:
        """One line that says what happened, as reason and as body: tools show either."""
        line = re.sub(r"[^ -~]", "?", line)[:500]
        head = f"HTTP/1.1 {status} {line}\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        body = f"windlass: {line}\n"
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        await self.writer.drain()
        self.writer.write_eof()
        # Closing with unread input would reset the connection and lose the answer.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while await self.reader.read(_CHUNK):
                    pass

    def abort(self) -> None:
        self.writer.close()


class Egress:
    """The guarded proxy of one process; each sandbox attaches its own listeners."""

    def __init__(self, policy: EgressPolicy) -> None:
        self.policy = policy

    async def attach(
        self,
        listener: socket.socket,
        *,
        extra: tuple[str, ...] = (),
        on_refusal: Refused | None = None,
    ) -> Attachment:
        """Serve a listener made inside a sandbox; `extra` are further `name:port` targets."""
        targets = frozenset(_key(*target.rsplit(":", 1)) for target in extra)

        async def serve(client: _Client) -> None:
            await self._proxy(client, targets, on_refusal)

        attachment = Attachment(self.policy.max_connections, serve)
        await attachment.listen(listener)
        return attachment

    async def tunnel(
        self, listener: socket.socket, target: str, *, on_refusal: Refused | None = None
    ) -> Attachment:
        """Lead every connection to one `name:port`, whatever it speaks."""

        async def serve(client: _Client) -> None:
            host, _, port = target.rpartition(":")
            try:
                upstream = await self._connect(host, int(port), frozenset({_key(host, port)}))
            except _Refusal as refusal:
                if on_refusal:
                    on_refusal(f"{target}: {refusal.line}")
                return
            await self._relay(client, *upstream)

        attachment = Attachment(self.policy.max_connections, serve)
        await attachment.listen(listener)
        return attachment

    async def _proxy(
        self, client: _Client, extra: frozenset[str], on_refusal: Refused | None
    ) -> None:
        try:
            head = await _head(client.reader)
            method, host, port, first = _parse(head)
            upstream = await self._connect(host, port, extra)
        except _Refusal as refusal:
            if on_refusal and refusal.status == 403:
                on_refusal(refusal.line)
            await client.answer(refusal.status, refusal.line)
            return
        if method == "CONNECT":
            client.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            upstream[1].write(first)
        await self._relay(client, *upstream)

    async def _connect(
        self, host: str, port: int, extra: frozenset[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Ask the policy, then the name, then connect to the very address that was looked at."""
        target = _key(host, port)
        policy = self.policy
        if target not in policy.always and target not in extra:
            self._check(host, port)
        addresses = policy.addresses
        allow = AddressPolicy(addresses.hosts | policy.always, addresses.networks, addresses.fix)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                found = await resolve_public(host, port, allow=allow)
        except AppError as error:
            raise _Refusal(error.status if error.status == 502 else 403, error.message) from None
        except TimeoutError:
            raise _Refusal(504, f"{host} was not found in time") from None
        problem = "no address"
        for ip, number in found[:4]:
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(ip, number, limit=_CHUNK)
            except TimeoutError:
                problem = "no answer in time"
            except OSError as error:
                problem = error.strerror or str(error)
        raise _Refusal(502, f"{host} port {port} cannot be reached: {problem}")

    def _check(self, host: str, port: int) -> None:
        policy = self.policy
        if policy.hosts is not None and not any(_matches(host, want) for want in policy.hosts):
            line = f"{host} is not on the list of allowed hosts (setting {policy.hosts_setting})"
            raise _Refusal(403, line)
        if port not in policy.ports:
            line = (
                f"port {port} of {host} is not allowed (list it under `connect` in windlass.toml)"
            )
            raise _Refusal(403, line)

    async def _relay(
        self,
        client: _Client,
        upstream_reader: asyncio.StreamReader,
        upstream_writer: asyncio.StreamWriter,
    ) -> None:
        meter = _Meter(self.policy.max_bytes)
        pumps = {
            asyncio.ensure_future(_pump(client.reader, upstream_writer, meter)),
            asyncio.ensure_future(_pump(upstream_reader, client.writer, meter)),
        }
        try:
            pending = pumps
            while pending:
                before = meter.moved
                done, pending = await asyncio.wait(
                    pending,
                    timeout=self.policy.idle_seconds,
                    return_when=asyncio.FIRST_EXCEPTION,
                )
                if meter.moved == before or any(pump.exception() for pump in done):
                    break
        finally:
            for pump in pumps:
                pump.cancel()
            upstream_writer.transport.abort()
            await asyncio.gather(*pumps, return_exceptions=True)


class _Meter:
    """How much one connection has moved, in both directions."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.moved = 0

    def count(self, size: int) -> None:
        """Raises _TooMuch beyond the limit."""
        self.moved += size
        if self.moved > self.limit:
            raise _TooMuch


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, meter: _Meter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            meter.count(len(chunk))
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()


def _key(host: str, port: int | str) -> str:
    """`name:port` as the lists of allowed targets hold it."""
    return f"{host.lower().rstrip('.')}:{port}"


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(_HEAD_SECONDS):
            return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        raise _Refusal(400, "the request ended before its head was complete") from None
    except asyncio.LimitOverrunError:
        raise _Refusal(431, "the request's head is too large") from None
    except TimeoutError:
        raise _Refusal(408, "the request's head did not come in time") from None


def _parse(head: bytes) -> tuple[str, str, int, bytes]:
    """Method, host, port and, for plain HTTP, the head to send on (RFC 9112, 3.2.2 and 3.2.3)."""
    lines = head[:-4].split(b"\r\n")
    words = lines[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _Refusal(400, "this is not an HTTP/1.1 request")
    method, target, _ = words
    try:
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise _Refusal(400, "the address in the request is not one") from None
    if not _NAME.fullmatch(host):
        raise _Refusal(400, "the address in the request is not one; this is a proxy")
    if method == "CONNECT":
        if port is None:
            raise _Refusal(400, "CONNECT needs a port")
        return method, host, port, b""
    if url.scheme != "http":
        raise _Refusal(400, "only http:// is forwarded; anything else uses CONNECT")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    kept = [line for line in lines[1:] if not _is_dropped(line)]
    authority = url.netloc.rpartition("@")[2]
    first = f"{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close".encode("latin-1")
    return method, host, port or 80, b"\r\n".join([first, *kept]) + b"\r\n\r\n"


def _is_dropped(line: bytes) -> bool:
    if line[:1] in (b" ", b"\t") or b":" not in line or b"\n" in line or b"\r" in line:
        raise _Refusal(400, "a header line is malformed")
    name = line.partition(b":")[0].lower()
    return name in _DROPPED or name.startswith(b"proxy-")


def _matches(host: str, wanted: str) -> bool:
    host, wanted = host.lower().rstrip("."), wanted.lower()
    if wanted.startswith("*."):
        return host.endswith(wanted[1:])
    return host == wanted
