"""What the edge is told on its command line, and the keys that are not for others to see there."""

from pathlib import Path

import msgspec

from windlass.core.runtime_log import Keep

PANEL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long the edge waits for visitors, in seconds."""

    head_seconds: float = 10
    """For the whole head of a request, however slowly its bytes come."""
    idle_seconds: float = 75
    """For the next request on an open connection."""
    stall_seconds: float = 120
    """For a visitor that stopped reading."""
    linger_seconds: float = 2
    """For a visitor that keeps sending what nobody reads."""
    half_closed_seconds: float = 30
    """For a silent app when its visitor has said that they send no more, and may have left."""
    upload_seconds: float = 60
    """For the next piece of a body."""
    answer_seconds: float = 120
    """For the beginning of an app's answer."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one edge process."""

    home: Path
    port: int = 8000
    """Public port; 0 lets the system choose (the choice is written to `run/edge.port`)."""
    bind: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses to listen on."""
    panel_hosts: tuple[str, ...] = PANEL_HOSTS
    """Host names that belong to the control panel."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose X-Forwarded-* headers are believed: `127.0.0.1/32` for a local nginx."""
    cache_bytes: int = 32 << 20
    """Memory for the contents of small files."""
    max_connections: int = 8000
    """Visitors at the same time; the next one gets a 503."""
    data_keys: tuple[bytes, ...] = ()
    """Keys that open how apps are started, where the settings give them."""
    engine: str = ""
    """Address of the container engine; empty: the usual sockets."""
    patience: Patience = Patience()
    logs: Keep = Keep()
    """What is kept of the output of each process of an app."""
    stop_seconds: float = 10.0
    """Time that running requests get when the edge is told to stop."""

    def with_connections(self, count: int) -> "Config":
        """The same with another limit of visitors."""
        return msgspec.structs.replace(self, max_connections=count)
