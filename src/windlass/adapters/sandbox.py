"""What a build step and an application may see and use: the policy; core.launch runs it."""

from pathlib import Path

import msgspec

from windlass.core.launch import Bind, Launch, Limits


class Finding(msgspec.Struct, frozen=True):
    """One line of `windlass doctor`."""

    name: str
    ok: bool
    detail: str
    fix: str | None = None


class Toolchain(msgspec.Struct, frozen=True):
    """Where Python, Node, uv and git are, what must be bound and how they are found inside."""

    binds: tuple[Bind, ...]
    path: tuple[str, ...]
    env: dict[str, str]


def uid_for(project: str) -> int | None:
    """The host's user id that belongs to a project alone; None when we are not root."""
    return None


def toolchain() -> Toolchain:
    """Found once per process."""
    return Toolchain((), ("/usr/bin", "/bin"), {})


def doctor() -> list[Finding]:
    """What this machine can do, line by line, with what to do about it."""
    return []


def build_step(
    *,
    name: str,
    script: Path,
    work: Path,
    uid: int | None,
    env: dict[str, str],
    network: bool,
    limits: Limits,
    caches: tuple[Bind, ...] = (),
) -> Launch:
    """`/bin/sh -eu` on the script, bound read-only, in the writable work folder at /app."""
    return Launch(name=name, argv=("/bin/sh", "-eu", "/windlass/step.sh"))


def app(
    *,
    name: str,
    release: Path,
    script: Path,
    port: int,
    uid: int | None,
    env: dict[str, str],
    limits: Limits,
    connect: tuple[str, ...] = (),
) -> Launch:
    """The start script with PORT set, the release read-only at /app, guarded network."""
    return Launch(name=name, argv=("/bin/sh", "-eu", "/windlass/step.sh"))
