"""Runs one command in a sandbox of its own and knows exactly how it ended.

A `Launch` is pure data: what may be seen, what may be used, what is run. `start` turns it into
processes (launcher → bwrap → init → command) and `Running` watches, feeds and ends them.
"""

import socket
from collections.abc import Callable
from typing import Literal

import msgspec

from windlass.core.egress import Egress
from windlass.core.errors import Unavailable

Reason = Literal["out-of-memory", "timeout", "process-limit", "disk-full", "cancelled"]


class Bind(msgspec.Struct, frozen=True):
    """One file or folder of the host and where it is seen inside."""

    source: str
    target: str
    writable: bool = False


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one launch may use; everything in `/tmp` and `/dev/shm` counts as memory."""

    memory_bytes: int = 2 << 30
    cpus: float = 2.0
    processes: int = 512
    tmp_bytes: int = 1 << 30
    open_files: int = 4096
    file_bytes: int = 8 << 30


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """A command and everything it may see. `name` is unique: `build-depl_x-install`."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str] = {}
    cwd: str = "/app"
    binds: tuple[Bind, ...] = ()
    uid: int | None = None
    """The host's user and group id to drop to when we are root; None: stay who we are."""
    limits: Limits = Limits()
    network: Literal["none", "egress"] = "none"
    connect: tuple[str, ...] = ()
    """Further TCP targets, `db.example.com:5432`, reached by name through the egress."""
    seccomp: bytes = b""
    """The system-call filter (BPF); data, so that the edge needs no library to make it."""
    watch_seconds: float = 0.1
    """How often the limits are looked at; applications say 2."""


class Exit(msgspec.Struct, frozen=True):
    """How it ended: one of `code` and `signal`, and the limit that was hit, if any."""

    code: int | None
    signal: int | None
    reason: Reason | None = None
    peak_memory_bytes: int = 0
    seconds: float = 0.0


class LaunchFailed(Unavailable):
    """The sandbox could not be started: {detail}"""


class Running:
    """One started launch."""

    pid: int

    async def wait(self, *, timeout_seconds: float | None = None) -> Exit:
        """How it ended, once every process is gone and every byte was handed on."""
        raise LaunchFailed(detail="not yet")

    async def terminate(self, *, grace_seconds: float) -> Exit:
        """SIGTERM to the command and its group; what is left after the grace is killed."""
        raise LaunchFailed(detail="not yet")

    async def kill(self, reason: Reason = "cancelled") -> Exit:
        """Kill everything inside; returns when the kernel has confirmed it."""
        raise LaunchFailed(detail="not yet")

    async def dial(self, port: int) -> socket.socket:
        """A connected non-blocking TCP socket to 127.0.0.1:port inside; OSError when refused."""
        raise LaunchFailed(detail="not yet")


async def start(
    launch: Launch,
    *,
    on_output: Callable[[bytes], None],
    egress: Egress | None = None,
    on_refusal: Callable[[str], None] | None = None,
) -> Running:
    """Start it; `on_output` gets every byte in order, `on_refusal` every address refused."""
    raise LaunchFailed(detail="not yet")


def sweep(prefix: str) -> list[str]:
    """Kill and remove what earlier supervisors, now dead, left of launches named `prefix…`."""
    return []
