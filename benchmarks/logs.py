"""How long a search through a million lines of an app's output takes, beside `grep` on the files.

The lines are written by the edge's own writer, 16 MiB a file as by default; what that costs is
shown, too. Searches and `grep` alternate; medians and the 95th percentile of what was measured.
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from windlass.core import runtime_log
from windlass.core.runtime_log import Keep
from windlass.deployments import runtime_logs
from windlass.deployments.runtime_logs import Wanted
from windlass.edge.applog import AppLog

SEARCHES = {
    "a text in one line of all": Wanted(search="orders/77777 "),
    "a text in none": Wanted(search="zebra crossing"),
    "a number in none": Wanted(search="99999999999999"),
    "ten errors": Wanted(level="error"),
    "a level and a text that is in every line": Wanted(level="error", search="http/1.1"),
    "a minute of the past and a text in none": Wanted(
        search="zebra", until="2026-01-01T00:00:00.000Z"
    ),
    "the newest 100": Wanted(),
    "one process of two": Wanted(process="worker", search="zebra"),
}


def write(where: Path, lines: int) -> float:
    """A million lines of access log, a tenth of them of a worker; the seconds for it."""
    keep = Keep(files=1000, bytes_per_second=1 << 40)
    logs = [AppLog(where, "web", keep), AppLog(where, "worker", keep)]
    began = time.perf_counter()
    for start in range(0, lines, 500):
        piece = b"".join(_line(number, lines) for number in range(start, start + 500))
        logs[start // 500 % 10 == 9].feed(piece)
    for log in logs:
        log.close()
    return time.perf_counter() - began


def _line(number: int, lines: int) -> bytes:
    level = b"ERROR" if number % (lines // 10) == 7 else b"INFO"
    return b'%s:     10.0.%d.%d:51%03d - "GET /orders/%d HTTP/1.1" 200 OK in %d ms user=%d\n' % (
        level, number % 256, number % 199, number % 1000, number, number % 97, number * 7,
    )  # fmt: skip


def measured(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def grep(where: Path, *options: str) -> None:
    files = [str(one.path) for every in runtime_log.segments(where).values() for one in every]
    subprocess.run(["grep", *options, *files], stdout=subprocess.DEVNULL, check=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    where = Path(tempfile.mkdtemp(prefix="windlass-logs-"))
    try:
        seconds = write(where, given.lines)
        size = sum(path.stat().st_size for path in where.iterdir())
        print(f"{given.lines:,} lines, {size >> 20} MiB, written in {seconds:.1f} s")
        times: dict[str, list[float]] = {}
        for _ in range(given.rounds):
            for name, wanted in SEARCHES.items():
                took = measured(lambda w=wanted: runtime_logs.newest(where, w, limit=100))
                times.setdefault(name, []).append(took)
            for name, options in {
                "grep -c": ("-c", "zebra crossing"),
                "grep -ci": ("-ci", "zebra crossing"),
                "grep -ci, UTF-8": ("-ci", "zebra crössing"),
            }.items():
                times.setdefault(name, []).append(measured(lambda o=options: grep(where, *o)))
        for name, found in times.items():
            late = statistics.quantiles(found, n=20)[-1]
            print(f"{name:42} p50 {statistics.median(found):6.1f} ms   p95 {late:6.1f} ms")
    finally:
        shutil.rmtree(where)


if __name__ == "__main__":
    main()
