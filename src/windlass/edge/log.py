"""Events with fields, one JSON object a line on standard error.

The platform's own logger would cost the edge several megabytes for the ten lines it writes a day.
"""

import sys
import traceback
from datetime import UTC, datetime

import msgspec


def event(message: str, **fields: str | int | float | None) -> None:
    """Say once what was decided."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "message": message}
    sys.stderr.buffer.write(msgspec.json.encode(line | fields) + b"\n")
    sys.stderr.buffer.flush()


def fault(message: str, error: BaseException, **fields: str) -> None:
    """A fault of our own, with its trace."""
    event(message, **fields, error="".join(traceback.format_exception(error)))
