"""The limiter in the process: B-067, B-069, D-19, D-20."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.core import clock
from windlass.core.limit import TICKS, Memory, Rule

pytestmark = pytest.mark.anyio

WINDOW = 60
# Moments are multiples of 1/64 s: floats that add up exactly, on and between the ticks.
STEPS = st.lists(
    st.tuples(st.integers(0, 64 * 90).map(lambda n: n / 64), st.integers(1, 4)), max_size=150
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def within(taken: list[tuple[float, int]], after: float, until: float) -> int:
    return sum(cost for moment, cost in taken if after < moment <= until)


def log_size(memory: Memory) -> int:
    return max(len(log.moments) for logs in memory._logs.values() for log in logs.values())


@given(STEPS, st.integers(1, 90))
def test_no_window_ever_holds_more_than_its_limit_and_places_come_back_within_a_tick(
    steps: list[tuple[float, int]], limit: int
) -> None:
    now, taken = Clock(), list[tuple[float, int]]()
    memory = Memory(seconds=now)
    for gap, cost in steps:
        now.now += gap
        verdict = memory.take((Rule("k", limit, WINDOW),), cost)
        exact = within(taken, now.now - WINDOW, now.now)
        at_most = within(taken, now.now - WINDOW - WINDOW / TICKS, now.now)
        if verdict.success:
            assert exact + cost <= limit
            taken.append((now.now, cost))
            assert limit - at_most - cost <= verdict.remaining <= limit - exact - cost
        else:
            assert at_most + cost > limit
            assert limit - at_most <= verdict.remaining <= limit - exact
        if taken:
            assert log_size(memory) <= TICKS + 1


@given(STEPS, st.integers(4, 40))
def test_who_waits_as_long_as_they_were_told_succeeds(
    steps: list[tuple[float, int]], limit: int
) -> None:
    now = Clock()
    memory = Memory(seconds=now)
    rules = (Rule("k", limit, WINDOW),)
    for gap, cost in steps:
        now.now += gap
        verdict = memory.take(rules, cost)
        if not verdict.success:
            assert 1 <= verdict.retry_after_seconds <= WINDOW
            now.now += verdict.retry_after_seconds
            assert memory.take(rules, cost).success


async def test_a_verdict_says_what_is_left_and_when_all_of_it_is_back() -> None:
    memory = Memory()
    before = clock.now()

    verdict = await memory.check("k", 3, WINDOW)

    assert (verdict.success, verdict.limit, verdict.remaining) == (True, 3, 2)
    assert verdict.retry_after_seconds == 0
    assert 0 <= (verdict.reset_at - before).total_seconds() - WINDOW < 10
    assert verdict.reset.endswith("Z")
    assert verdict.as_meta() == {"limit": 3, "remaining": 2, "resetAt": verdict.reset}


async def test_the_strictest_of_several_limits_answers() -> None:
    memory = Memory()
    rules = (Rule("wide", 100, WINDOW), Rule("narrow", 2, WINDOW))

    first = await memory.check_all(rules)
    assert (first.limit, first.remaining) == (2, 1)
    await memory.check_all(rules)

    assert (await memory.check_all(rules)).limit == 2
    assert not (await memory.check_all(rules)).success


async def test_a_refused_request_is_counted_nowhere() -> None:
    memory = Memory()
    rules = (Rule("wide", 100, WINDOW), Rule("narrow", 1, WINDOW))
    for _ in range(20):
        await memory.check_all(rules)

    assert (await memory.check("wide", 100, WINDOW, cost=0)).remaining == 99


async def test_a_look_counts_nothing_and_is_never_refused() -> None:
    memory = Memory()
    for _ in range(3):
        await memory.check("k", 2, WINDOW)

    assert (await memory.check("k", 2, WINDOW, cost=0)).success
    assert (await memory.check("k", 2, WINDOW, cost=0)).remaining == 0
    assert len(memory) == 1


async def test_what_costs_more_than_the_limit_never_fits() -> None:
    verdict = await Memory().check("k", 3, WINDOW, cost=4)

    assert (verdict.success, verdict.remaining, verdict.retry_after_seconds) == (False, 3, WINDOW)


async def test_another_plan_counts_on_with_what_was_counted() -> None:
    memory = Memory()
    for _ in range(3):
        await memory.check("k", 3, WINDOW)
    assert not (await memory.check("k", 3, WINDOW)).success

    assert (await memory.check("k", 10, WINDOW)).remaining == 6
    assert (await memory.check("k", 2, WINDOW)).remaining == 0


async def test_keys_whose_window_has_passed_are_forgotten_by_the_next_checks() -> None:
    now = Clock()
    memory = Memory(seconds=now)
    for number in range(1000):
        await memory.check(f"ip:{number}", 5, WINDOW)
    assert len(memory) == 1000
    now.now += 2 * WINDOW
    for number in range(600):
        await memory.check(f"new:{number % 5}", 1000, WINDOW)

    assert len(memory) == 5


async def test_a_flood_of_keys_pushes_out_the_quietest_not_the_memory() -> None:
    memory = Memory(most_keys=100)
    for number in range(1000):
        await memory.check(f"ip:{number}", 5, WINDOW)
        await memory.check("busy", 10_000, WINDOW)

    assert len(memory) == 100
    assert (await memory.check("busy", 10_000, WINDOW)).remaining == 10_000 - 1001
