"""What the walls cost: the list of deployments as it is, and the same query with nothing around.

Session check, roles, row-level security, rate limits, headers and envelope together may take at
most a quarter of the requests per second. Alternating rounds, medians, the ratio.

    .venv/bin/python -m benchmarks.walls [--rounds 5] [--seconds 4] [--rows 50000]
"""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import api_list
from windlass.adapters.postgres import EmbeddedPostgres
from windlass.core import migrations
from windlass.core.db import Database

api_list.PORTS["bare"] = 18_013


def serve_bare(postgres: EmbeddedPostgres, home: Path, user: str) -> subprocess.Popen[bytes]:
    """The same query without its walls."""
    argv = [sys.executable, "-m", "benchmarks.serve_bare", postgres.url]
    argv += [str(api_list.PORTS["bare"]), user]
    environment = {**os.environ, "WINDLASS_HOME": str(home)}
    return subprocess.Popen(argv, cwd=Path(__file__).parents[1], env=environment)


async def owner(url: str) -> str:
    """Whose deployments they are."""
    database = Database(url, pool_size=1)
    rows = await database.fetch("select id::text as id from users")
    await database.close()
    return str(rows[0]["id"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="wlb"))
    postgres = EmbeddedPostgres(home, uid=210_000)
    asyncio.run(postgres.start())
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        stack.callback(lambda: asyncio.run(postgres.stop()))
        migrations.alembic(postgres.url, "upgrade", "head")
        token = asyncio.run(api_list.fill(postgres.url, given.rows))
        user = asyncio.run(owner(postgres.url))
        rates: dict[str, list[float]] = {"windlass": [], "bare": []}
        for kind in rates:
            process = (
                serve_bare(postgres, home, user)
                if kind == "bare"
                else api_list.serve(kind, postgres, home)
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            api_list.wait(kind, token)
            api_list.rate(kind, token, 1, given.connections)
        for number in range(given.rounds):
            for kind, found in rates.items():
                found.append(api_list.rate(kind, token, given.seconds, given.connections))
            shown = "  ".join(f"{kind} {found[-1]:,.0f}/s" for kind, found in rates.items())
            print(f"round {number + 1}: {shown}")
    ratio = statistics.median(rates["windlass"]) / statistics.median(rates["bare"])
    print(f"with walls / without: {ratio:.2f}, so they take {100 * (1 - ratio):.0f} %")


if __name__ == "__main__":
    main()
