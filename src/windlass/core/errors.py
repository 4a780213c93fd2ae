"""An error a caller can cause. Anything else is a bug and becomes a 500.

This is the one list of codes, each with its one status (D-16); an area's error takes both from
its parent here. What exactly was wrong is said by `details.reason`, for the errors that have one.
"""

from typing import ClassVar

from windlass.core import languages


class AppError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "BAD_REQUEST"
    reason: ClassVar[str | None] = None

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.template().format(**facts))

    @classmethod
    def template(cls) -> str:
        """The message in English with the facts as placeholders: the key of its translations."""
        return " ".join((cls.__doc__ or "").split())

    @property
    def message(self) -> str:
        """In the language of whoever is answered; `str(error)` is English, for the log."""
        return languages.filled(self.template(), self.facts)

    @property
    def details(self) -> dict[str, object]:
        """What the answer's `details` holds: the facts that JSON can carry."""
        found = {name: fact for name, fact in self.facts.items() if fact is not None}
        return {"reason": self.reason, **found} if self.reason else found


class BadRequest(AppError):
    """The request cannot be understood."""


class Unauthorized(AppError):
    """Sign in first."""

    status = 401
    code = "UNAUTHORIZED"


class PaymentRequired(AppError):
    """The plan does not include this."""

    status = 402
    code = "PAYMENT_REQUIRED"


class Forbidden(AppError):
    """You may not do this."""

    status = 403
    code = "FORBIDDEN"


class CrossSite(AppError):
    """The request came from another site and was refused."""

    status = 403
    code = "CSRF_ERROR"


class NotFound(AppError):
    """There is no such thing, or you may not see it."""

    status = 404
    code = "NOT_FOUND"


class MethodNotAllowed(AppError):
    """This address does not take that method."""

    status = 405
    code = "METHOD_NOT_ALLOWED"


class Conflict(AppError):
    """That conflicts with the current state."""

    status = 409
    code = "CONFLICT"


class Gone(AppError):
    """This is no longer available."""

    status = 410
    code = "GONE"


class TooLarge(AppError):
    """This is too large."""

    status = 413
    code = "PAYLOAD_TOO_LARGE"


class UnsupportedMediaType(AppError):
    """Send the body as application/json."""

    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"


class ValidationFailed(AppError):
    """Validation failed"""

    status = 422
    code = "VALIDATION_ERROR"


class TooManyRequests(AppError):
    """Too many requests. Wait a moment and try again."""

    status = 429
    code = "TOO_MANY_REQUESTS"


class InternalError(AppError):
    """Something went wrong on our side. The request id finds it in the log."""

    status = 500
    code = "INTERNAL_SERVER_ERROR"


class IntegrationError(AppError):
    """An outside system did not do its part."""

    status = 502
    code = "INTEGRATION_ERROR"


class Unavailable(AppError):
    """This is not available right now."""

    status = 503
    code = "SERVICE_UNAVAILABLE"


class CircuitOpen(AppError):
    """An outside system failed too often and is left alone for a moment."""

    status = 503
    code = "CIRCUIT_BREAKER_OPEN"


class TimeoutFailed(AppError):
    """That took too long."""

    status = 504
    code = "TIMEOUT_ERROR"


def invalid(field: str, message: str) -> ValidationFailed:
    """One wrong field, in the form every validation error has (C-072)."""
    return ValidationFailed(fields=[{"field": field, "message": message}])


# Every code there is, by status; docs/reference/errors.md and the OpenAPI document are made of it.
CODES: dict[str, type[AppError]] = {
    kind.code: kind for kind in (BadRequest, *AppError.__subclasses__()) if kind is not AppError
}
