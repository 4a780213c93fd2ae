"""Authenticated encryption of what is stored, with a ring of keys: the newest seals, all open."""

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KID_BYTES = 4
_MARK_BYTES = 15
_KEY_BYTES = 32
# Of 32 random bytes, hardly ever fewer than 24 differ.
_FEWEST_DIFFERENT = 16
_HOW = "make one with: windlass keys make"


class SealBroken(Exception):
    """The bytes were not sealed with a key of this ring, or were changed since."""


class KeyGiven(Exception):
    """The settings give the keys, so nobody else changes them."""


class WeakKey(ValueError):
    """A key that was given is too short, or nobody chose it by chance. Does not show it."""


class KeyRing:
    """AES-256-GCM keys of one instance, newest first. Those that are given come before those in the
    file; another process may change the file at any time, which is noticed."""

    MARK_LETTERS = _MARK_BYTES // 3 * 4

    def __init__(self, keys: Sequence[bytes], path: Path | None = None) -> None:
        self._given = tuple(keys)
        self._path = path
        self._read: tuple[int, int, int] | None = None
        self._known = list(keys)

    @classmethod
    def load(cls, folder: Path, given: Sequence[bytes] = ()) -> "KeyRing":
        """With `<home>/keys/data.json`; the first call makes it, mode 0600, unless one is given."""
        path = folder / "data.json"
        if not given and not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_keys(path, [secrets.token_bytes(_KEY_BYTES)])
        return cls(given, path)

    @property
    def newest(self) -> bytes:
        """The name, in each sealed value, of the key that seals."""
        return _kid(self._keys[0])

    @property
    def older(self) -> list[bytes]:
        """The names of the keys that only open."""
        return [_kid(key) for key in self._keys[1:]]

    @property
    def is_given(self) -> bool:
        """Whether the key that seals comes from the settings."""
        return bool(self._given)

    @property
    def has_old_file(self) -> bool:
        """Whether keys in the file only open."""
        return len(self._in_file()) > (0 if self._given else 1)

    def add(self) -> None:
        """A new key seals from now on, in every process; the others still open."""
        if self._path is None or self._given:
            raise KeyGiven
        _write_keys(self._path, [secrets.token_bytes(_KEY_BYTES), *self._keys])

    def forget_older(self) -> None:
        """Take out of the file what only opens. Nothing may be sealed with it any more."""
        if self._path is None:
            raise KeyGiven
        if self._given:
            self._path.unlink(missing_ok=True)
            self._known, self._read = list(self._given), None
        else:
            _write_keys(self._path, self._keys[:1])

    @property
    def _keys(self) -> list[bytes]:
        if self._path is None:
            return self._known
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return self._known
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if self._read != stamp:
            in_file = self._in_file()
            self._known = [*self._given, *(key for key in in_file if key not in self._given)]
            self._read = stamp
        return self._known

    def _in_file(self) -> list[bytes]:
        if self._path is None or not self._path.exists():
            return []
        return [base64.b64decode(text) for text in json.loads(self._path.read_text())]

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


def key_name(sealed: bytes) -> bytes:
    """Which key sealed this, as `KeyRing.newest` names it."""
    return sealed[1 : 1 + _KID_BYTES] if sealed[:1] == _VERSION else b""


def given_keys(text: str) -> tuple[bytes, ...]:
    """Keys as a setting gives them, Base64 with commas. Raises WeakKey, which shows none."""
    return tuple(_given_key(word.strip()) for word in text.split(",") if word.strip())


def new_key() -> str:
    """A key as a setting gives it."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _given_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=None, validate=True)
    except ValueError:
        raise WeakKey(f"expected {_KEY_BYTES} random bytes or more in Base64; {_HOW}") from None
    if len(key) < _KEY_BYTES:
        raise WeakKey(f"{len(key)} bytes are too few, {_KEY_BYTES} are needed; {_HOW}")
    is_text = all(32 <= byte < 127 for byte in key)
    if is_text or len(set(key)) < _FEWEST_DIFFERENT:
        raise WeakKey(f"this is not random; {_HOW}")
    return key if len(key) == _KEY_BYTES else hashlib.sha256(key).digest()


def _write_keys(path: Path, keys: Sequence[bytes]) -> None:
    write_secret(path, json.dumps([base64.b64encode(key).decode() for key in keys]))


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
