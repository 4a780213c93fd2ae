"""How the processes of a server release are started: `process.sealed` in its folder.

It holds the app's variables, so it is encrypted; the worker seals it and the edge opens it.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from windlass.core import site
from windlass.core.container import Container
from windlass.core.crypto import KeyRing
from windlass.core.egress import EgressPolicy
from windlass.core.launch import Launch, Limits

FILE = "process.sealed"
WEB = "web"
Restart = Literal["always", "on-failure", "never"]
"""When a process is started again that has ended. `web` always is."""


Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,63}(?!\n)$",
        description="Use letters, digits, - and _, at most 63 of them",
    ),
]
HealthPath = Annotated[
    str,
    Meta(
        pattern=r"^/[!-~]*(?!\n)$",
        max_length=500,
        description="Use a path that begins with / and has no spaces",
    ),
]
StartTimeout = Annotated[float, Meta(ge=1, le=900)]
Drain = Annotated[float, Meta(ge=0, le=900)]
MemoryMb = Annotated[int, Meta(ge=32, le=1 << 20)]
Cpus = Annotated[float, Meta(ge=0.05, le=256)]
Grace = Annotated[float, Meta(ge=0, le=120)]
Command = Annotated[str, Meta(max_length=4000, pattern=r"^[^\x00]*$")]


class Said(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a project says of one of its processes. Null: not said; an empty command: none."""

    name: Name
    command: Command | None = None
    memory_mb: MemoryMb | None = None
    cpus: Cpus | None = None
    grace_seconds: Grace | None = None
    restart: Restart | None = None


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A launch and what belongs to it. The one that is sealed is `web`, with the others in it."""

    launch: Launch
    name: str = WEB
    mask: tuple[str, ...] = ()
    """Values that are replaced in the log."""
    egress: EgressPolicy = EgressPolicy()
    """What the app may reach when its launch has a network."""
    container: Container | None = None
    """What an engine runs instead of the launch's command, with the launch's limits."""
    restart: Restart = "always"
    tries: int = 10
    """With "on-failure": after so many failures in a row it is given up."""
    grace_seconds: float = 10.0
    """From SIGTERM to SIGKILL."""
    others: "tuple[Process, ...]" = ()
    """Those that run beside `web` while the release is live: workers."""

    @property
    def limits(self) -> Limits:
        """What it may use."""
        return self.launch.limits


_decoder = msgspec.json.Decoder(Process)


def write(home: Path, deployment: str, process: Process, given: Sequence[bytes] = ()) -> None:
    """Seal it into the release's folder, with the key that is given if one is, and force it to the
    disk."""
    keys = KeyRing.load(home / "keys", given)
    sealed = keys.seal(msgspec.json.encode(process), context=context_of(deployment))
    path = site.folder(home, deployment) / FILE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())


def read(home: Path, deployment: str, given: Sequence[bytes] = ()) -> Process:
    """Open it. Raises OSError, SealBroken or msgspec.DecodeError."""
    sealed = (site.folder(home, deployment) / FILE).read_bytes()
    keys = KeyRing.load(home / "keys", given)
    return _decoder.decode(keys.open_sealed(sealed, context=context_of(deployment)))


def context_of(deployment: str) -> str:
    """What its seal is tied to."""
    return f"process:{deployment}"
