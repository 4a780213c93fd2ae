"""Signing in: what it takes besides the hash, and what other requests notice of twenty at once.

    .venv/bin/python -m benchmarks.sign_in [--rounds 100] [--at-once 20]

The hash (argon2id by OWASP's numbers) is measured by itself on the same machine, in the same run.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx2

from windlass.adapters.postgres import EmbeddedPostgres
from windlass.auth import passwords
from windlass.core import ids, migrations
from windlass.core.db import Database

PORT = 18_014
URL = f"http://127.0.0.1:{PORT}"
PASSWORD = "Correct horse battery 1"
ME = {"login": "bench@example.com", "password": PASSWORD, "token": True}


async def fill(url: str) -> None:
    """One account with a password."""
    database = Database(url, pool_size=1)
    await database.fetch(
        "insert into users (id, email, password_hash) values ($1, $2, $3)",
        ids.uuid7(),
        ME["login"],
        passwords.hash_now(PASSWORD),
    )
    await database.close()


def serve(postgres: EmbeddedPostgres, home: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "WINDLASS_HOME": str(home), "WINDLASS_LOG_LEVEL": "warning"}
    names = ("ANONYMOUS", "SIGN_IN", "HEALTH")
    environment |= {f"WINDLASS_LIMITS__{name}": "9999999/60" for name in names}
    argv = [sys.executable, "-m", "benchmarks.serve_api", postgres.url, str(PORT)]
    return subprocess.Popen(argv, cwd=Path(__file__).parents[1], env=environment)


async def took(client: httpx2.AsyncClient, method: str, path: str, **options: object) -> float:
    """Milliseconds of one request that must go well."""
    begun = time.perf_counter()
    answer = await client.request(method, URL + path, **options)  # pyright: ignore[reportArgumentType]
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code} {answer.text}")
    return (time.perf_counter() - begun) * 1000


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


async def hash_alone(rounds: int) -> float:
    """Median milliseconds of one check of the password."""
    known, times = passwords.hash_now(PASSWORD), []
    for _ in range(rounds):
        begun = time.perf_counter()
        await passwords.matches(known, PASSWORD)
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


async def measure(rounds: int, at_once: int) -> None:
    async with httpx2.AsyncClient(timeout=60) as client:
        for _ in range(300):
            try:
                await client.get(URL + "/api/health/live")
                break
            except httpx2.HTTPError:
                await asyncio.sleep(0.1)
        await took(client, "POST", "/api/auth/sign-in", json=ME)
        bare = await hash_alone(rounds)
        times = [await took(client, "POST", "/api/auth/sign-in", json=ME) for _ in range(rounds)]
        besides = [max(0.0, found - bare) for found in times]
        print(f"hash alone: {bare:.1f} ms")
        print(
            f"sign-in: p50 {statistics.median(times):.1f} ms, p95 {quantile(times, 0.95):.1f} ms;"
            f" besides the hash p50 {statistics.median(besides):.1f} ms,"
            f" p95 {quantile(besides, 0.95):.1f} ms"
        )
        quiet = [await took(client, "GET", "/api/health/live") for _ in range(rounds)]
        crowd = asyncio.gather(
            *(took(client, "POST", "/api/auth/sign-in", json=ME) for _ in range(at_once))
        )
        meanwhile: list[float] = []
        while not crowd.done():
            meanwhile.append(await took(client, "GET", "/api/health/live"))
            await asyncio.sleep(0.005)
        crowded = await crowd
        print(
            f"{at_once} at once: the last after {max(crowded):.0f} ms,"
            f" {at_once * bare / (os.cpu_count() or 1):.0f} ms of it are hashes on all cores;"
            f" another request meanwhile p50 {statistics.median(meanwhile):.1f} ms,"
            f" p95 {quantile(meanwhile, 0.95):.1f} ms (alone p50 {statistics.median(quiet):.1f} ms)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=20)
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="wlb"))
    postgres = EmbeddedPostgres(home, uid=210_000)
    asyncio.run(postgres.start())
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        stack.callback(lambda: asyncio.run(postgres.stop()))
        migrations.alembic(postgres.url, "upgrade", "head")
        asyncio.run(fill(postgres.url))
        process = serve(postgres, home)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        asyncio.run(measure(given.rounds, given.at_once))


if __name__ == "__main__":
    main()
