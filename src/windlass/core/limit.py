"""A sliding window in this process: how often somebody may try something."""

import time
from collections import deque
from collections.abc import Callable

from windlass.core.errors import TooManyRequests


class Limit:
    """At most `times` in `seconds` for each key; what is older is forgotten."""

    def __init__(
        self, times: int, seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._times, self._seconds, self._clock = times, seconds, clock
        self._seen: dict[str, deque[float]] = {}

    def check(self, key: str) -> None:
        """Count one try; raises TooManyRequests with the seconds to wait."""
        now = self._clock()
        self._forget(now - self._seconds)
        tries = self._seen.setdefault(key, deque())
        if len(tries) >= self._times:
            raise TooManyRequests(retryAfterSeconds=int(tries[0] + self._seconds - now) + 1)
        tries.append(now)

    def reset(self) -> None:
        """Forget every try."""
        self._seen.clear()

    def _forget(self, before: float) -> None:
        for key, tries in list(self._seen.items()):
            while tries and tries[0] < before:
                tries.popleft()
            if not tries:
                del self._seen[key]
