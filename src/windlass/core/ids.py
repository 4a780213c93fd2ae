"""Ids: UUIDv7 inside (sorts by time), `prefix_` plus 32 digits outside (D-13)."""

import os
import re
import time
from uuid import UUID

from windlass.core.errors import NotFound

_HEX = re.compile("[0-9a-f]{32}")


def uuid7() -> UUID:
    """A UUID of version 7: 48 bits of milliseconds, 12 of their fraction so that what happens in
    the same one stays in order (RFC 9562, 6.2, method 3), 62 random bits."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    value = milliseconds << 80 | (rest * 4096 // 1_000_000) << 64 | int.from_bytes(os.urandom(8))
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    return UUID(int=value)


def public(prefix: str, id: UUID) -> str:
    """The outward form, `depl_` and 32 hexadecimal digits; SQL makes the same."""
    return f"{prefix}_{id.hex}"


def private(prefix: str, text: str) -> UUID:
    """Read an outward id. Anything that is not one cannot exist: NotFound."""
    head, _, digits = text.partition("_")
    if head != prefix or not _HEX.fullmatch(digits):
        raise NotFound()
    return UUID(digits)


def short(id: UUID) -> str:
    """Eight random digits of an id, for host names of previews (D-46)."""
    return id.hex[-8:]
