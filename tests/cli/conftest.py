"""A panel on loopback, a home that is signed in to it, a folder to deploy, and two ways to run."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.cli.panel import TOKEN, Panel
from tests.cli.server import Server

from windlass.cli.api import Api
from windlass.cli.main import cli

Run = Callable[..., Result]


@pytest.fixture
def panel() -> Iterator[Panel]:
    server = Server(Panel())
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.panel
    with server.panel.changed:
        server.panel.holds = False
        server.panel.changed.notify_all()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def home(tmp_path: Path, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Signed in as the machine that runs Windlass is."""
    home = tmp_path / "home"
    for folder in ("keys", "run"):
        (home / folder).mkdir(parents=True)
    (home / "keys" / "cli.token").write_text(TOKEN)
    (home / "run" / "windlass.json").write_text(json.dumps({"url": panel.url}))
    for name in [name for name in os.environ if name.startswith("WINDLASS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WINDLASS_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    return home


@pytest.fixture
def site(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder named shop with two files; the current directory."""
    site = tmp_path / "shop"
    (site / "css").mkdir(parents=True)
    (site / "index.html").write_text("<h1>Hello</h1>")
    (site / "css" / "main.css").write_text("h1 { color: teal }")
    monkeypatch.chdir(site)
    return site


@pytest.fixture
def run(home: Path) -> Run:
    """Runs a command inside this process. An exception that is not expected fails the test."""

    def run(*words: str, input: str | None = None, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, words, input=input, prog_name="windlass")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def api(panel: Panel) -> Iterator[Api]:
    with Api(panel.url, TOKEN, pause=lambda _: None) as api:
        yield api


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the real program as a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "windlass.cli", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


def last_json(result: Result) -> Any:
    """What a script reads: the last line of standard output."""
    return json.loads(result.stdout.splitlines()[-1])


def uploaded(panel: Panel) -> dict[str, dict[str, object]]:
    """The files of the newest source, by path."""
    newest = list(panel.sources.values())[-1]
    return {one["path"]: one for one in newest["files"]}
