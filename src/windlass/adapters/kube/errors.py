"""What can go wrong between us and a cluster, one class for each thing to do about it.

The text of each is that of the API server, or ours where it said none; it shows no credential.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

# How an API server of any version says that a field is unknown, too often or of the wrong type.
_STRICT = re.compile(r"strict decoding error|field not declared in schema|failed to create typed")
_OWNER = re.compile(r'conflict with "(?P<manager>[^"]*)"(?: (?:with )?subresource "[^"]*")?')
_WEBHOOK = re.compile(r'admission webhook "(?P<name>[^"]+)" denied the request')
_WEBHOOK_AWAY = re.compile(r'failed calling webhook "(?P<name>[^"]+)"')
_FIELD = re.compile(r"^\s*(?P<field>\.[^:\s]+): (?P<message>.+)$", re.MULTILINE)
_UNKNOWN = re.compile(r'(?P<message>unknown field|duplicate field) "(?P<field>[^"]+)"')


class Cause(msgspec.Struct, frozen=True):
    """One thing that is wrong with an object, and where."""

    field: str
    message: str
    reason: str = ""


class Owner(msgspec.Struct, frozen=True):
    """Somebody else who decides about a field."""

    manager: str
    field: str


class KubeError(Exception):
    """Why a cluster did not do what it was asked."""

    may_pass = False
    """Whether the same request can work later, with nothing changed by anybody."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class Away(KubeError):
    """Nobody answers at its address, or not in time."""

    may_pass = True


class Untrusted(KubeError):
    """Whoever answers cannot prove to be that cluster."""


class AddressNotAllowed(KubeError):
    """Its address is one that this Windlass does not talk to."""


class BadAccess(KubeError):
    """The address, a certificate or a key cannot be read."""


class Unauthorized(KubeError):
    """401: it does not know this token or certificate (any more)."""


class Forbidden(KubeError):
    """403: it knows who asks, and they may not."""


class Terminating(Forbidden):
    """The namespace is being deleted, so nothing new can be made in it."""

    may_pass = True


class QuotaExceeded(Forbidden):
    """A ResourceQuota of the namespace has nothing left."""


class Denied(KubeError):
    """An admission webhook, or a policy, refuses the object. `by` is its name."""

    def __init__(self, message: str, *, status: int, by: str) -> None:
        super().__init__(message, status=status)
        self.by = by


class NotFound(KubeError):
    """404: there is no such object, or no such namespace."""


class NoSuchKind(KubeError):
    """The cluster has no such kind in this version."""


class AlreadyExists(KubeError):
    """409: somebody made it meanwhile."""


class Conflict(KubeError):
    """409: others own fields that the object sets, or it has changed meanwhile (no owners)."""

    def __init__(self, message: str, *, owners: tuple[Owner, ...]) -> None:
        super().__init__(message, status=409)
        self.owners = owners
        self.may_pass = not owners


class Invalid(KubeError):
    """400 or 422: the object is wrong. `causes` say where, as far as the server does."""

    def __init__(self, message: str, *, status: int, causes: tuple[Cause, ...]) -> None:
        super().__init__(message, status=status)
        self.causes = causes

    @property
    def is_immutable(self) -> bool:
        """Whether all that is wrong are fields that cannot be changed: it has to be made anew."""
        return bool(self.causes) and all("immutable" in c.message for c in self.causes)


class TooMany(KubeError):
    """429: it is asked too much. `retry_after` is in seconds."""

    may_pass = True

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, status=429)
        self.retry_after = retry_after


class Expired(KubeError):
    """410: what was to be continued is too long ago. List anew."""

    may_pass = True


class Broken(KubeError):
    """5xx, half an answer, one that is too large, or something that is no Kubernetes."""

    may_pass = True


def refusal(status: int, body: bytes, headers: Mapping[str, str]) -> KubeError:
    """The error for an answer of 300 and more."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = None
    said: dict[str, Any] = found if isinstance(found, dict) else {}
    message = str(said.get("message") or "") or f"the server answered {status}"
    details: dict[str, Any] = said.get("details") or {}
    causes = _causes(details)
    if by := _WEBHOOK.search(message) or (status == 403 and _policy(message)):
        return Denied(message, status=status, by=by["name"])
    if status in (400, 422) or (status == 500 and _STRICT.search(message)):
        return Invalid(message, status=status, causes=causes or _from_text(message))
    match status:
        case 401:
            return Unauthorized(message, status=status)
        case 403:
            return _forbidden(message, causes)
        case 404:
            return NotFound(message, status=status)
        case 409 if said.get("reason") == "AlreadyExists":
            return AlreadyExists(message, status=status)
        case 409:
            return Conflict(message, owners=_owners(causes))
        case 410:
            return Expired(message, status=status)
        case 429:
            return TooMany(message, retry_after=_seconds(headers, details))
        case _ if status < 400:
            return Broken(f"it leads elsewhere ({status}); give its real address", status=status)
        case _:
            return Broken(message, status=status)


def _forbidden(message: str, causes: tuple[Cause, ...]) -> Forbidden:
    if any(cause.reason == "NamespaceTerminating" for cause in causes):
        return Terminating(message, status=403)
    if "exceeded quota" in message or "failed quota" in message:
        return QuotaExceeded(message, status=403)
    return Forbidden(message, status=403)


def _policy(message: str) -> re.Match[str] | None:
    return re.search(r"ValidatingAdmissionPolicy '(?P<name>[^']+)'", message)


def _causes(details: dict[str, Any]) -> tuple[Cause, ...]:
    return tuple(
        Cause(
            str(one.get("field") or ""), str(one.get("message") or ""), str(one.get("reason") or "")
        )
        for one in details.get("causes") or ()
        if isinstance(one, dict)
    )


def _owners(causes: tuple[Cause, ...]) -> tuple[Owner, ...]:
    found: list[Owner] = []
    for cause in causes:
        if cause.reason == "FieldManagerConflict":
            said = _OWNER.search(cause.message)
            found.append(Owner(said["manager"] if said else cause.message, cause.field))
    return tuple(found)


def _from_text(message: str) -> tuple[Cause, ...]:
    """Where the fields are named in the sentence alone: `strict decoding error: unknown field
    "spec.x"`, `.spec.x: field not declared in schema`."""
    found = [Cause(one["field"], one["message"]) for one in _UNKNOWN.finditer(message)]
    lines = message.partition("): ")[2] or message
    found += [Cause(one["field"].lstrip("."), one["message"]) for one in _FIELD.finditer(lines)]
    return tuple(found)


def _seconds(headers: Mapping[str, str], details: dict[str, Any]) -> float:
    try:
        given = headers.get("retry-after") or details.get("retryAfterSeconds") or 1
        return min(max(float(given), 0.0), 300.0)
    except (TypeError, ValueError):
        return 1.0
