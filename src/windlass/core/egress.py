"""The only way out of a sandbox: a proxy that looks at every address before it connects."""

import socket
from collections.abc import Callable

import msgspec

from windlass.core.addresses import AddressPolicy


class EgressPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What may be reached through the proxy."""

    addresses: AddressPolicy = AddressPolicy()
    ports: frozenset[int] = frozenset({80, 443})
    hosts: tuple[str, ...] | None = None
    """None: any public host. Otherwise only these (`*.example.com` covers subdomains)."""
    always: frozenset[str] = frozenset()
    """`name:port` that is always allowed: what pip's and npm's configuration names."""
    idle_seconds: float = 300.0
    max_bytes: int = 8 << 30
    max_connections: int = 256


class Egress:
    """The guarded proxy of one process; each sandbox attaches its own listener."""

    def __init__(self, policy: EgressPolicy) -> None:
        self.policy = policy

    async def attach(
        self,
        listener: socket.socket,
        *,
        extra: tuple[str, ...] = (),
        on_refusal: Callable[[str], None] | None = None,
    ) -> None:
        """Serve a listener made inside a sandbox; `extra` are further `name:port` targets."""
