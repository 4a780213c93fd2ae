"""Three questions of RFC 9110, answered purely: which encoding, is it unchanged, which part."""

import re
from functools import lru_cache

_RANGE = re.compile(rb"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))[ \t]*")
_TAG = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_QUALITY = re.compile(rb"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")

BROTLI, GZIP, IDENTITY = b"br", b"gzip", b""


def encodings(accept: bytes) -> tuple[bytes, ...]:
    """The encodings the client takes, best first; `identity` (empty) is always the last resort.

    Sorted by quality, then by how small they make a file: br, gzip, identity.
    """
    # Real clients send a handful of values; a long one is somebody filling our memory.
    return _encodings(accept) if len(accept) < 128 else _rank(accept)


def is_unchanged(if_none_match: bytes, etag: bytes) -> bool:
    """If-None-Match: a list or `*`.

    Compared weakly (RFC 9110, 13.1.2): proxies weaken a tag when they recompress.
    """
    if if_none_match == etag:
        return True
    return if_none_match.strip() == b"*" or etag in _TAG.findall(if_none_match)


def byte_range(value: bytes, size: int) -> tuple[int, int] | None:
    """The first byte and the count of a single range; None when the whole file is the answer.

    Raises ValueError when the range lies outside the file (416). Several ranges get the whole file,
    which the standard allows, because multipart answers are the classic way to make a server work.
    """
    match = _RANGE.fullmatch(value)
    if match is None:
        return None
    if match[3] is not None:
        count = min(int(match[3]), size)
        if count == 0:
            raise ValueError("an empty range")
        return size - count, count
    first = int(match[1])
    last = size - 1 if match[2] is None else int(match[2])
    if match[2] is not None and last < first:
        return None
    if first >= size:
        raise ValueError("a range after the end")
    return first, min(last, size - 1) - first + 1


def _rank(accept: bytes) -> tuple[bytes, ...]:
    quality: dict[bytes, float] = {}
    for member in accept.lower().split(b","):
        name, *parameters = (part.strip() for part in member.split(b";"))
        weight = 1.0
        for parameter in parameters:
            match = _QUALITY.fullmatch(parameter)
            weight = float(match[1]) if match else 0.0
        quality[b"gzip" if name == b"x-gzip" else name] = weight
    rest = quality.get(b"*", 0.0)
    # Not naming identity means "only if nothing else fits", so it then ranks last.
    weights = {name: quality.get(name, rest) for name in (BROTLI, GZIP)}
    identity = quality.get(b"identity", 0.0)
    usable = [name for name, weight in weights.items() if weight > 0 and weight >= identity]
    return (*sorted(usable, key=lambda name: -weights[name]), IDENTITY)


_encodings = lru_cache(maxsize=256)(_rank)
