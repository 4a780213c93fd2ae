"""The one place that asks what time it is."""

import datetime as dt


def now() -> dt.datetime:
    """The current moment, UTC-aware."""
    return dt.datetime.now(dt.UTC)
