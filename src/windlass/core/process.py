"""How the process of a server release is started: `process.sealed` in its folder.

It holds the app's variables, so it is encrypted; the worker seals it and the edge opens it.
"""

import os
from pathlib import Path

import msgspec

from windlass.core import site
from windlass.core.crypto import KeyRing
from windlass.core.egress import EgressPolicy
from windlass.core.launch import Launch

FILE = "process.sealed"


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A launch and what belongs to it."""

    launch: Launch
    mask: tuple[str, ...] = ()
    """Values that are replaced in the log."""
    egress: EgressPolicy = EgressPolicy()
    """What the app may reach when its launch has a network."""


_decoder = msgspec.json.Decoder(Process)


def write(home: Path, deployment: str, process: Process) -> None:
    """Seal it into the release's folder and force it to the disk."""
    keys = KeyRing.load(home / "keys")
    sealed = keys.seal(msgspec.json.encode(process), context=_context(deployment))
    path = site.folder(home, deployment) / FILE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())


def read(home: Path, deployment: str) -> Process:
    """Open it. Raises OSError, SealBroken or msgspec.DecodeError."""
    sealed = (site.folder(home, deployment) / FILE).read_bytes()
    keys = KeyRing.load(home / "keys")
    return _decoder.decode(keys.open_sealed(sealed, context=_context(deployment)))


def _context(deployment: str) -> str:
    return f"process:{deployment}"
