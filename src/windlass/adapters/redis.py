"""Limits that several processes share, in Redis; without it, or while it is away, in the process.

One script looks at all keys and counts in all or none, by Redis's own clock, in one round trip.
Each key holds a log as in `core/limit.py`, and lives as long as its window.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from windlass.core import limit, log
from windlass.core.limit import Limiter, Memory, Rule, Verdict

TIMEOUT_SECONDS = 0.05
RETRY_SECONDS = 3.0
_CONNECTIONS = 32
_PREFIX = "windlass:limit"

# KEYS: one for each rule. ARGV: the cost, then limit and window of each rule. The answer has three
# numbers for each rule: what is counted, microseconds until all of it has left, and until the cost
# fits. A moment of the future was counted before the clock was set back, and is dropped.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost, fits, rules = tonumber(ARGV[1]), true, {}

for number, key in ipairs(KEYS) do
  local window = tonumber(ARGV[number * 2 + 1]) * 1000000
  local rule = {key = key, limit = tonumber(ARGV[number * 2]), window = window, total = 0, log = {}}
  local kept = redis.call('GET', key)
  local all = kept and cmsgpack.unpack(kept) or {}
  for n = 1, #all, 2 do
    if all[n] > now - window and all[n] <= now then
      rule.log[#rule.log + 1] = all[n]
      rule.log[#rule.log + 1] = all[n + 1]
      rule.total = rule.total + all[n + 1]
    end
  end
  if cost > 0 and rule.total + cost > rule.limit then fits = false end
  rules[number] = rule
end

local function count(rule)
  local log, tick = rule.log, rule.window / TICKS
  local last = #log - 1
  if last > 0 and math.floor(log[last] / tick) == math.floor(now / tick) then
    log[last], log[last + 1] = now, log[last + 1] + cost
  else
    log[#log + 1] = now
    log[#log + 1] = cost
  end
  rule.total = rule.total + cost
  redis.call('SET', rule.key, cmsgpack.pack(log), 'PX', math.ceil(rule.window / 1000))
end

local function fits_in(rule)
  local needed = rule.total + cost - rule.limit
  if needed <= 0 then return 0 end
  for n = 1, #rule.log, 2 do
    needed = needed - rule.log[n + 1]
    if needed <= 0 then return rule.log[n] + rule.window - now end
  end
  return rule.window
end

local answer = {}
for _, rule in ipairs(rules) do
  if fits and cost > 0 then count(rule) end
  answer[#answer + 1] = string.format('%.0f', rule.total)
  local free_in = #rule.log > 0 and rule.log[#rule.log - 1] + rule.window - now or 0
  answer[#answer + 1] = string.format('%.0f', free_in)
  answer[#answer + 1] = string.format('%.0f', fits and 0 or fits_in(rule))
end
return table.concat(answer, ' ')
""".replace("TICKS", str(limit.TICKS))


class RedisLimiter(Limiter):
    """The shared limiter. An answer that is late or fails comes from this process instead, which
    then answers alone until Redis is asked again after `retry_seconds` (C-083, C-095)."""

    def __init__(
        self,
        url: str,
        *,
        memory: Memory | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = Redis.from_pool(pool)
        self._script = self._redis.register_script(_SCRIPT)
        self._memory = memory or Memory()
        self._timeout_seconds = timeout_seconds
        self._retry_seconds = retry_seconds
        self._seconds = seconds
        self._retry_at: float | None = None

    @property
    def is_shared(self) -> bool:
        """False while this process counts for itself."""
        return self._retry_at is None

    async def check_all(self, rules: Sequence[Rule], cost: int = 1) -> Verdict:
        if not self._may_ask():
            return self._memory.take(rules, cost)
        keys = [f"{_PREFIX}:{rule.window}:{rule.key}" for rule in rules]
        numbers = [number for rule in rules for number in (rule.limit, rule.window)]
        try:
            async with asyncio.timeout(self._timeout_seconds):
                text: bytes = await self._script(keys=keys, args=[cost, *numbers])
        except (RedisError, OSError) as error:
            self._lost(error)
            return self._memory.take(rules, cost)
        self._works()
        # One line: redis-py takes its time for each element of a list.
        found = [int(number) for number in text.split()]
        states = [
            (used, free_in / 1e6, fits_in / 1e6)
            for used, free_in, fits_in in zip(found[::3], found[1::3], found[2::3], strict=True)
        ]
        return limit.judge(rules, states, success=not any(found[2::3]))

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    def _may_ask(self) -> bool:
        """While Redis is away, one request in a while looks whether it is back."""
        if self._retry_at is None:
            return True
        now = self._seconds()
        if now < self._retry_at:
            return False
        self._retry_at = now + self._retry_seconds
        return True

    def _lost(self, error: Exception) -> None:
        if self._retry_at is None:
            reason = str(error) or f"no answer in {self._timeout_seconds * 1000:.0f} ms"
            log.get().error("limit.redis_lost", reason=reason, fix="this process counts alone")
        self._retry_at = self._seconds() + self._retry_seconds

    def _works(self) -> None:
        if self._retry_at is not None:
            self._retry_at = None
            log.get().warning("limit.redis_back")
