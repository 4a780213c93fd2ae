"""An error a caller can cause. Anything else is a bug and becomes a 500."""

from typing import ClassVar


class AppError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "BAD_REQUEST"

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        self.message = " ".join((type(self).__doc__ or "").split()).format(**facts)
        super().__init__(self.message)

    @property
    def details(self) -> dict[str, object]:
        """What the answer's `details` holds: the facts that JSON can carry."""
        return {name: fact for name, fact in self.facts.items() if fact is not None}


class BadRequest(AppError):
    """The request cannot be understood."""


class Unauthorized(AppError):
    """Sign in first."""

    status = 401
    code = "UNAUTHORIZED"


class Forbidden(AppError):
    """You may not do this."""

    status = 403
    code = "FORBIDDEN"


class NotFound(AppError):
    """There is no such thing, or you may not see it."""

    status = 404
    code = "NOT_FOUND"


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


class TimeoutFailed(AppError):
    """That took too long."""

    status = 504
    code = "TIMEOUT_ERROR"


def invalid(field: str, message: str) -> ValidationFailed:
    """One wrong field, in the form every validation error has (C-072)."""
    return ValidationFailed(fields=[{"field": field, "message": message}])
