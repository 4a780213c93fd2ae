"""What visitors got from a release: how many answers, how many failed, how soon they began.

The edge adds to it on every answer, so it is three additions and one search in 25 numbers, for a
file two additions; nothing is allocated. Quantiles are read from the buckets, so they are as exact
as the buckets are narrow.
"""

from bisect import bisect_left

import msgspec

BOUNDS = (
    *(0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1),
    *(0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0),
)
"""Seconds until an answer began: the upper ends of the buckets; a last one has no end."""

_FAILED = 500


class Tally(msgspec.Struct, gc=False):
    """Counts since the edge was started. `failed`: status 500 and above, or cut in the middle."""

    requests: int = 0
    failed: int = 0
    buckets: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    def add(self, status: int, seconds: float) -> None:
        """An answer with this status began after so many seconds."""
        self.requests += 1
        if status >= _FAILED:
            self.failed += 1
        self.buckets[bisect_left(BOUNDS, seconds)] += 1

    def add_file(self) -> None:
        """A file was answered: within microseconds, so nobody has to look at the clock."""
        self.requests += 1
        self.buckets[0] += 1

    def cut(self) -> None:
        """An answer that was counted when it began did not come to its end."""
        self.failed += 1


def since(now: Tally, then: Tally) -> Tally:
    """What was added meanwhile."""
    return Tally(
        max(0, now.requests - then.requests),
        max(0, now.failed - then.failed),
        [max(0, a - b) for a, b in zip(now.buckets, then.buckets, strict=True)],
    )


def both(one: Tally, other: Tally) -> Tally:
    """The sum of two."""
    return Tally(
        one.requests + other.requests,
        one.failed + other.failed,
        [a + b for a, b in zip(one.buckets, other.buckets, strict=True)],
    )


def quantile(found: Tally, share: float) -> float | None:
    """The seconds within which this share of the answers began; the upper end of their bucket.

    None without answers; the last bucket, which has no end, counts as its lower one.
    """
    total = sum(found.buckets)
    if not total:
        return None
    seen = 0
    for bound, count in zip((*BOUNDS, BOUNDS[-1]), found.buckets, strict=True):
        seen += count
        if seen >= share * total:
            return bound
    return BOUNDS[-1]
