"""Authenticated encryption of what is stored, with a ring of keys: the newest seals, all open."""

import base64
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KID_BYTES = 4
_MARK_BYTES = 15


class SealBroken(Exception):
    """The bytes were not sealed with a key of this ring, or were changed since."""


class KeyRing:
    """AES-256-GCM keys of one instance, newest first."""

    MARK_LETTERS = _MARK_BYTES // 3 * 4

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = keys

    @classmethod
    def load(cls, folder: Path) -> "KeyRing":
        """Read `<home>/keys/data.json`; the first call makes it, mode 0600."""
        path = folder / "data.json"
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_secret(path, json.dumps([base64.b64encode(secrets.token_bytes(32)).decode()]))
        return cls([base64.b64decode(text) for text in json.loads(path.read_text())])

    def seal(self, clear: bytes, *, context: str) -> bytes:
        """Encrypt. The context (what and whose it is) must be the same when it is opened."""
        # Imported late: 6 MB that a process without secrets does not need.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key, nonce = self._keys[0], os.urandom(_NONCE_BYTES)
        return _VERSION + _kid(key) + nonce + AESGCM(key).encrypt(nonce, clear, context.encode())

    def mark(self, text: str, *, context: str) -> str:
        """Letters that prove that this text came from here; for what all may read, not change."""
        return _marked_with(self._keys[0], text, context)

    def is_marked(self, text: str, mark: str, *, context: str) -> bool:
        """Whether `mark` made this, with any key of the ring."""
        given = mark.encode()
        return any(
            hmac.compare_digest(_marked_with(key, text, context).encode(), given)
            for key in self._keys
        )

    def open_sealed(self, sealed: bytes, *, context: str) -> bytes:
        """Decrypt what `seal` made; raises SealBroken."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        kid, rest = sealed[1 : 1 + _KID_BYTES], sealed[1 + _KID_BYTES :]
        for key in self._keys:
            if sealed[:1] == _VERSION and _kid(key) == kid:
                try:
                    nonce, body = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
                    return AESGCM(key).decrypt(nonce, body, context.encode())
                except InvalidTag as error:
                    raise SealBroken(context) from error
        raise SealBroken(context)


def _marked_with(key: bytes, text: str, context: str) -> str:
    own = hashlib.sha256(b"mark" + key).digest()
    found = hmac.digest(own, f"{context}\0{text}".encode(), "sha256")
    return base64.urlsafe_b64encode(found[:_MARK_BYTES]).decode()


def digest(token: str) -> bytes:
    """What the database keeps of a token with 256 random bits: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()


def new_token(prefix: str) -> str:
    """A bearer token that names its kind: `wl_…`."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def _kid(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_KID_BYTES]
