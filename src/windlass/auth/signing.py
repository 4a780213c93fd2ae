"""The keys that sign sessions: the newest signs, those before it verify until their time is over.

A ring is `<home>/keys/sessions.json`; `windlass keys rotate` puts a new key in front, and nobody is
signed out (C-294, E-12). Whoever signs out or is revoked is refused by the session's row, at once.
"""

import base64
import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from windlass.core import clock, crypto, ids
from windlass.core.errors import NotFound

ALGORITHM = "HS256"
# As long as a session can live: what an old key signed is over by then.
OVERLAP = dt.timedelta(days=30)
_KEY_BYTES = 32


class Claims(msgspec.Struct, frozen=True):
    """What a session token says (K-012), checked."""

    user_id: UUID
    session_id: UUID


class _Key(msgspec.Struct):
    kid: str
    key: str
    retired_at: dt.datetime | None = None


class SigningKeys:
    """The ring of one instance; a rotation by another process is noticed."""

    def __init__(self, folder: Path, given: Sequence[bytes] = ()) -> None:
        self._path = folder / "sessions.json"
        self._given = [_Key(kid=_kid_for(key), key=base64.b64encode(key).decode()) for key in given]
        self._read: tuple[int, int] | None = None
        self._keys: list[_Key] = []

    def sign(self, claims: Claims, *, username: str | None, expires_at: dt.datetime) -> str:
        """A compact JWS that names its key, its session and its end."""
        from joserfc import jwt

        newest = self._ring()[0]
        body: dict[str, Any] = {
            "userId": ids.public("user", claims.user_id),
            "username": username,
            "sid": ids.public("sess", claims.session_id),
            "iat": int(clock.now().timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": newest.kid}, body, _jwk(newest))

    def verify(self, token: str) -> Claims | None:
        """What a token says; None unless a key of the ring signed it and its time is not over."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        key = self._named(_kid_of(token))
        if key is None:
            return None
        try:
            body = jwt.decode(token, _jwk(key), algorithms=[ALGORITHM]).claims
            if float(body["exp"]) < clock.now().timestamp():
                return None
            return Claims(
                ids.private("user", str(body["userId"])), ids.private("sess", str(body["sid"]))
            )
        except (JoseError, KeyError, ValueError, TypeError, NotFound):
            return None

    @property
    def is_given(self) -> bool:
        """Whether the key that signs comes from the settings."""
        return bool(self._given)

    def make(self) -> None:
        """The ring, where there is none yet."""
        self._ring()

    def rotate(self) -> str:
        """A new key signs from now on. Returns its id."""
        if self._given:
            raise crypto.KeyGiven
        now = clock.now()
        kept = [key for key in self._ring() if key.retired_at is None or now < _end(key)]
        for key in kept:
            key.retired_at = key.retired_at or now
        fresh = _new_key()
        self._write([fresh, *kept])
        return fresh.kid

    def _named(self, kid: str) -> _Key | None:
        for key in self._ring():
            if secrets.compare_digest(key.kid, kid):
                return key if key.retired_at is None or clock.now() < _end(key) else None
        return None

    def _ring(self) -> list[_Key]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            if self._given:
                return self._given
            self._write([_new_key()])
            found = self._path.stat()
        if self._read != (stamp := (found.st_mtime_ns, found.st_ino)):
            in_file = msgspec.json.decode(self._path.read_bytes(), type=list[_Key])
            self._keys = [*self._given, *in_file]
            self._read = stamp
        return self._keys

    def _write(self, keys: list[_Key]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        crypto.write_secret(self._path, msgspec.json.encode(keys).decode())


def _new_key() -> _Key:
    return _Key(
        kid=secrets.token_hex(4), key=base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    )


def _kid_for(key: bytes) -> str:
    return hashlib.sha256(b"kid" + key).hexdigest()[:8]


def _end(key: _Key) -> dt.datetime:
    return (key.retired_at or clock.now()) + OVERLAP


def _jwk(key: _Key) -> Any:
    from joserfc.jwk import OctKey

    return OctKey.import_key(base64.b64decode(key.key))


def _kid_of(token: str) -> str:
    """The key that a token names, before anything in it is believed."""
    try:
        head = token.split(".", 1)[0]
        padded = head + "=" * (-len(head) % 4)
        found = json.loads(base64.urlsafe_b64decode(padded))
        kid = found.get("kid", "") if isinstance(found, dict) else ""
    except (ValueError, UnicodeError, RecursionError):
        return ""
    return kid if isinstance(kid, str) and kid.isascii() else ""
