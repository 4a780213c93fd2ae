"""How long a deploy, a rollback and a switch take, as a user sees it.

    .venv/bin/python -m benchmarks.deploy [--rounds 15] [--switches 40]

Starts an instance of its own and measures: `windlass deploy --prod` of a folder of 100 files with
one of them changed, from the start of the command until the new content answers on the URL; a
rollback, from the request until the host serves the other release; and the requests that failed
while a static site and a server app were switched again and again under load. The peer beside the
deploy is `rsync -a --delete` into a folder that nginx would serve: the least that copying can cost.
"""

import argparse
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
from tests.e2e import sites
from tests.running import WINDLASS, Instance


def content(client: httpx2.Client, host: str) -> str:
    return client.get("/", headers={"host": host}).text


def until_it_says(client: httpx2.Client, host: str, words: str) -> None:
    while words not in content(client, host):
        time.sleep(0.001)


def deploys(instance: Instance, client: httpx2.Client, rounds: int) -> list[float]:
    folder = sites.static(instance.folder / "hundred", "round 0")
    for number in range(99):
        (folder / f"page-{number}.html").write_text(f"<p>{number}</p>" * 200)
    first = instance.deploy(folder)
    host = first["url"].split("//")[1]
    found: list[float] = []
    for number in range(1, rounds + 1):
        sites.static(folder, f"round {number}.")
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(WINDLASS), "deploy", str(folder), "--prod"],
            env=instance.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until_it_says(client, host, f"round {number}.")
        found.append(time.perf_counter() - began)
        process.wait()
    return found


def copies(instance: Instance, rounds: int) -> list[float]:
    """The least: the same folder, one file changed, copied beside itself."""
    folder, target = instance.folder / "hundred", instance.folder / "copy"
    found: list[float] = []
    for number in range(rounds):
        sites.static(folder, f"copy {number}.")
        began = time.perf_counter()
        argv = ["rsync", "-a", "--delete", f"{folder}/", str(target)]
        try:
            subprocess.run(argv, check=True, capture_output=True)
        except FileNotFoundError:
            return []
        found.append(time.perf_counter() - began)
    return found


def switches(
    instance: Instance, client: httpx2.Client, make: Callable[[str], Path], turns: int, least: int
) -> tuple[list[float], int, int]:
    """Times of the switches, requests sent, requests that failed."""
    one = instance.deploy(make("release-one"))
    two = instance.deploy(make("release-two"), "--prod")
    host = one["url"].split("//")[1]
    sent: list[int] = []
    stop = threading.Event()

    def visit() -> None:
        with httpx2.Client(base_url=str(client.base_url), timeout=30) as visitor:
            while not stop.is_set() or len(sent) < least:
                try:
                    sent.append(visitor.get("/", headers={"host": host}).status_code)
                except httpx2.HTTPError:
                    sent.append(0)

    visitors = [threading.Thread(target=visit) for _ in range(2)]
    for visitor in visitors:
        visitor.start()
    found: list[float] = []
    headers = {"authorization": f"Bearer {instance.token}"}
    for turn in range(turns):
        target, words = ((one, "release-one"), (two, "release-two"))[turn % 2]
        began = time.perf_counter()
        answer = client.post(f"/api/deployments/{target['id']}/rollback", headers=headers)
        assert answer.status_code == 202, answer.text
        until_it_says(client, host, words)
        found.append(time.perf_counter() - began)
        while not client.get(f"/api/deployments/{target['id']}", headers=headers).json()["data"][
            "isActive"
        ]:
            time.sleep(0.001)
    stop.set()
    for visitor in visitors:
        visitor.join()
    return found, len(sent), sum(status != 200 for status in sent)


def line(what: str, found: list[float]) -> str:
    ordered = sorted(found)
    p95 = ordered[int(len(ordered) * 0.95)]
    middle = statistics.median(ordered)
    return f"{what}: p50 {middle * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms ({len(ordered)} times)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--switches", type=int, default=100)
    parser.add_argument("--requests", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wlb") as folder:
        instance = Instance(Path(folder))
        instance.start()
        try:
            base = f"http://127.0.0.1:{instance.port}"
            with httpx2.Client(base_url=base, timeout=60) as client:
                found = deploys(instance, client, given.rounds)
                print(line("deploy, 100 files, one changed", found))
                if copied := copies(instance, given.rounds):
                    ratio = statistics.median(found) / statistics.median(copied)
                    print(line("rsync of the same", copied) + f", deploy / rsync {ratio:.1f}")
                for kind, make in (
                    ("static", lambda text: sites.static(Path(folder) / "static-site", text)),
                    ("server", lambda text: sites.server(Path(folder) / "server-app", text)),
                ):
                    times, sent, failed = switches(
                        instance, client, make, given.switches, given.requests
                    )
                    print(line(f"{kind}: rollback until it is served, under load", times))
                    print(
                        f"{kind}: {failed} of {sent} requests failed during {len(times)} switches"
                    )
        finally:
            instance.stop()


if __name__ == "__main__":
    main()
