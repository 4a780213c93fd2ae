"""A real Windlass in a process of its own: `windlass up` on a free port."""

import contextlib
import json
import os
import random
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from tests import clusters

T = TypeVar("T")
ROOT = Path(__file__).parents[1]
WINDLASS = Path(sys.executable).with_name("windlass")
# What an instance or a browser may take: a machine with much else to do is no reason to fail.
PATIENCE_SECONDS = 120.0
# Read once: reading the certificates for each request takes twenty times as long as the request.
CERTIFICATES = ssl.create_default_context()


def until(look: Callable[[], T | None], *, what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Look again and again until there is something true; fail with the words of `what`. The longer
    it took so far the less often: to look takes time from what is waited for."""
    begun = time.monotonic()
    while not (found := look()):
        waited = time.monotonic() - begun
        assert waited < seconds, f"waited {seconds} s for {what}"
        time.sleep(min(0.02 + waited / 50, 0.1))  # real processes: there is no clock to turn
    return found


def request(method: str, url: str, **options: Any) -> httpx2.Response:
    """One request over a connection of its own."""
    options = {"timeout": PATIENCE_SECONDS, "verify": CERTIFICATES, **options}
    return httpx2.request(method, url, **options)


def free_port() -> int:
    """A port that nobody listens on, and below those that the system gives to connections: one of
    those could be taken between this look and its use."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


# Tests are quicker than people: what a person may do in a minute is not in their way.
PLENTY = {
    f"WINDLASS_LIMITS__{name}": "999999/60"
    for name in ("ANONYMOUS", "FREE", "ENTERPRISE", "READ", "WRITE", "UPLOAD", "PAGE", "HEALTH",
                 "SIGN_IN", "SECOND_FACTOR", "DEPLOY", "DEPLOY_HOURLY")
}  # fmt: skip


class Instance:
    """One instance with a home of its own. The database of a prepared one needs not be made, and
    the example site is built by one that is to have it."""

    def __init__(
        self,
        folder: Path,
        *,
        is_prepared: bool = True,
        has_example: bool = False,
        **environment: str,
    ) -> None:
        self.home = folder / "home"
        self.is_prepared = is_prepared
        self.has_example = has_example
        self.folder = folder
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "up.log"
        self._environment = environment

    @property
    def environment(self) -> dict[str, str]:
        plain = {n: v for n, v in os.environ.items() if not n.startswith("WINDLASS_")}
        return {**plain, **PLENTY, "WINDLASS_HOME": str(self.home), **self._environment}

    @property
    def token(self) -> str:
        return (self.home / "keys" / "cli.token").read_text().strip()

    def start(self, *options: str) -> None:
        """Start it and wait until it says that it is up."""
        if self.process is not None:
            self.process.wait(timeout=PATIENCE_SECONDS)
        if self.is_prepared and clusters.is_kept() and not self.home.exists():
            self.home.mkdir(mode=0o700)
            clusters.put(self.home)
            if not self.has_example:
                (self.home / "run").mkdir(mode=0o700)
                (self.home / "run" / "example.done").touch()
        address = self.home / "run" / "windlass.json"
        address.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(WINDLASS), "up", "--port", str(self.port), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,
            )
        process = self.process
        until(
            lambda: process.poll() is not None or (address.exists() and self.is_up()),
            what=f"windlass up; {self.log.read_text()[-2000:]}",
        )
        assert process.poll() is None, self.log.read_text()[-4000:]

    def is_up(self) -> bool:
        try:
            answer = request("GET", f"{self.url}/api/health/startup", timeout=5)
            return answer.status_code == 200
        except httpx2.HTTPError:
            return False

    def stop(self) -> None:
        """Ctrl-C, as a person would."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=PATIENCE_SECONDS)

    def pid(self, module: str) -> int:
        """The process id of a part: `-m windlass.control`, `-m windlass.edge`, `supervisor.py`."""
        found = [pid for pid in self.processes() if module in command(pid)]
        assert found, f"no process of {module}"
        return found[0]

    def processes(self) -> list[int]:
        """Every process that belongs to this home."""
        mine = f"WINDLASS_HOME={self.home}".encode()
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mine in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def kill(self, module: str) -> None:
        """SIGKILL to a part; returns when it is gone."""
        pid = self.pid(module)
        fd = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        select.select([fd], [], [], PATIENCE_SECONDS)
        os.close(fd)

    def cli(
        self, *arguments: str, cwd: Path | None = None, check: bool = True, seconds: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line against it."""
        done = subprocess.run(
            [str(WINDLASS), *arguments],
            cwd=cwd or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
        return done

    def deploy(self, folder: Path, *arguments: str, check: bool = True) -> dict[str, Any]:
        """Deploy a folder; the deployment as the API gives it."""
        done = self.cli("deploy", str(folder), "--json", *arguments, check=check)
        lines = done.stdout.strip().splitlines()
        assert lines, done.stderr
        return json.loads(lines[-1])

    def deploy_image(self, name: str, *arguments: str, check: bool = True) -> dict[str, Any]:
        """Deploy an image; the deployment as the API gives it."""
        done = self.cli("deploy", "--image", name, "--json", *arguments, check=check)
        lines = done.stdout.strip().splitlines()
        assert lines, done.stderr
        return json.loads(lines[-1])

    def api(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        return request(method, self.url + path, headers=headers, **options)

    def get(self, url: str, **options: Any) -> httpx2.Response:
        """A page of a site; the host name needs no DNS."""
        host = url.split("//")[1].split("/")[0]
        path = url.split(host, 1)[1] or "/"
        address = f"http://127.0.0.1:{self.port}{path}"
        return request("GET", address, headers={"host": host}, **options)

    def wait(self, id: str, *statuses: str) -> dict[str, Any]:
        """A deployment once it has one of these statuses."""

        def look() -> dict[str, Any] | None:
            found = self.api("GET", f"/api/deployments/{id}").json()["data"]
            return found if found["status"] in statuses else None

        return until(look, what=f"{id} to be {statuses}")


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
