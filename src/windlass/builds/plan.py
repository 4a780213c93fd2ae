"""A plan is what a build and a start need to know, as data; detection makes it, users edit it.

Paths: `lock_file`, `cache_directories`, `framework_caches` and `path` are relative to the source
(`/app` in the sandbox); `output_directory` is relative to `root_directory`.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from windlass.core.process import Restart, Said

MANIFEST_BYTES = 1 << 20
_QUOTED = re.compile(r"""'[^']*'|"[^"\\]*"|\$\{\w+\}""")
_COMPOUND = re.compile(r"[;&|<>()`\n{}'\"]")
_BUILTINS = frozenset(
    [
        "cd",
        "export",
        "set",
        "unset",
        "exec",
        "eval",
        "if",
        "for",
        "while",
        "case",
        "until",
        ".",
        "source",
        "!",
        "trap",
        "umask",
        "ulimit",
        "wait",
        "exit",
        "test",
        "[",
        ":",
    ]
)


Runtime = Literal[
    "none",
    "node",
    "python",
    "bun",
    "deno",
    "go",
    "rust",
    "ruby",
    "php",
    "java",
    "dotnet",
    "elixir",
    "hugo",
    "jekyll",
    "zola",
]
"""What runs the build, and the program unless it is built to run alone (Go, Rust)."""


Kind = Literal["static", "server", "worker"]
"""Files; a program that answers visitors; programs that answer nobody."""


class Tree(Protocol):
    """The files of a source: POSIX paths relative to its top, and what they hold."""

    def paths(self) -> Sequence[str]: ...

    def read(self, path: str, limit: int = MANIFEST_BYTES) -> bytes | None:
        """The first `limit` bytes of a file; None when there is no such file."""
        ...


class Overrides(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a project's settings or the form change. None: as detected; "": none at all."""

    framework: str | None = None
    root_directory: str | None = None
    install_command: str | None = None
    build_command: str | None = None
    output_directory: str | None = None
    start_command: str | None = None
    release_command: str | None = None
    health_path: str | None = None
    start_timeout_seconds: float | None = None
    drain_seconds: float | None = None
    processes: tuple[Said, ...] | None = None
    node_version: str | None = None
    build_network: bool | None = None


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """The versions that builds will run on; a pin that asks for another becomes a warning."""

    python: str | None = None
    node: str | None = None
    tools: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    """Further toolchains by the name of their program (`go`, `cargo`, `hugo`), with versions."""


class ProcessSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How one process is run. None: as the server's settings say."""

    memory_mb: int | None = None
    cpus: float | None = None
    grace_seconds: float | None = None
    restart: Restart = "always"


class ContainerPlan(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an engine builds or pulls, and runs instead of a sandbox."""

    dockerfile: str | None = None
    """Relative to the root directory; None: an image that is there is run."""
    target: str | None = None
    build_args: dict[str, str] = {}
    build_secrets: dict[str, str] = {}
    """What RUN steps mount, and the variable that holds it, where the names differ."""
    image: str | None = None
    """The image that was asked for: `nginx:1.27`."""
    port: int | None = None
    """The port that was asked for; None: what the image exposes."""
    read_only: bool | None = None
    """Whether its root is read-only; None: where it can live with that."""
    digest: str | None = None
    """What is run, once it is known: `sha256:…` built here, `repository@sha256:…` pulled."""
    was_pulled: bool = False
    """It was not on the engine before; then it goes with its last release."""
    health: tuple[str, ...] = ()
    """The image's HEALTHCHECK."""
    size_bytes: int = 0


class Plan(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    framework: str
    label: str
    kind: Kind
    root_directory: str = "."
    runtime: Runtime = "none"
    package_manager: str | None = None
    install_command: str | None = None
    build_command: str | None = None
    output_directory: str | None = None
    start_command: str | None = None
    release_command: str | None = None
    processes: dict[str, str] = {}
    """Commands of the processes beside `web` (workers), by name."""
    process_settings: dict[str, ProcessSettings] = {}
    """What was said about processes, `web` among them, by name."""
    start_timeout_seconds: float | None = None
    drain_seconds: float | None = None
    fallback: str | None = None
    clean_urls: bool = True
    health_path: str = "/"
    env: dict[str, str] = {}
    lock_file: str | None = None
    cache_directories: tuple[str, ...] = ()
    """Where the install step puts dependencies: kept while the lock file stays the same."""
    build_only: tuple[str, ...] = ()
    """Those of `cache_directories` that the built program does without (a module cache)."""
    framework_caches: tuple[str, ...] = ()
    """What the build step may reuse although the lock file changed."""
    watch_paths: tuple[str, ...] = ()
    """In a workspace: globs of the files whose changes concern this application. A push that
    touches none of them is not deployed."""
    path: tuple[str, ...] = ()
    """Folders whose programs come first: the virtual environment, the package manager's own."""
    build_network: bool = False
    connect: tuple[str, ...] = ()
    port: int = 3000
    container: ContainerPlan | None = None
    evidence: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def script(self, command: str) -> str:
        """The text of the file that /bin/sh runs in the sandbox for one of the plan's commands.

        It changes to the root directory and puts the project's own programs first. A simple
        command replaces the shell, so that it gets the signals that are meant for it.
        """
        lines = ["set +u"]
        if self.path:
            folders = ":".join(shlex.quote(f"/app/{folder}") for folder in self.path)
            lines.append(f'PATH={folders}:"$PATH"; export PATH')
        if self.root_directory != ".":
            lines.append(f"cd {shlex.quote(f'/app/{self.root_directory}')}")
        lines.append(f"exec {command}" if _is_simple(command) else command)
        return "\n".join(lines) + "\n"


def _is_simple(command: str) -> bool:
    """One program and its arguments: nothing that only a shell can do after starting it."""
    bare = _QUOTED.sub("", command)
    if _COMPOUND.search(bare) or "$(" in command or "`" in command or "#" in bare:
        return False
    first = command.split(maxsplit=1)[0] if command.split() else ""
    return bool(first) and first not in _BUILTINS and "=" not in first
