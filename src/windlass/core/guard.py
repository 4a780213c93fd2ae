"""The password of a project's previews, as a file that the edge reads: `guards/<project>.json`.

It is written by the worker when the password changes, and gone when there is none. The key signs
what a browser keeps after the password was right; a new password has a new key, so that it ends.
"""

import hashlib
import hmac
import os
import secrets
import unicodedata
from pathlib import Path

import msgspec


class Guard(msgspec.Struct, frozen=True):
    """What the edge needs to let somebody in: an argon2 hash, and 32 bytes in hexadecimal."""

    hash: str
    key: str


_decoder = msgspec.json.Decoder(Guard)


def of(password_hash: str) -> Guard:
    """The same for the same hash, so that writing it again signs nobody out; the hash has a salt
    of its own and never leaves this machine."""
    key = hashlib.sha256(b"windlass preview\0" + password_hash.encode()).hexdigest()
    return Guard(password_hash, key)


def place(home: Path, project: str) -> Path:
    return home / "guards" / f"{project}.json"


def read(path: Path) -> Guard:
    """Raises OSError or msgspec.DecodeError."""
    return _decoder.decode(path.read_bytes())


def write(home: Path, project: str, guard: Guard | None) -> None:
    """Whole or not at all, and on the disk when it returns. Blocks."""
    path = place(home, project)
    if guard is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(msgspec.json.encode(guard))
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def is_password(guard: Guard, password: str) -> bool:
    """Whether this is the password. Takes tens of milliseconds on purpose. Blocks."""
    # Late: an edge without such previews needs none of it.
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher().verify(guard.hash, unicodedata.normalize("NFKC", password))
    except (VerificationError, InvalidHashError):
        return False


def sign(guard: Guard, host: str, until: int) -> str:
    """What a browser shows from now on, on this host only, until this moment (Unix time)."""
    return f"{until}.{_digest(guard, host, until)}"


def is_signed(guard: Guard, host: str, text: str, *, now: float) -> bool:
    """Whether it was made by `sign` for this host, and counts still."""
    moment, _, digest = text.partition(".")
    if not moment.isascii() or not moment.isdigit() or len(moment) > 12 or not digest.isascii():
        return False
    return hmac.compare_digest(digest, _digest(guard, host, int(moment))) and now < int(moment)


def _digest(guard: Guard, host: str, until: int) -> str:
    signed = f"{host}\n{until}".encode()
    return hmac.new(bytes.fromhex(guard.key), signed, "sha256").hexdigest()
