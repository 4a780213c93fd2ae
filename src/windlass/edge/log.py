"""Events with fields, one JSON object a line on standard error.

The platform's own logger would cost the edge several megabytes for the ten lines it writes a day.
"""

import sys
from datetime import UTC, datetime

import msgspec


def event(message: str, **fields: str | int | float | None) -> None:
    """Say once what was decided."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "message": message}
    sys.stderr.buffer.write(msgspec.json.encode(line | fields) + b"\n")
    sys.stderr.buffer.flush()
