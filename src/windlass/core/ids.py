"""Ids: UUIDv7 inside (sorts by time), `prefix_` plus 26 letters outside (D-13)."""

import os
import time
from functools import lru_cache
from uuid import UUID

from windlass.core.errors import NotFound

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26
# Ten bits at a time: lists of ids are encoded on every request.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -1, -10)


def uuid7() -> UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    return UUID(int=value)


@lru_cache(maxsize=8192)
def public(prefix: str, id: UUID) -> str:
    """The outward form: `depl_01jd…`, Crockford base32 in lower case."""
    number = id.int
    pairs = [_PAIRS[number >> shift & 1023] for shift in _SHIFTS]
    return f"{prefix}_{''.join(pairs)}"


def private(prefix: str, text: str) -> UUID:
    """Read an outward id. Anything that is not one cannot exist: NotFound."""
    head, _, letters = text.partition("_")
    if head != prefix or len(letters) != _LENGTH or letters[0] > "7":
        raise NotFound()
    number = 0
    for letter in letters:
        if letter not in _VALUES:
            raise NotFound()
        number = number << 5 | _VALUES[letter]
    return UUID(int=number)


def short(id: UUID) -> str:
    """Eight random letters of an id, for host names of previews (D-46)."""
    return public("x", id)[-8:]
