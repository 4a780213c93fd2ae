"""Turns the path of a URL into the name of a file, once, or refuses it.

A name that comes out of here is only ever looked up in the release's table of files, so that
leaving the release is impossible twice over.
"""

import re
import unicodedata
from itertools import pairwise

_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_PLAIN = re.compile(rb"(?:/[A-Za-z0-9_~+@=,-][A-Za-z0-9_.~+@=,-]*)+/?|/")
_UNSAFE_IN_URL = re.compile(rb"[^A-Za-z0-9_.~+@=,/!$&'()*:;-]")
_HASHED = re.compile(r"[^/][.\-_]([A-Za-z0-9]{8,64})(?:\.[A-Za-z0-9]{1,11}){1,3}\Z")
_HEX = re.compile(r"[0-9a-f]+")
_BASE32 = re.compile(r"[A-Z2-7]{8}")


def decode(path: bytes) -> str | None:
    """The path decoded once and without its first slash; None when no honest client sends it.

    Refused: broken escapes, escaped slashes, backslashes, control characters, `.` and `..`
    segments, and bytes that are not UTF-8 (Python's decoder refuses overlong forms).
    """
    if not path.startswith(b"/"):
        return None
    # Nearly every path is plain, and then decoding changes nothing.
    if _PLAIN.fullmatch(path):
        return path[1:].decode()
    if _BROKEN_ESCAPE.search(path) or b"%2f" in path.lower():
        return None
    try:
        text = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), path).decode()
    except UnicodeDecodeError:
        return None
    if _CONTROL.search(text) or any(segment in (".", "..") for segment in text.split("/")):
        return None
    # Manifests hold NFC names; some systems send the decomposed form.
    return unicodedata.normalize("NFC", text[1:])


def encode(path: str) -> bytes:
    """The opposite of `decode`, for a Location header; always starts with exactly one slash."""
    # Two slashes at the start would name another server.
    clear = path.lstrip("/").encode()
    return b"/" + _UNSAFE_IN_URL.sub(lambda match: b"%%%02X" % match[0][0], clear)


def is_hashed(path: str) -> bool:
    """True for a name that changes with its content: `app-BkqR3xw0.js`, `main.3f9a2c1d.css`.

    Doubtful names are not hashed: asking again costs a short 304 answer, being wrong costs a year.
    """
    match = _HASHED.search(path)
    return match is not None and _looks_random(match[1])


def _looks_random(text: str) -> bool:
    kinds = "".join("d" if c.isdigit() else "u" if c.isupper() else "l" for c in text)
    if _HEX.fullmatch(text):
        return len(set(kinds)) > 1
    if _BASE32.fullmatch(text):
        return "d" in kinds
    # Words such as TypeScript or Summer2024 change their kind of letter less often than that.
    return sum(a != b for a, b in pairwise(kinds)) >= 4
