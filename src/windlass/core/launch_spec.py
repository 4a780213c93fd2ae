"""What a launch is made of: pure data, so that it can be stored, compared and tested."""

import re
from typing import Literal

import msgspec

from windlass.core.errors import Unavailable

Reason = Literal["out-of-memory", "timeout", "process-limit", "disk-full", "cancelled"]
SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,120}")
PROXY_PORT = 3128
UNSAFE_WARNING = (
    "bubblewrap is missing and --unsafe-builds is set: what builds and apps run can read, and as an"
    " ordinary user change, every file that you can. Never do this with code that you did not"
    " write. Better: apt-get install bubblewrap"
)


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
    reserve_bytes: int = 512 << 20
    """A launch is stopped before less than this (or 2 % of a small disk) is left to write on."""


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
    forgiving: bool = False
    """Applications: being refused a process ends it only when that goes on and on."""
    watch_seconds: float = 0.1
    """How often the limits are looked at; applications say 2."""


class Exit(msgspec.Struct, frozen=True):
    """How it ended: one of `code` and `signal`, and the limit that was hit, if any."""

    code: int | None
    signal: int | None
    reason: Reason | None = None
    peak_memory_bytes: int = 0
    """The kernel's own count, page cache included; without cgroups, what was seen by sampling."""
    seconds: float = 0.0


class LaunchFailed(Unavailable):
    """The sandbox could not be started: {detail}"""


class NotYet(OSError):
    """It runs, but says of itself that it is not ready."""


def sentence(ended: Exit, limits: Limits) -> str:
    """One line for a person: what ended the command."""
    match ended.reason:
        case "out-of-memory":
            return f"Killed: it used more than the {limits.memory_bytes >> 20} MiB of memory."
        case "timeout":
            return f"Killed: it ran longer than allowed ({ended.seconds:.0f} s)."
        case "process-limit":
            return f"Killed: it started more than the {limits.processes} processes allowed."
        case "disk-full":
            return "Stopped: no space was left on the disk it writes to."
        case "cancelled":
            return "Cancelled."
        case None if ended.signal is not None:
            return f"Ended by signal {ended.signal}."
        case None:
            return f"Ended with exit code {ended.code}."
