"""`windlass up`: check what can be wrong beforehand, then become the supervisor."""

import errno
import fcntl
import json
import os
import shutil
import socket
import sys
from pathlib import Path

import click

from windlass.core import environment, nginx
from windlass.core.launch_spec import UNSAFE_WARNING
from windlass.core.settings import Settings, words

_FOLDERS = (
    "blobs",
    "caches",
    "keys",
    "logs",
    "releases",
    "run",
    "sites",
    "work",
)


@click.command("up")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the panel and every site.")
@click.option(
    "--unsafe-builds", is_flag=True, help="Development: where bubblewrap is missing, do without."
)
def command(port: int | None, unsafe_builds: bool) -> None:
    """Start Windlass on this machine, in the foreground."""
    if port is not None:
        os.environ["WINDLASS_PORT"] = str(port)
    if unsafe_builds:
        os.environ["WINDLASS_BUILDS__UNSAFE"] = "true"
    settings = _settings()
    if settings.builds.unsafe and shutil.which("bwrap") is None:
        click.secho(f"WARNING: {UNSAFE_WARNING}", fg="red", err=True)
    prepare(settings.folder)
    _refuse_second(settings.folder)
    if not _edge_runs(settings):
        _refuse_taken_port(settings)
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    script = Path(__file__).with_name("supervisor.py")
    processes = {"edge": edge_command(settings), "control": _python("windlass.control")}
    arguments = [f"{name}={json.dumps(argv)}" for name, argv in processes.items()]
    argv = [sys.executable, "-I", "-S", str(script), str(settings.folder), *arguments]
    os.execv(sys.executable, argv)


def _settings() -> Settings:
    try:
        return environment.load()
    except environment.InvalidSettings as error:
        raise click.ClickException(str(error)) from error


def prepare(home: Path) -> None:
    """Make the home and its folders, readable by nobody else."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    for name in _FOLDERS:
        (home / name).mkdir(mode=0o755 if name in {"releases", "work"} else 0o700, exist_ok=True)


def edge_command(settings: Settings) -> list[str]:
    """The argument vector of the edge."""
    argv = [*_python("windlass.edge"), "--home", str(settings.folder)]
    argv += ["--port", str(settings.port), "--cache-bytes", str(settings.edge.cache_bytes)]
    logs = settings.logs
    argv += ["--log-bytes", str(logs.file_bytes), "--log-files", str(logs.files)]
    argv += ["--log-rate", str(logs.bytes_per_second)]
    if settings.host not in {"127.0.0.1", "localhost"}:
        argv += ["--bind", settings.host]
    for host in (settings.base_domain, *words(settings.panel_hosts)):
        argv += ["--panel-host", host]
    if settings.builds.unsafe:
        argv += ["--unsafe-apps"]
    if settings.docker_host:
        argv += ["--engine", settings.docker_host]
    for network in words(settings.edge.trusted_proxies):
        argv += ["--trust-proxy", network]
    return argv


@click.command("edge")
def edge() -> None:
    """Run the edge alone: it serves every site of this home, without the control plane."""
    settings = _settings()
    prepare(settings.folder)
    os.execv(sys.executable, edge_command(settings))


@click.command("nginx-config")
@click.option("--listen", type=click.IntRange(1, 65535), default=80, help="Port of nginx.")
def nginx_config(listen: int) -> None:
    """Print an nginx file that serves the same sites in front of the edge."""
    settings = _settings()
    click.echo(nginx.config(settings.folder, listen=listen, upstream_port=settings.port))


@click.command("setup-link")
def setup_link() -> None:
    """Print the one-time link that sets the owner's e-mail address and password."""
    settings = _settings()
    path = settings.folder / "keys" / "setup.token"
    address = settings.folder / "run" / "windlass.json"
    if not path.exists():
        text = "There is no link: the owner is set up already, or Windlass never ran here."
        raise click.ClickException(text)
    url = json.loads(address.read_text())["url"] if address.exists() else settings.panel_url
    click.echo(f"{url}/setup?token={path.read_text()}")


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _refuse_second(home: Path) -> None:
    path = home / "run" / "up.lock"
    # Inherited over the exec: the supervisor holds it as long as it lives.
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = f"Windlass runs in {home} already. Stop it first, or set WINDLASS_HOME."
        raise click.ClickException(text) from None


def _edge_runs(settings: Settings) -> bool:
    """An edge that an earlier start left is taken over, with its port."""
    home = settings.folder
    try:
        lock = os.open(home / "run" / "edge.lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        port = (home / "run" / "edge.port").read_text().strip()
        return port == str(settings.port)
    finally:
        os.close(lock)
    return False


def _refuse_taken_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                text = f"Port {settings.port} is taken by another program. Choose another:"
                text += f" PORT={settings.port + 1} make up, or windlass up --port"
                raise click.ClickException(f"{text} {settings.port + 1}") from None
            text = f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}"
            raise click.ClickException(text) from error
