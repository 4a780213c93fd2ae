"""What the walls cost: the list of deployments as it is, and the same list without them.

Session check, roles, row-level security and envelope together may take at most a quarter of the
requests per second. Told besides: what everything around the query takes, rate limits, strict
parameters, request ids, headers, language and log included. Alternating rounds, medians, ratios.

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

WITHOUT = {"open": "the walls", "nothing": "anything around the query"}
api_list.PORTS.update(zip(WITHOUT, (18_013, 18_014), strict=True))


def serve_bare(
    postgres: EmbeddedPostgres, home: Path, user: str, kind: str
) -> subprocess.Popen[bytes]:
    """The same query without its walls, or with nothing around."""
    argv = [sys.executable, "-m", "benchmarks.serve_bare", postgres.url]
    argv += [str(api_list.PORTS[kind]), user, kind]
    environment = {**os.environ, "WINDLASS_HOME": str(home), "WINDLASS_LOG_LEVEL": "warning"}
    environment |= {f"WINDLASS_LIMITS__{name}": "9999999/60" for name in ("ANONYMOUS", "READ")}
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
        rates: dict[str, list[float]] = {"windlass": [], "open": [], "nothing": []}
        for kind in rates:
            process = (
                serve_bare(postgres, home, user, kind)
                if kind in WITHOUT
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
    for kind, words in WITHOUT.items():
        ratio = statistics.median(rates["windlass"]) / statistics.median(rates[kind])
        print(f"as it is / without {words}: {ratio:.2f}, so it takes {100 * (1 - ratio):.0f} %")


if __name__ == "__main__":
    main()
