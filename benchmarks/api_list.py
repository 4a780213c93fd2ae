"""`GET /api/deployments?limit=20` with authentication, out of 50,000 rows: ours, Express, Fastify.

Each is one process on the same PostgreSQL; each looks the token up and reads one page. wrk asks
them in alternating rounds, medians and ratios are printed.

    .venv/bin/python -m benchmarks.api_list [--rounds 5] [--seconds 4] [--rows 50000]
"""

import argparse
import asyncio
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from windlass.adapters.postgres import EmbeddedPostgres
from windlass.auth import tokens
from windlass.core import ids, migrations
from windlass.core.db import Database

PORTS = {"windlass": 18_010, "express": 18_011, "fastify": 18_012}
PEERS = Path(__file__).parent / "peers"
PATH = "/api/deployments?limit=20"

FILL = """
insert into deployments (id, project_id, owner_id, source_id, status, branch, commit_sha,
  commit_message, site_slug, host, settings, file_count, size_bytes, build_time_seconds,
  created_at, finished_at, is_preview)
select gen_random_uuid(), $1, $2, $3, (array['READY','ERROR','CANCELLED'])[1 + n % 3], 'main',
  md5(n::text), 'Commit ' || n, 'bench', 'bench.localhost', '{}', 12, 34567, 1.5,
  now() - make_interval(secs => n), now() - make_interval(secs => n), n % 2 = 0
from generate_series(1, $4::int) n
"""


async def fill(url: str, rows: int) -> str:
    """The rows, and a token of their owner."""
    database = Database(url, pool_size=2)
    user, project, source = (ids.uuid7() for _ in range(3))
    await database.fetch("insert into users (id, email) values ($1, 'bench@example.com')", user)
    await database.fetch(
        "insert into projects (id, owner_id, name, slug) values ($1, $2, 'Bench', 'bench')",
        project,
        user,
    )
    await database.fetch(
        "insert into sources (id, owner_id, kind, status) values ($1, $2, 'upload', 'READY')",
        source,
        user,
    )
    await database.fetch(FILL, project, user, source, rows)
    await database.fetch("analyze")
    async with database.transaction() as db:
        _, token = await tokens.issue(db, user, "bench", scopes=None, expires_at=None)
    await database.close()
    return token


def serve(kind: str, postgres: EmbeddedPostgres, home: Path) -> subprocess.Popen[bytes]:
    """Start one of the three."""
    environment = {**os.environ, "PGSOCKET": str(postgres.sockets), "NODE_ENV": "production"}
    environment |= {"WINDLASS_HOME": str(home), "WINDLASS_LOG_LEVEL": "warning"}
    # Limits are counted, and never reached.
    names = ("FREE", "READ")
    environment |= {f"WINDLASS_LIMITS__{name}": "9999999/60" for name in names}
    argv = ["node", "list.js", kind, str(PORTS[kind])]
    if kind == "windlass":
        argv = [sys.executable, "-m", "benchmarks.serve_api", postgres.url, str(PORTS[kind])]
    cwd = PEERS if kind != "windlass" else PEERS.parents[1]
    return subprocess.Popen(argv, cwd=cwd, env=environment)


def wait(kind: str, token: str) -> int:
    """Until it answers; the size of its answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORTS[kind]}{PATH}", headers={"authorization": f"Bearer {token}"}
    )
    for _ in range(300):
        try:
            with urllib.request.urlopen(request) as response:
                return len(response.read())
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{kind} does not answer")


def rate(kind: str, token: str, seconds: int, connections: int) -> float:
    """Requests per second by wrk; anything but 200 ends the benchmark."""
    url = f"http://127.0.0.1:{PORTS[kind]}{PATH}"
    argv = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}",
        "-H",
        f"authorization: Bearer {token}",
    ]
    output = subprocess.run([*argv, url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        raise SystemExit(f"{kind}: {output}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    return float(found[1]) if found else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    if not (PEERS / "node_modules").exists():
        install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(install, cwd=PEERS, check=True)
    home = Path(tempfile.mkdtemp(prefix="wlb"))
    postgres = EmbeddedPostgres(home, uid=210_000)
    asyncio.run(postgres.start())
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        stack.callback(lambda: asyncio.run(postgres.stop()))
        migrations.alembic(postgres.url, "upgrade", "head")
        token = asyncio.run(fill(postgres.url, given.rows))
        for kind in PORTS:
            process = serve(kind, postgres, home)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            print(f"{kind}: {wait(kind, token)} bytes an answer")
            rate(kind, token, 1, given.connections)
        rates: dict[str, list[float]] = {kind: [] for kind in PORTS}
        for number in range(given.rounds):
            for kind, found in rates.items():
                found.append(rate(kind, token, given.seconds, given.connections))
            print(
                f"round {number + 1}: " + "  ".join(f"{k} {v[-1]:,.0f}/s" for k, v in rates.items())
            )
    ours = statistics.median(rates["windlass"])
    for peer in ("express", "fastify"):
        theirs = statistics.median(rates[peer])
        print(f"windlass / {peer}: {ours / theirs:.2f}  ({ours:,.0f}/s to {theirs:,.0f}/s)")


if __name__ == "__main__":
    main()
