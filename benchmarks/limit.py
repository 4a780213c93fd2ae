"""What one question to the limiter costs, in the process and in Redis, beside the package `limits`.

One limit, and the two that a request to the API counts in (ours asks both at once; the peer has to
ask twice), for many callers whose windows are well filled. Alternating rounds, medians and ratios.
Redis runs on a socket of its own; both sides use redis-py on uvloop.

    .venv/bin/python -m benchmarks.limit [--rounds 7] [--checks 3000]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

from windlass.adapters.redis import RedisLimiter
from windlass.core.limit import Memory, Rule

PEER = "limits==5.8.0"
FOLDER = Path(__file__).parents[1] / ".cache" / "benchmarks" / PEER
LIMIT, WINDOW, CALLERS = 1000, 60, 50
GOALS = {"process": 50.0, "redis": 400.0}

Ask = Callable[[int], Awaitable[Any]]


def install_peer() -> None:
    """The peer is a dependency of this file alone."""
    if not FOLDER.exists():
        argv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(FOLDER)]
        subprocess.run([*argv, PEER], check=True)
    sys.path.append(str(FOLDER))


def ours(limiter: Any, count: int) -> Ask:
    callers = [
        tuple(Rule(f"bench{number}:user:{caller}", LIMIT, WINDOW) for number in range(count))
        for caller in range(CALLERS)
    ]

    async def ask(number: int) -> None:
        await limiter.check_all(callers[number % CALLERS])

    return ask


def theirs(strategy: Any, count: int) -> Ask:
    from limits import RateLimitItemPerMinute  # pyright: ignore[reportMissingImports]

    item = RateLimitItemPerMinute(LIMIT)
    names = [f"bench{number}" for number in range(count)]

    async def ask(number: int) -> None:
        for name in names:
            await strategy.hit(item, name, f"user:{number % CALLERS}")

    return ask


async def cost(ask: Ask, checks: int) -> float:
    """Microseconds for one question."""
    start = time.perf_counter()
    for number in range(checks):
        await ask(number)
    return (time.perf_counter() - start) / checks * 1e6


async def measure(sides: dict[str, Ask], *, rounds: int, checks: int) -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in sides}
    for ask in sides.values():
        await cost(ask, checks)
    for _ in range(rounds):
        for name, ask in sides.items():
            found[name].append(await cost(ask, checks))
    return {name: statistics.median(costs) for name, costs in found.items()}


async def compare(place: str, ours_in: Any, strategies: dict[str, Any], given: Any) -> None:
    for count in (1, 2):
        sides = {"windlass": ours(ours_in, count)}
        sides |= {name: theirs(strategy, count) for name, strategy in strategies.items()}
        found = await measure(sides, rounds=given.rounds, checks=given.checks)
        mine = found.pop("windlass")
        beside = "  ".join(f"{n} {v:.1f} µs ({mine / v:.2f})" for n, v in found.items())
        print(
            f"{place}, {count} limit{'s' * (count > 1)}: windlass {mine:.1f} µs"
            f" (goal {GOALS[place]:.0f})  limits: {beside}"
        )


async def run(given: Any, socket: Path) -> None:
    from limits.aio import storage, strategies  # pyright: ignore[reportMissingImports]

    kinds = {
        "moving window": strategies.MovingWindowRateLimiter,
        "sliding counter": strategies.SlidingWindowCounterRateLimiter,
    }
    memory = storage.MemoryStorage()
    await compare("process", Memory(), {n: kind(memory) for n, kind in kinds.items()}, given)
    shared = RedisLimiter(f"unix://{socket}", timeout_seconds=5)
    peer = storage.RedisStorage(f"async+redis+unix://{socket}", implementation="redispy")
    await compare("redis", shared, {n: kind(peer) for n, kind in kinds.items()}, given)
    if not shared.is_shared:
        raise SystemExit("Redis was away: the process answered")
    await shared.close()


@contextmanager
def redis_server() -> Iterator[Path]:
    """A Redis that keeps nothing; its socket."""
    with tempfile.TemporaryDirectory(prefix="wlb") as folder:
        socket = Path(folder) / "redis.sock"
        argv = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", ""]
        server = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL)
        while not socket.exists():
            time.sleep(0.01)
        yield socket
        server.terminate()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--checks", type=int, default=3000)
    given = parser.parse_args()
    install_peer()
    with redis_server() as socket:
        uvloop.run(run(given, socket))


if __name__ == "__main__":
    main()
