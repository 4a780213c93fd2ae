"""Cancel at any moment: how long until its processes are gone and its place is free.

    .venv/bin/python -m benchmarks.cancel [--rounds 10]

An instance that builds one at a time. A deployment is cancelled while it waits, is cloned (from a
server that never answers), installs, builds, and starts (an app that never listens). Measured from
the request: until the deployment is cancelled and no control group or process of it is left, and
until the one behind it has left the queue.
"""

import argparse
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e import sites
from tests.e2e.test_story import groups_of
from tests.running import Instance, until

WORDS = "at work now"
LONG = f"echo {WORDS}; sleep 300"


class Bench:
    """The instance, and a project for each moment."""

    def __init__(self, folder: Path, git: str) -> None:
        self.instance = Instance(
            folder, WINDLASS_BUILDS__CONCURRENCY="1", WINDLASS_BUILDS__ALLOW_PRIVATE=git
        )
        self.instance.start()
        self.git = git
        self.next = sites.static(folder / "behind", "next")
        installs = sites.installed(folder / "installs")
        (installs / "windlass.toml").write_text(
            f'install_command = "{LONG}"\nbuild_command = "true"\noutput_directory = "out"\n'
        )
        self.folders = {
            "install": installs,
            "build": sites.built(folder / "builds", LONG),
            "start": sites.server(folder / "starts", start="sleep 300"),
        }

    def begin(self, folder: Path) -> str:
        done = self.instance.cli("deploy", str(folder), "--no-wait", "--json")
        return done.stdout.split('"id"')[1].split('"')[1]

    def clone(self) -> str:
        made = self.instance.api(
            "POST",
            "/api/projects",
            json={"name": f"Clone {time.time_ns()}", "repositoryUrl": f"http://{self.git}/x.git"},
        ).json()["data"]
        body = {"projectId": made["id"]}
        return self.instance.api("POST", "/api/deployments", json=body).json()["data"]["id"]

    def status(self, id: str) -> str:
        return self.instance.api("GET", f"/api/deployments/{id}").json()["data"]["status"]

    def is_logged(self, id: str, words: str) -> bool:
        return words in self.instance.api("GET", f"/api/deployments/{id}/logs").text

    def cancel(self, id: str, behind: str | None) -> tuple[float, float]:
        """Seconds until nothing is left of it, and until the one behind it is let in."""
        began = time.perf_counter()
        self.instance.api("POST", f"/api/deployments/{id}/cancel")
        while self.status(id) != "cancelled" or groups_of(id):
            pass
        gone = time.perf_counter() - began
        while behind is not None and self.status(behind) == "queued":
            pass
        return gone, time.perf_counter() - began

    def moment(self, name: str) -> tuple[float, float]:
        """One deployment that is brought there and cancelled."""
        if name == "queue":
            holder = self.begin(self.folders["build"])
            until(lambda: self.is_logged(holder, WORDS), what="a build to run")
            found = self.cancel(self.begin(self.next), None)
            self.cancel(holder, None)
            return found
        id = self.clone() if name == "clone" else self.begin(self.folders[name])
        reached: dict[str, Callable[[], bool]] = {
            "clone": lambda: bool(groups_of("git-clone")),
            "start": lambda: bool(groups_of(f"app-{id}")),
        }
        until(reached.get(name, lambda: self.is_logged(id, WORDS)), what=f"the {name} to run")
        # A start holds no place: the one behind it need not wait.
        behind = None if name == "start" else self.begin(self.next)
        return self.cancel(id, behind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    silent = socket.create_server(("127.0.0.1", 0))
    git = f"127.0.0.1:{silent.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="wlc") as folder:
        bench = Bench(Path(folder), git)
        try:
            for name in ("queue", "clone", "install", "build", "start"):
                found = [bench.moment(name) for _ in range(rounds)]
                for words, at in (("gone", 0), ("place free", 1)):
                    if at == 0 or name not in ("queue", "start"):
                        times = [each[at] * 1000 for each in found]
                        print(
                            f"{name:8} {words:11} p50 {statistics.median(times):6.0f} ms,"
                            f" longest {max(times):6.0f} ms"
                        )
        finally:
            bench.instance.stop()
            silent.close()


if __name__ == "__main__":
    main()
