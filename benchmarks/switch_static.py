"""How long a switch of a static site takes, and whether any request fails meanwhile.

Visitors on kept connections ask without pause while the host is switched back and forth. A switch
is timed from the call that writes the link to the first answer of the new release. The peer in the
same run is the same load without any switch: the share of its speed that is left is printed, too.

    .venv/bin/python -m benchmarks.switch_static [--switches 100] [--requests 10000]
"""

import argparse
import asyncio
import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from windlass.core import links
from windlass.core import site as sites
from windlass.core.site import File, Site

HOST = "bench.localhost"
VISITORS = 8
REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
GOAL_MILLISECONDS = 50


class Count:
    """What the visitors saw."""

    def __init__(self) -> None:
        self.answers = 0
        self.failed: Counter[str] = Counter()
        self._more = asyncio.Event()

    async def reaches(self, answers: int) -> None:
        while self.answers < answers:
            self._more.clear()
            await self._more.wait()

    def add(self) -> None:
        self.answers += 1
        self._more.set()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switches", type=int, default=100)
    parser.add_argument("--requests", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wl-") as folder:
        home = Path(folder)
        for deployment in ("depl_0", "depl_1"):
            put(home, deployment)
        links.switch(home, HOST, "depl_0", 0)
        argv = [sys.executable, "-m", "windlass.edge", "--home", folder, "--port", "0"]
        edge = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        try:
            return asyncio.run(measure(home, wait_for_port(home, edge), given))
        finally:
            edge.terminate()
            edge.wait(20)


def put(home: Path, deployment: str) -> None:
    release = sites.folder(home, deployment)
    (release / "files").mkdir(parents=True)
    content = f"{deployment}\n".encode() * 500
    (release / "files" / "index.html").write_bytes(content)
    known = {"index.html": File(hashlib.sha256(content).hexdigest(), len(content))}
    sites.write(release, Site(deployment=deployment, kind="static", files=known))


def wait_for_port(home: Path, edge: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + 20
    while time.monotonic() < end and edge.poll() is None:
        if (home / "run" / "edge.pid").exists():
            return int((home / "run" / "edge.port").read_text())
        time.sleep(0.02)
    raise SystemExit("the edge did not start")


async def measure(home: Path, port: int, given: argparse.Namespace) -> int:
    quiet = await load(port, given.requests)
    milliseconds: list[float] = []
    count = Count()
    began = time.perf_counter()
    stop = asyncio.Event()
    visitors = [asyncio.create_task(visit(port, count, stop)) for _ in range(VISITORS)]
    for number in range(1, given.switches + 1):
        milliseconds.append(await switch(home, port, number))
        await count.reaches(given.requests * number // given.switches)
    stop.set()
    await asyncio.gather(*visitors)
    rate = count.answers / (time.perf_counter() - began)

    p50, worst = statistics.median(milliseconds), max(milliseconds)
    reached = "reached" if p50 < GOAL_MILLISECONDS else "MISSED"
    print(f"{given.switches} switches: p50 {p50:.1f} ms, slowest {worst:.1f} ms", end=" ")
    print(f"(goal {GOAL_MILLISECONDS} ms, {reached})")
    print(f"{count.answers:,} requests meanwhile: {sum(count.failed.values())} failed", end=" ")
    print(f"{dict(count.failed) or ''}(goal 0)")
    print(f"speed while switching / without: {rate / quiet:.2f}")
    return 1 if count.failed or p50 >= GOAL_MILLISECONDS else 0


async def load(port: int, requests: int) -> float:
    count, stop = Count(), asyncio.Event()
    began = time.perf_counter()
    visitors = [asyncio.create_task(visit(port, count, stop)) for _ in range(VISITORS)]
    await count.reaches(requests)
    stop.set()
    await asyncio.gather(*visitors)
    return count.answers / (time.perf_counter() - began)


async def switch(home: Path, port: int, number: int) -> float:
    """Milliseconds from writing the link to the first answer that comes from it."""
    deployment = f"depl_{number % 2}"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.perf_counter()
    await asyncio.to_thread(links.switch, home, HOST, deployment, number)
    while deployment.encode() not in await ask(reader, writer):
        pass
    took = time.perf_counter() - began
    writer.close()
    await writer.wait_closed()
    return took * 1000


async def visit(port: int, count: Count, stop: asyncio.Event) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not stop.is_set():
        try:
            answer = await ask(reader, writer)
        except (OSError, asyncio.IncompleteReadError) as error:
            count.failed[type(error).__name__] += 1
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        count.add()
        if not answer.startswith(b"HTTP/1.1 200 "):
            count.failed[answer[9:12].decode()] += 1
        head, _, body = answer.partition(b"\r\n\r\n")
        if body[:6] not in head:
            count.failed["the head of one release with the body of another"] += 1
    writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return head + await reader.readexactly(int(length))


if __name__ == "__main__":
    sys.exit(main())
