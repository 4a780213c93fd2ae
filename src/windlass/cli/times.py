"""When something happened, as people say it."""

from datetime import UTC, datetime

_STEPS = ((60, "s"), (60, "min"), (24, "h"))


def ago(then: datetime | None, *, now: datetime | None = None) -> str:
    """`40 s ago`, `3 h ago`, `5 d ago`; empty when it has not happened."""
    if then is None:
        return ""
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    value = max(0, int(((now or datetime.now(UTC)) - then).total_seconds()))
    for step, unit in _STEPS:
        if value < step:
            return f"{value} {unit} ago"
        value //= step
    return f"{value} d ago"
