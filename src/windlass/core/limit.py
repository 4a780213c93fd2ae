"""How often somebody may do something: sliding windows, several of them in one question.

A window is a log of moments. Requests of the same tick, a sixtieth of the window, share the moment
of the latest of them, so that a key takes at most 61 pairs of numbers however large its limit is.
Nothing is forgotten too early: no window of that length, wherever it begins, ever holds more than
its limit. The price: under load a place comes back up to one tick later than in an exact log.
"""

import datetime as dt
import math
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import lru_cache

import msgspec

from windlass.core import clock
from windlass.core.errors import TooManyRequests

TICKS = 60
MOST_KEYS = 50_000


class Rule(msgspec.Struct, frozen=True):
    """At most `limit` in any `window` seconds, counted for `key`."""

    key: str
    limit: int
    window: int


class Verdict(msgspec.Struct, frozen=True):
    """The answer, by the strictest of the rules that were asked."""

    success: bool
    limit: int
    remaining: int
    reset_at: dt.datetime
    """When the whole limit is free again; of a refused request: when it would succeed."""
    retry_after_seconds: int = 0
    """What a refused request waits; it counts where clocks differ (E-29)."""

    @property
    def reset(self) -> str:
        """`reset_at` in ISO 8601, rounded up to a second so that nobody comes too early (D-17)."""
        return _iso(math.ceil(self.reset_at.timestamp()))

    def as_meta(self) -> dict[str, object]:
        """`meta.rateLimit` of the envelope (D-17)."""
        return {"limit": self.limit, "remaining": self.remaining, "resetAt": self.reset}

    def as_error(self) -> TooManyRequests:
        """The error of a refused request (B-070)."""
        return TooManyRequests(resetAt=self.reset, retryAfterSeconds=self.retry_after_seconds)


@lru_cache(maxsize=512)
def _iso(second: int) -> str:
    """Every request says it, most in a second say the same."""
    return dt.datetime.fromtimestamp(second, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Limiter(ABC):
    """The contract (B-067, B-072). Where the counts are is the subclass's business."""

    async def check(self, key: str, limit: int, window: int, cost: int = 1) -> Verdict:
        """Count `cost`, if that leaves the key within `limit` for the last `window` seconds."""
        return await self.check_all((Rule(key, limit, window),), cost)

    @abstractmethod
    async def check_all(self, rules: Sequence[Rule], cost: int = 1) -> Verdict:
        """All of the rules, or none of them, count it; a cost of 0 only looks."""


class Memory(Limiter):
    """Counts in this process, forgotten with it.

    A key whose last count has left its window goes with the next checks, two for each, oldest
    first: there is no sweep that somebody waits for, and no growth (B-069). `most_keys` is the
    bound for each window length; beyond it the key that was quiet longest is forgotten.
    """

    def __init__(
        self, *, seconds: Callable[[], float] = time.monotonic, most_keys: int = MOST_KEYS
    ) -> None:
        self._seconds = seconds
        self._most_keys = most_keys
        # For each window length the keys in the order of their last count.
        self._logs: dict[int, OrderedDict[str, _Log]] = {}

    def __len__(self) -> int:
        """Keys that are remembered."""
        return sum(len(logs) for logs in self._logs.values())

    async def check_all(self, rules: Sequence[Rule], cost: int = 1) -> Verdict:
        return self.take(rules, cost)

    def take(self, rules: Sequence[Rule], cost: int = 1) -> Verdict:
        """The same at once, for callers that cannot wait."""
        now = self._seconds()
        logs = [self._log(rule, now) for rule in rules]
        fits = not cost or all(
            log.total + cost <= rule.limit for rule, log in zip(rules, logs, strict=True)
        )
        if fits and cost:
            for rule, log in zip(rules, logs, strict=True):
                self._count(rule, log, cost, now)
        states = [log.state(rule, cost, fits, now) for rule, log in zip(rules, logs, strict=True)]
        return judge(rules, states, success=fits)

    def reset(self) -> None:
        """Forget everything."""
        self._logs.clear()

    def _log(self, rule: Rule, now: float) -> "_Log":
        logs = self._logs.get(rule.window)
        log = logs.get(rule.key) if logs else None
        if log is None:
            return _Log()
        log.forget(now - rule.window)
        return log

    def _count(self, rule: Rule, log: "_Log", cost: int, now: float) -> None:
        logs = self._logs.setdefault(rule.window, OrderedDict())
        log.add(now, cost, rule.window / TICKS)
        logs[rule.key] = log
        logs.move_to_end(rule.key)
        for _ in range(2):
            key, oldest = next(iter(logs.items()))
            if oldest.last > now - rule.window and len(logs) <= self._most_keys:
                break
            del logs[key]


class _Log:
    """Moments at which something was counted, oldest first, and how much."""

    __slots__ = ("counts", "last", "moments", "total")

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.counts: list[int] = []
        self.last = 0.0
        self.total = 0

    def forget(self, until: float) -> None:
        """What was counted until then is out of the window."""
        gone = 0
        for moment in self.moments:
            if moment > until:
                break
            self.total -= self.counts[gone]
            gone += 1
        if gone:
            del self.moments[:gone], self.counts[:gone]

    def add(self, now: float, cost: int, tick: float) -> None:
        """Count at this moment, the latest there is."""
        if self.moments and self.last // tick == now // tick:
            self.moments[-1] = now
            self.counts[-1] += cost
        else:
            self.moments.append(now)
            self.counts.append(cost)
        self.last = now
        self.total += cost

    def state(self, rule: Rule, cost: int, fits: bool, now: float) -> "State":
        """How things stand for this rule."""
        free_in = self.last + rule.window - now if self.total else 0.0
        return self.total, free_in, 0.0 if fits else self._fits_in(rule, cost, now)

    def _fits_in(self, rule: Rule, cost: int, now: float) -> float:
        needed = self.total + cost - rule.limit
        if needed <= 0:
            return 0.0
        for moment, count in zip(self.moments, self.counts, strict=True):
            needed -= count
            if needed <= 0:
                return moment + rule.window - now
        return float(rule.window)


State = tuple[int, float, float]
"""Of one rule: what is counted, seconds until all of it has left, seconds until the cost fits."""


def judge(rules: Sequence[Rule], states: Sequence[State], *, success: bool) -> Verdict:
    """The strictest answers: the longest wait, or else the one that has least left (D-19)."""
    now = clock.now()
    if success:
        left, free_in, limit = min(
            (rule.limit - used, -free_in, rule.limit)
            for rule, (used, free_in, _) in zip(rules, states, strict=True)
        )
        return Verdict(True, limit, max(left, 0), now + dt.timedelta(seconds=-free_in))
    wait, limit, used = max(
        (fits_in, rule.limit, used) for rule, (used, _, fits_in) in zip(rules, states, strict=True)
    )
    reset_at = now + dt.timedelta(seconds=wait)
    return Verdict(False, limit, max(limit - used, 0), reset_at, max(math.ceil(wait), 1))


def stricter(one: Verdict | None, other: Verdict) -> Verdict:
    """Of two questions that were asked one after the other."""
    if one is None or other.retry_after_seconds > one.retry_after_seconds:
        return other
    return other if one.success and other.remaining < one.remaining else one


_current: ContextVar[Verdict | None] = ContextVar("rate_limit", default=None)


def current() -> Verdict | None:
    """What the limiter said to the request that is being answered."""
    return _current.get()


def enter(verdict: Verdict | None) -> None:
    """From here on this is what the answer says of its limit."""
    _current.set(verdict)
