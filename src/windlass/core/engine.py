"""The Engine API, as Docker and Podman speak it, over a Unix socket or TCP.

Every call has a time limit, and every failure is one of two errors: the engine is away, or it
refused and said why. The HTTP library is imported with the first call: an edge without containers
never pays for it.
"""

import json
import os
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from windlass.core.errors import IntegrationError, Unavailable

if TYPE_CHECKING:
    import httpcore2
    import httpx2

CALL_SECONDS = 30.0
_CONNECT_SECONDS = 5.0
_SOCKETS = ("/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock")
_OWN_SOCKETS = ("docker.sock", "podman/podman.sock")
_INSTALL = "apt-get install docker.io, or set WINDLASS_DOCKER_HOST"
_MOST_WORDS = 600
Query = Mapping[str, str | int]


class EngineAway(Unavailable):
    """No container engine answers{place}: {detail}. {fix}"""

    reason = "ENGINE_AWAY"

    def __init__(self, address: str | None, detail: str) -> None:
        place = f" at {address}" if address else ""
        fix = f"What to do: {_INSTALL} to where one listens."
        super().__init__(place=place, detail=detail, fix=fix)
        self.detail = detail


class EngineRefused(IntegrationError):
    """The container engine refused ({answered}): {detail}"""

    reason = "ENGINE_REFUSED"

    def __init__(self, answered: int, detail: str) -> None:
        super().__init__(answered=answered, detail=detail[:_MOST_WORDS])
        self.answered = answered
        self.detail = detail


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Which engine answers, and what it can do."""

    name: str
    version: str
    api_version: str
    architecture: str
    has_buildkit: bool

    @property
    def sentence(self) -> str:
        builder = "BuildKit and the classic builder" if self.has_buildkit else "no BuildKit"
        return f"{self.name} {self.version} (API {self.api_version}, {builder})"


def find(given: str) -> str | None:
    """The address to use: the one that is set, or the first usual socket there is."""
    if given:
        return given
    own = os.environ.get("XDG_RUNTIME_DIR", "")
    places = [*_SOCKETS, *(f"{own}/{name}" for name in _OWN_SOCKETS if own)]
    return next((f"unix://{place}" for place in places if Path(place).is_socket()), None)


class Engine:
    """One engine. Connections are opened as they are needed; `close` gives them back."""

    def __init__(self, address: str | None) -> None:
        self.address = address
        self._client: httpx2.AsyncClient | None = None

    @property
    def is_local(self) -> bool:
        """Its containers are processes of this machine, as far as an address can tell."""
        return bool(self.address) and str(self.address).startswith("unix:")

    async def about(self) -> About:
        """Who answers. Raises EngineAway."""
        said = cast(dict[str, Any], await self.call("GET", "/version", seconds=_CONNECT_SECONDS))
        parts = [str(each.get("Name", "")) for each in said.get("Components") or ()]
        is_podman = any("podman" in part.lower() for part in parts)
        api = str(said.get("ApiVersion", ""))
        return About(
            name="Podman" if is_podman else "Docker",
            version=str(said.get("Version", "")),
            api_version=api,
            architecture=str(said.get("Arch", "")),
            # dockerd has had it inside since 18.09.
            has_buildkit=not is_podman and _numbers(api) >= (1, 39),
        )

    async def call(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        body: object = None,
        content: bytes | AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = CALL_SECONDS,
    ) -> object:
        """One request and its answer as JSON. Raises EngineAway or EngineRefused."""
        async with self.stream(
            method, path, query, body=body, content=content, headers=headers, seconds=seconds
        ) as response:
            answer = await response.aread()
        if not answer.strip():
            return None
        try:
            return json.loads(answer)
        except ValueError:
            return answer.decode(errors="replace")

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        body: object = None,
        content: bytes | AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> "AsyncGenerator[httpx2.Response]":
        """An answer that is read as it comes; leaving early closes the connection, which ends a
        build. `seconds` is the longest silence. Raises EngineAway or EngineRefused."""
        import httpx2

        sent = dict(headers or {})
        if body is not None:
            content, sent["content-type"] = json.dumps(body).encode(), "application/json"
        elif content is not None:
            sent["content-type"] = "application/x-tar"
        timeout = httpx2.Timeout(seconds, connect=_CONNECT_SECONDS, pool=None)
        try:
            async with self._connected().stream(
                method, path, params=dict(query) if query else None, content=content, headers=sent,
                timeout=timeout,
            ) as response:  # fmt: skip
                if response.status_code >= 400:
                    raise EngineRefused(response.status_code, _words(await response.aread()))
                yield response
        except httpx2.TimeoutException as error:
            raise EngineAway(self.address, f"no answer within {seconds or 0:g} s") from error
        except httpx2.TransportError as error:
            raise EngineAway(self.address, str(error) or type(error).__name__) from error

    @asynccontextmanager
    async def upgraded(
        self, path: str, protocol: str, headers: Mapping[str, str]
    ) -> "AsyncGenerator[httpcore2.AsyncNetworkStream]":
        """A connection that the engine gives up for another protocol. Raises as `stream` does."""
        import httpcore2

        sent = {"connection": "Upgrade", "upgrade": protocol, **headers}
        try:
            async with self.stream("POST", path, headers=sent) as response:
                if response.status_code != 101:
                    raise EngineRefused(response.status_code, f"it does not speak {protocol}")
                yield response.extensions["network_stream"]
        except httpcore2.NetworkError as error:
            raise EngineAway(self.address, str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """Close what is idle."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    def _connected(self) -> "httpx2.AsyncClient":
        if self._client is None:
            self._client = _client(self.address)
        return self._client


def _client(address: str | None) -> "httpx2.AsyncClient":
    import httpx2

    if address is None:
        raise EngineAway(None, "there is no Docker or Podman socket on this machine")
    kind, _, rest = address.partition("://")
    # Never through a proxy of the environment: it is ours, or it is nobody's.
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=4)
    if kind == "unix" and rest.startswith("/"):
        # A socket of this machine: there is no TLS, so nobody's certificates need to be read.
        transport = httpx2.AsyncHTTPTransport(uds=rest, limits=limits, verify=False)
        return httpx2.AsyncClient(transport=transport, base_url="http://engine", trust_env=False)
    if kind in ("tcp", "http", "https") and rest:
        base = f"{'https' if kind == 'https' else 'http'}://{rest.rstrip('/')}"
        return httpx2.AsyncClient(base_url=base, trust_env=False, limits=limits)
    raise EngineAway(address, "the address has to be unix:///path, tcp://host:port or https://…")


def _words(answer: bytes) -> str:
    """What an error of the engine says."""
    try:
        said = json.loads(answer)
    except ValueError:
        return answer.decode(errors="replace").strip() or "without a reason"
    return str(said.get("message") or said.get("cause") or said) if said else "without a reason"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
