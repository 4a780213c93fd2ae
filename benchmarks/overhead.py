"""What Windlass adds to the install and build commands of an app, for one whose caches are warm.

    .venv/bin/python -m benchmarks.overhead [--rounds 15]

Deploys the Vite example with one line of it changed, by `windlass deploy --prod`, and runs the same
commands bare in a folder of the same files, in alternating rounds. The overhead of a round is the
time from the start of the command line until it says that the site is live, less the time of the
bare commands; the same from the request (POST) to READY, as the server's clock has it. The bare
commands of a cached app are its build alone: the log must say that the installation was left out,
or the figure does not count. Beside it, what a peer without a cache would run: install and build.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.running import Instance

EXAMPLE = Path(__file__).parents[1] / "tests" / "examples" / "vite"
GOAL_SECONDS = 1.5
_TOOK = re.compile(r"build took ([\d.]+) s")


def change(folder: Path, number: int) -> None:
    """One line of the app is new, as after a commit."""
    page = folder / "index.html"
    page.write_text(re.sub(r"Vite example[^<]*", f"Vite example {number}", page.read_text()))


def timed(command: str, folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(["/bin/sh", "-c", command], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began


def deployed(instance: Instance, folder: Path) -> tuple[float, dict[str, Any]]:
    began = time.perf_counter()
    done = instance.cli("deploy", str(folder), "--prod", "--json")
    took = time.perf_counter() - began
    return took, json.loads(done.stdout.strip().splitlines()[-1])


def lines_of(instance: Instance, id: str) -> list[str]:
    found = instance.api("GET", f"/api/deployments/{id}/logs?limit=1000").json()["data"]
    return [line["message"] for line in found]


def server_seconds(done: dict[str, Any]) -> float:
    start, end = (datetime.fromisoformat(done[key]) for key in ("createdAt", "finishedAt"))
    return (end - start).total_seconds()


def said(what: str, found: list[float]) -> str:
    ordered = sorted(found)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"{what}: p50 {statistics.median(ordered):.2f} s, p95 {p95:.2f} s"


def measure(instance: Instance, home: Path, rounds: int) -> None:
    ours = shutil.copytree(EXAMPLE, home / "vite-app")
    bare = shutil.copytree(EXAMPLE, home / "bare")
    _, first = deployed(instance, ours)
    plan = first["plan"]
    install = timed(plan["installCommand"], bare)
    command: list[float] = []
    server: list[float] = []
    alone: list[float] = []
    inside: list[float] = []
    for number in range(rounds):
        change(ours, number)
        change(bare, number)
        took, done = deployed(instance, ours)
        assert done["status"] == "ready", done["errorMessage"]
        log = lines_of(instance, done["id"])
        assert any("dependency cache: hit" in line for line in log), log
        command.append(took)
        server.append(server_seconds(done))
        inside += [float(found[1]) for line in log if (found := _TOOK.match(line))]
        alone.append(timed(plan["buildCommand"], bare))
    print(said("windlass deploy, until it says that it is live", command))
    print(said("from the request to READY", server))
    print(said("the build command bare", alone))
    print(said("the same in the sandbox", inside))
    print(f"install bare, once, left out by us: {install:.2f} s")
    pairs = list(zip(command, server, alone, strict=True))
    over = [took - own for took, _, own in pairs]
    print(said("overhead of windlass deploy", over))
    print(said("overhead from the request to READY", [took - own for _, took, own in pairs]))
    ratio = statistics.median(command) / (install + statistics.median(alone))
    print(f"windlass deploy / install and build bare: {ratio:.2f}")
    reached = "reached" if statistics.median(over) < GOAL_SECONDS else "NOT reached"
    print(f"goal: under {GOAL_SECONDS} s p50: {reached}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wlb") as folder:
        instance = Instance(Path(folder))
        instance.start()
        try:
            measure(instance, Path(folder), given.rounds)
        finally:
            instance.stop()


if __name__ == "__main__":
    main()
