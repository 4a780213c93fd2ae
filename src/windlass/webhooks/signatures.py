"""Whether a delivery comes from who knows the secret, in the form that each host documents.

Always over the body as it came, always in constant time.
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from windlass.webhooks.models import Host

# A key of 32 bytes in the form of the Standard Webhooks: GitLab's signing token must have it,
# and every other host takes it as the text that it is.
_PREFIX = "whsec_"
_KEY_BYTES = 32
_TOLERANCE = dt.timedelta(minutes=5)


def new_secret() -> str:
    """One that every host takes."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def is_genuine(
    host: Host, headers: Mapping[str, str], body: bytes, secret: str, *, now: dt.datetime
) -> bool:
    """Whether the headers prove the secret. Names of headers are in small letters."""
    if host is Host.gitlab:
        return _of_gitlab(headers, body, secret, now=now)
    if host is Host.github:
        return _is_hex(headers.get("x-hub-signature-256"), "sha256=", body, secret)
    if host is Host.bitbucket:
        return _is_hex(headers.get("x-hub-signature"), "sha256=", body, secret)
    # Forgejo sends both: its own counts, and a wrong one is not mended by the other.
    given = headers.get("x-forgejo-signature") or headers.get("x-gitea-signature")
    return _is_hex(given, "", body, secret)


def _is_hex(given: str | None, prefix: str, body: bytes, secret: str) -> bool:
    if given is None or not given.startswith(prefix):
        return False
    found = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return _same(given.removeprefix(prefix).lower(), found)


def _of_gitlab(headers: Mapping[str, str], body: bytes, secret: str, *, now: dt.datetime) -> bool:
    """A signature where there is one; before GitLab 19 there is only the token itself."""
    if (signatures := headers.get("webhook-signature")) is None:
        return _same(headers.get("x-gitlab-token", ""), secret)
    id, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    key = _key_of(secret)
    if key is None or not _is_fresh(moment, now):
        return False
    signed = f"{id}.{moment}.".encode() + body
    found = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    # While a key is replaced there may be several.
    given = [text.removeprefix("v1,") for text in signatures.split()[:5] if text[:3] == "v1,"]
    return any(_same(text, found) for text in given)


def _key_of(secret: str) -> bytes | None:
    if not secret.startswith(_PREFIX):
        return None
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return None


def _is_fresh(moment: str, now: dt.datetime) -> bool:
    if not moment.isascii() or not moment.isdigit() or len(moment) > 12:
        return False
    return abs(now.timestamp() - int(moment)) <= _TOLERANCE.total_seconds()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
