"""A certified sign-in provider for tests, in Node."""

import fcntl
import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.running import free_port, request

from windlass.web import assets_build

FOLDER = Path(__file__).parent / "issuer"
SECRET = "s3cr3t + more/of:it"


def _node() -> str:
    return assets_build._node()  # pyright: ignore[reportPrivateUsage]


def _install() -> None:
    """`npm ci`, once for each lock file."""
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    done = FOLDER / "node_modules" / ".windlass-stamp"
    with (FOLDER / "package.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if done.is_file() and done.read_text() == lock:
            return
        npm = assets_build._npm()  # pyright: ignore[reportPrivateUsage]
        options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([*npm, *options], cwd=FOLDER, check=True, capture_output=True, timeout=300)
        done.write_text(lock)


class Issuer:
    """The certified provider. `person` says who signs in next."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.url = f"http://{self.host}"

    def person(self, account: str, *, refuses: bool = False, **claims: Any) -> None:
        body = {"accountId": account, "claims": claims, "refuses": refuses}
        assert request("POST", f"{self.url}/-/person", json=body).status_code == 204


@contextmanager
def certified(redirect_uri: str) -> Iterator[Issuer]:
    """A real one, in a process of its own."""
    _install()
    port = free_port()
    process = subprocess.Popen(
        [_node(), "issuer.mjs", redirect_uri, str(port)],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        assert json.loads(process.stdout.readline())["ready"] == port
        yield Issuer(port)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
