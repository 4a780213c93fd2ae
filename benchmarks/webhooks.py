"""How long a Git host waits for the answer to a signed push.

    .venv/bin/python -m benchmarks.webhooks [--deliveries 40] [--projects 50]

One web process with the embedded PostgreSQL takes GitHub's pushes as `git push` causes them: to one
project and to many of one repository (a monorepo whose projects share a webhook), with a small body
and with the largest that is taken, one after the other and four at once. Every delivery is a new
commit, so each makes a deployment of each project and takes the place of the one before. The peer
in the same rounds is the least that a receiver can do: Express and pg, the signature over the same
body, one transaction with two rows for each project.
"""

import argparse
import asyncio
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx2
from tests.running import PLENTY
from tests.webhooks.hosts import Delivery, push, url_of

from windlass.adapters.postgres import EmbeddedPostgres
from windlass.auth import tokens
from windlass.core import ids, migrations
from windlass.core.db import Database

PORTS = {"windlass": 18_016, "express": 18_017}
PEERS = Path(__file__).parent / "peers"
SECRET = "a-secret-of-the-monorepo"
GOAL_MILLISECONDS = 1000
# What GitHub, GitLab and Gitea list of a push of two thousand commits; below the limit of 4 MiB.
LARGE_BYTES = 3_900_000


async def account(url: str) -> str:
    """A token of somebody whom no limit stops."""
    database = Database(url, pool_size=2)
    user = ids.uuid7()
    await database.fetch(
        "insert into users (id, email, plan) values ($1, 'bench@example.com', 'ENTERPRISE')", user
    )
    await database.fetch("create table peer_rows (id uuid primary key, project int, said text)")
    await database.fetch("create table peer_seen (project int, id text, primary key (project, id))")
    async with database.transaction() as db:
        _, token = await tokens.issue(db, user, "bench", scopes=None, expires_at=None)
    await database.close()
    return token


def serve(kind: str, postgres: EmbeddedPostgres, home: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **PLENTY, "PGSOCKET": str(postgres.sockets)}
    environment |= {"WINDLASS_HOME": str(home), "WINDLASS_LOG_LEVEL": "warning"}
    environment |= {"NODE_ENV": "production"}
    argv = ["node", "hook.js", str(PORTS[kind]), SECRET]
    if kind == "windlass":
        argv = [sys.executable, "-m", "benchmarks.serve_api", postgres.url, str(PORTS[kind])]
    cwd = PEERS if kind != "windlass" else PEERS.parents[1]
    return subprocess.Popen(argv, cwd=cwd, env=environment)


class Bench:
    """Both receivers, and who sends."""

    def __init__(self, client: httpx2.AsyncClient, token: str) -> None:
        self.client = client
        self.headers = {"authorization": f"Bearer {token}"}

    async def up(self, kind: str) -> None:
        for _ in range(300):
            try:
                await self.client.get(f"http://127.0.0.1:{PORTS[kind]}/api/health/live")
            except httpx2.HTTPError:
                await asyncio.sleep(0.1)
            else:
                return
        raise SystemExit(f"{kind} does not answer")

    async def make(self, name: str, count: int) -> None:
        """Projects of one repository; one secret serves them all."""
        base = f"http://127.0.0.1:{PORTS['windlass']}/api/projects"
        for number in range(count):
            shop = {"name": f"{name} {number}", "repositoryUrl": url_of("github", f"acme/{name}")}
            made = await self.client.post(base, json=shop, headers=self.headers)
            assert made.status_code == 201, made.text
            path = f"{base}/{made.json()['data']['id']}/webhook"
            hooked = await self.client.post(path, json={"secret": SECRET}, headers=self.headers)
            assert hooked.status_code == 201, hooked.text

    async def send(self, kind: str, delivery: Delivery, count: int) -> float:
        """Milliseconds until it is answered."""
        body = delivery.body
        headers = delivery.headers(SECRET, body)
        path = "/api/webhooks/github" if kind == "windlass" else f"/hook/{count}"
        url = f"http://127.0.0.1:{PORTS[kind]}{path}"
        began = time.perf_counter()
        answer = await self.client.post(url, content=body, headers=headers)
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code == 202, answer.text[:2000]
        if kind == "windlass":
            found = [row["reason"] or row["outcome"] for row in answer.json()["data"]]
            assert found == ["deployed"] * count, found
        return took

    async def rounds(
        self, name: str, count: int, *, large: bool, deliveries: int, at_once: int
    ) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {kind: [] for kind in PORTS}
        for _ in range(deliveries // at_once):
            for kind, times in found.items():
                sent = [commit(name, large=large) for _ in range(at_once)]
                times += await asyncio.gather(*(self.send(kind, one, count) for one in sent))
        return found


def commit(name: str, *, large: bool) -> Delivery:
    """A push of a new commit; a large one of two thousand with their files."""
    sha = secrets.token_hex(20)
    delivery = push("github", name=f"acme/{name}", after=sha, message=f"Change {sha[:7]}")
    delivery.payload["repository"]["id"] = len(name)
    if large:
        [newest] = delivery.payload["commits"]
        files = [f"apps/{name}/src/components/part-{number}.tsx" for number in range(38)]
        older = {**newest, "modified": files}
        many = [older | {"id": secrets.token_hex(20)} for _ in range(1999)]
        delivery.payload["commits"] = [*many, newest]
        missing = LARGE_BYTES - len(delivery.body)
        assert missing > 0, missing
        delivery.payload["padding"] = "x" * missing
    return delivery


def p95(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]


def line(what: str, found: dict[str, list[float]]) -> str:
    ours, theirs = found["windlass"], found["express"]
    parts = [
        f"{kind} p50 {statistics.median(times):.0f} ms, p95 {p95(times):.0f} ms"
        for kind, times in found.items()
    ]
    ratio = statistics.median(ours) / statistics.median(theirs)
    reached = "" if p95(ours) < GOAL_MILLISECONDS else "  NOT reached"
    return f"{what}: {'; '.join(parts)}; windlass / express {ratio:.1f}{reached}"


async def measure(token: str, given: argparse.Namespace) -> None:
    async with httpx2.AsyncClient(timeout=120) as client:
        bench = Bench(client, token)
        for kind in PORTS:
            await bench.up(kind)
        await bench.make("one", 1)
        await bench.make("many", given.projects)
        for name, count in (("one", 1), ("many", given.projects)):
            for large in (False, True):
                for at_once in (1, 4):
                    found = await bench.rounds(
                        name, count, large=large, deliveries=given.deliveries, at_once=at_once
                    )
                    size = f"{len(commit(name, large=large).body) / 1000:,.0f} kB"
                    print(line(f"{count} projects, {size}, {at_once} at once", found), flush=True)
    print(f"goal: p95 under {GOAL_MILLISECONDS} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=40)
    parser.add_argument("--projects", type=int, default=50)
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
        token = asyncio.run(account(postgres.url))
        for kind in PORTS:
            process = serve(kind, postgres, home)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        asyncio.run(measure(token, given))


if __name__ == "__main__":
    main()
