"""What the edge is told on its command line. It never reads the environment or the database."""

from pathlib import Path

import msgspec

PANEL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


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
    stop_seconds: float = 10.0
    """Time that running requests get when the edge is told to stop."""
