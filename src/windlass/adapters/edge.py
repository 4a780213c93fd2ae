"""Talking to the edge: its control socket, and the public port as a visitor would use it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from windlass.core.tally import Tally

T = TypeVar("T")
_LIMIT = 1 << 20


class Warmed(msgspec.Struct, frozen=True):
    """Whether the app of a release answers; if not, why, with its last lines."""

    ok: bool
    reason: str = ""
    log: list[str] = []
    seconds: float = 0.0


class AppState(msgspec.Struct, frozen=True):
    """One app process as the edge sees it. `since` is Unix time."""

    state: str
    pid: int | None = None
    restarts: int = 0
    in_flight: int = 0
    since: float = 0.0
    memory_bytes: int = 0
    reason: str | None = None
    processes: "dict[str, AppState]" = {}
    """The processes beside `web`."""


class EdgeStatus(msgspec.Struct, frozen=True):
    pid: int
    apps: dict[str, AppState] = {}


class Traffic(msgspec.Struct, frozen=True):
    """What visitors got from releases since one run of the edge began, and which run that is."""

    run: str
    tallies: dict[str, Tally] = {}


class EdgeAway(Exception):
    """The edge did not answer; the message says why."""


class EdgeClient:
    """The edge of this machine. Times are in seconds."""

    def __init__(self, home: Path, *, host: str, port: int) -> None:
        self._socket = home / "run" / "edge.sock"
        self._host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
        self._port = port

    async def status(self) -> EdgeStatus:
        """What the edge runs now."""
        return await self._control("GET", "/status", {}, EdgeStatus, timeout_seconds=5)

    async def warm(self, deployment: str, *, deadline_seconds: float) -> Warmed:
        """Start the app of a release and wait until it answers twice, or the deadline."""
        body = {"deployment": deployment, "deadline_seconds": deadline_seconds}
        wait = deadline_seconds + 10
        return await self._control("POST", "/warm", body, Warmed, timeout_seconds=wait)

    async def settle(
        self, deployment: str, *, deadline_seconds: float, steady_seconds: float
    ) -> Warmed:
        """Wait until the workers of a linked release have been at work for so long."""
        body = {"deployment": deployment, "steady_seconds": steady_seconds}
        wait = deadline_seconds + steady_seconds + 10
        return await self._control("POST", "/settle", body, Warmed, timeout_seconds=wait)

    async def stop(self, deployment: str) -> None:
        """Stop the app of a release; returns when the process is gone."""
        body = {"deployment": deployment}
        await self._control("POST", "/stop", body, dict[str, object], timeout_seconds=150)

    async def traffic(self, deployments: Sequence[str]) -> Traffic:
        """What was counted of these releases."""
        body = {"deployments": list(deployments)}
        return await self._control("POST", "/traffic", body, Traffic, timeout_seconds=5)

    async def refresh(self) -> None:
        """Let the edge look at the links now."""
        await self._control("POST", "/refresh", {}, dict[str, object], timeout_seconds=5)

    async def serves(self, host: str, path: str = "/") -> tuple[int, str | None]:
        """Ask for a page as a visitor does: the status, and the deployment that answered."""
        try:
            async with asyncio.timeout(30):
                reader, writer = await asyncio.open_connection(self._host, self._port)
                head = await _ask_head(reader, writer, path, host)
        except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise EdgeAway(f"the edge does not answer on port {self._port}: {error}") from error
        return head.status, head.fields.get("x-windlass-deployment")

    async def _control(
        self, method: str, path: str, body: object, kind: type[T], *, timeout_seconds: float
    ) -> T:
        try:
            async with asyncio.timeout(timeout_seconds):
                reader, writer = await asyncio.open_unix_connection(str(self._socket))
                content = msgspec.json.encode(body)
                _, answer = await _ask(reader, writer, method, path, "edge", content)
                return msgspec.json.decode(answer, type=kind)
        except TimeoutError as error:
            raise EdgeAway(f"the edge did not answer within {timeout_seconds:.0f} s") from error
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            raise EdgeAway(f"the edge is not running: {error}") from error


class _Head(msgspec.Struct):
    status: int
    fields: dict[str, str]


async def _ask_head(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, host: str
) -> _Head:
    """GET a page and look at the head of the answer only."""
    try:
        lines = f"host: {host}\r\nx-windlass-look: 1\r\nconnection: close\r\n\r\n"
        request = f"GET {path} HTTP/1.1\r\n{lines}"
        writer.write(request.encode())
        await writer.drain()
        return _parse(await reader.readuntil(b"\r\n\r\n"))
    finally:
        writer.close()


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    method: str,
    path: str,
    host: str,
    body: bytes,
) -> tuple[_Head, bytes]:
    """One request on a connection that is closed afterwards."""
    try:
        length = f"content-length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{length}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        answer = _parse(await reader.readuntil(b"\r\n\r\n"))
        known = answer.fields.get("content-length")
        return answer, await (reader.readexactly(int(known)) if known else reader.read(_LIMIT))
    finally:
        writer.close()


def _parse(raw: bytes) -> _Head:
    first, *lines = raw.decode("latin-1").strip().split("\r\n")
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    fields = {name.strip().lower(): value.strip() for name, value in pairs}
    return _Head(int(first.split(" ", 2)[1]), fields)
