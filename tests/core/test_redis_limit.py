"""The limiter in Redis, with a real one: B-072, C-083, C-095."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.core.redis_server import RedisServer, needed

from windlass.adapters.redis import RedisLimiter
from windlass.core.limit import Memory, Rule

pytestmark = [pytest.mark.anyio, needed]

WINDOW = 60


class Clock:
    """The breaker's; Redis has its own."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    found = RedisServer(tmp_path)
    found.start()
    yield found
    found.kill()


@pytest.fixture
def now() -> Clock:
    return Clock()


@pytest.fixture
async def limiter(server: RedisServer, now: Clock) -> AsyncIterator[RedisLimiter]:
    # Machines that run tests are slow at times; where lateness is the point it is provoked.
    found = RedisLimiter(server.url, timeout_seconds=60, seconds=now)
    yield found
    await found.close()


async def test_both_limiters_give_the_same_verdicts(limiter: RedisLimiter) -> None:
    memory = Memory()
    wide, narrow = Rule("wide", 9, WINDOW), Rule("narrow", 5, 300)
    for rules, cost in [
        ((wide,), 1),
        ((wide, narrow), 2),
        ((wide, narrow), 0),
        ((wide, narrow), 3),
        ((wide, narrow), 1),
        ((wide,), 3),
        ((wide,), 1),
        ((wide,), 10),
        ((Rule("wide", 20, WINDOW),), 1),
        ((Rule("wide", 2, WINDOW),), 0),
        ((Rule("other", 3, WINDOW),), 4),
    ]:
        ours, theirs = memory.take(rules, cost), await limiter.check_all(rules, cost)
        assert (ours.success, ours.limit, ours.remaining, ours.retry_after_seconds) == (
            theirs.success,
            theirs.limit,
            theirs.remaining,
            theirs.retry_after_seconds,
        )
        assert abs((ours.reset_at - theirs.reset_at).total_seconds()) < 10
    assert limiter.is_shared


async def test_two_processes_at_once_never_let_more_through(
    limiter: RedisLimiter, server: RedisServer
) -> None:
    other = RedisLimiter(server.url, timeout_seconds=60)
    asked = [each.check("k", 50, WINDOW) for each in (limiter, other) for _ in range(100)]
    verdicts = await asyncio.gather(*asked)
    await other.close()

    assert sum(verdict.success for verdict in verdicts) == 50


async def test_a_refused_request_is_counted_nowhere(limiter: RedisLimiter) -> None:
    rules = (Rule("wide", 100, WINDOW), Rule("narrow", 1, WINDOW))
    for _ in range(20):
        await limiter.check_all(rules)

    assert (await limiter.check("wide", 100, WINDOW, cost=0)).remaining == 99


async def test_places_come_back_when_the_window_has_passed(limiter: RedisLimiter) -> None:
    assert (await limiter.check("k", 1, 1)).success

    async with asyncio.timeout(60):
        while (await limiter.check("k", 1, 1)).success:
            pass
        while not (await limiter.check("k", 1, 1)).success:
            pass


async def test_keys_live_as_long_as_their_window_and_stay_small(
    limiter: RedisLimiter, server: RedisServer
) -> None:
    for _ in range(500):
        await limiter.check("k", 5000, WINDOW)

    assert server.ask("keys", "*") == f"windlass:limit:{WINDOW}:k"
    assert 0 < int(server.ask("pttl", f"windlass:limit:{WINDOW}:k")) <= WINDOW * 1000
    assert int(server.ask("strlen", f"windlass:limit:{WINDOW}:k")) < 61 * 18 + 8


async def test_a_script_that_redis_forgot_is_sent_again(
    limiter: RedisLimiter, server: RedisServer
) -> None:
    await limiter.check("k", 5, WINDOW)
    server.ask("script", "flush")

    assert (await limiter.check("k", 5, WINDOW)).remaining == 3
    assert limiter.is_shared


async def test_redis_killed_in_the_middle_and_back_again(
    limiter: RedisLimiter, server: RedisServer, now: Clock
) -> None:
    """The process answers meanwhile, and each change is said once (C-083, C-095)."""
    with structlog.testing.capture_logs() as log:
        await limiter.check("k", 3, WINDOW)
        server.kill()
        alone = [await limiter.check("k", 3, WINDOW) for _ in range(5)]
        now.now += 10
        await asyncio.gather(*[limiter.check("k", 3, WINDOW) for _ in range(20)])
        assert not limiter.is_shared

        server.start()
        assert not (await limiter.check("k", 3, WINDOW)).success
        assert not limiter.is_shared
        now.now += 10
        back = await limiter.check("k", 3, WINDOW)

    # It forgot with its memory what it had counted; the process counted from nothing too.
    assert [verdict.success for verdict in alone] == [True, True, True, False, False]
    assert (back.success, back.remaining) == (True, 2)
    assert limiter.is_shared
    assert [entry["event"] for entry in log] == ["limit.redis_lost", "limit.redis_back"]


async def test_while_redis_is_away_one_request_in_a_while_looks_for_it(
    limiter: RedisLimiter, server: RedisServer, now: Clock
) -> None:
    server.kill()
    await limiter.check("k", 9, WINDOW)
    server.start()
    for _ in range(5):
        await limiter.check("k", 9, WINDOW)
    assert not limiter.is_shared
    now.now += 10
    assert (await limiter.check("k", 9, WINDOW)).remaining == 8

    assert limiter.is_shared


async def test_a_redis_that_is_late_is_not_waited_for(server: RedisServer, now: Clock) -> None:
    limiter = RedisLimiter(server.url, timeout_seconds=0.05, seconds=now)
    server.ask("client", "pause", "600000", "all")

    with structlog.testing.capture_logs() as log:
        verdicts = [await limiter.check("k", 2, WINDOW) for _ in range(3)]

    assert [verdict.success for verdict in verdicts] == [True, True, False]
    assert [entry["event"] for entry in log] == ["limit.redis_lost"]
    server.kill()
    server.start()
    limit = 2
    async with asyncio.timeout(60):
        while not limiter.is_shared:
            now.now += 10
            limit += 1
            verdict = await limiter.check(f"k{limit}", limit, WINDOW)
    # An answer that came too late for its question is nobody else's.
    assert (verdict.limit, verdict.remaining) == (limit, limit - 1)
    await limiter.close()


async def test_without_a_redis_at_all_the_process_answers(tmp_path: Path) -> None:
    limiter = RedisLimiter(f"unix://{tmp_path}/nothing.sock")
    found: list[Any] = [(await limiter.check("k", 1, WINDOW)).success for _ in range(2)]

    assert found == [True, False]
    assert not limiter.is_shared
    await limiter.close()
