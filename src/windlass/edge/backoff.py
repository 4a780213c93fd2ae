"""How long to wait before a process that failed is started again: longer each time, up to a point.

One that ran for a while has shown that it can, so it begins anew.
"""

FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 60.0
STEADY_SECONDS = 60.0


class Backoff:
    """Of one process. `in_a_row` counts its failures since it last ran steadily."""

    def __init__(self, first_seconds: float = FIRST_RETRY_SECONDS) -> None:
        self._first = first_seconds
        self._next = first_seconds
        self.in_a_row = 0

    def failed(self, *, ran_seconds: float) -> float:
        """It failed after running that long; the seconds to wait now."""
        if ran_seconds >= STEADY_SECONDS:
            self._next, self.in_a_row = self._first, 0
        self.in_a_row += 1
        pause, self._next = self._next, min(self._next * 2, LAST_RETRY_SECONDS)
        return pause
