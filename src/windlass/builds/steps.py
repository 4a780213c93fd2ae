"""One build step in its sandbox, and how its end is said in one line."""

import re
from pathlib import Path
from typing import Protocol

import msgspec

from windlass.adapters import sandbox
from windlass.core import launch
from windlass.core.egress import Egress, EgressPolicy
from windlass.core.languages import N_
from windlass.core.launch import Bind, Exit, Limits
from windlass.core.manifest import size_text

_NO_NETWORK = re.compile(
    rb"ENOTFOUND|EAI_AGAIN|ENETUNREACH|getaddrinfo|[Nn]ame or service not known"
    rb"|[Tt]emporary failure in name resolution|[Nn]etwork is unreachable"
    rb"|[Ff]ailed to resolve|fetch failed"
)
_NO_SPACE = re.compile(rb"ENOSPC|[Nn]o space left on device")
# Where nothing counts refusals (no control groups), the command's own words have to do.
_NO_PROCESS = re.compile(
    rb"Cannot fork|can't start new thread|EAGAIN|BlockingIOError: \[Errno 11\]"
    rb"|(fork|pthread_create|thread).*Resource temporarily unavailable"
)
_TAIL_BYTES = 64 << 10


class BuildFailed(Exception):
    """The build ended without a release. `code` for machines, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Log(Protocol):
    """Where a build writes what it does."""

    step: str

    def say(self, message: str, level: str = "info") -> None: ...
    def write(self, output: bytes) -> None: ...

    def hide(self, secrets: tuple[str, ...]) -> None:
        """From now on these are masked, too."""
        ...


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """The place of one build: names, folders and limits."""

    name: str
    folder: Path
    uid: int | None
    limits: Limits
    egress: EgressPolicy

    @property
    def app(self) -> Path:
        """The writable copy of the source, /app inside."""
        return self.folder / "app"


class Limit(msgspec.Struct, frozen=True):
    """How long a step may take: what is left of what a setting allows."""

    left_seconds: float
    allowed_seconds: float
    setting: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A command to run: `title` is how people know it ("install")."""

    title: str
    command: str
    script: str
    env: dict[str, str]
    network: bool
    limit: Limit
    caches: tuple[Bind, ...] = ()


async def run(work: Work, step: Step, log: Log) -> Exit:
    """Run it to its end; raises BuildFailed with the one line that says why it failed."""
    log.step = step.title
    log.say(f"$ {step.command}")
    tail = bytearray()

    def on_output(output: bytes) -> None:
        log.write(output)
        tail.extend(output)
        del tail[:-_TAIL_BYTES]

    script = work.folder / f"{step.title}.sh"
    script.write_text(step.script)
    script.chmod(0o644)
    running = await launch.start(
        sandbox.build_step(
            name=f"{work.name}-{step.title}",
            script=script,
            work=work.app,
            uid=work.uid,
            env=step.env,
            network=step.network,
            limits=work.limits,
            caches=step.caches,
        ),
        on_output=on_output,
        egress=Egress(work.egress) if step.network else None,
        on_refusal=lambda line: log.say(line, "warn"),
    )
    try:
        ended = await running.wait(timeout_seconds=step.limit.left_seconds)
    except BaseException:
        await running.kill()
        raise
    if ended.code != 0 or ended.reason is not None:
        raise failure(work, step, ended, bytes(tail))
    log.say(f"{step.title} took {ended.seconds:.1f} s, {size_text(ended.peak_memory_bytes)} memory")
    return ended


def failure(work: Work, step: Step, ended: Exit, tail: bytes) -> BuildFailed:
    """The exact reason, and what to do about it."""
    title, limits = step.title, work.limits
    match ended.reason:
        case "out-of-memory":
            text = N_(
                "The {title} step ran out of memory ({memory}). Raise"
                " WINDLASS_BUILDS__MEMORY_BYTES, or build less in parallel."
            ).format(title=title, memory=size_text(limits.memory_bytes).replace(".0 ", " "))
            return BuildFailed("OUT_OF_MEMORY", text)
        case "timeout":
            text = N_(
                "The {title} step took longer than {seconds} s and was stopped."
                " Raise {setting} if it needs longer."
            ).format(
                title=title,
                seconds=f"{step.limit.allowed_seconds:.0f}",
                setting=step.limit.setting,
            )
            return BuildFailed("BUILD_TIMEOUT", text)
        case "process-limit":
            text = N_(
                "The {title} step started more than {processes} processes and was stopped."
                " Raise WINDLASS_BUILDS__PROCESSES, or build less in parallel."
            ).format(title=title, processes=limits.processes)
            return BuildFailed("TOO_MANY_PROCESSES", text)
        case "disk-full":
            text = N_(
                "The disk was full during the {title} step. Free some space, then try again."
            ).format(title=title)
            return BuildFailed("DISK_FULL", text)
        case _:
            return _failed_by_itself(step, ended, tail, limits.processes)


def _failed_by_itself(step: Step, ended: Exit, tail: bytes, processes: int) -> BuildFailed:
    end = f"signal {ended.signal}" if ended.signal else f"exit code {ended.code}"
    if _NO_SPACE.search(tail):
        text = N_("The {title} step found no space left on its disk ({end}).").format(
            title=step.title, end=end
        )
        return BuildFailed("DISK_FULL", text)
    if _NO_PROCESS.search(tail):
        text = N_(
            "The {title} step was refused more than its {processes} processes ({end})."
        ).format(title=step.title, processes=processes, end=end)
        return BuildFailed("TOO_MANY_PROCESSES", text)
    facts = {"title": step.title, "end": end, "command": step.command}
    if not step.network and _NO_NETWORK.search(tail):
        text = N_(
            "The {title} command failed with {end}: {command}. It wanted the network, which build"
            " steps do not have: allow it in the project's settings (build network), or do it in"
            " the install command."
        ).format(**facts)
        return BuildFailed("BUILD_NEEDS_NETWORK", text)
    text = N_("The {title} command failed with {end}: {command}").format(**facts)
    return BuildFailed(f"{step.title.upper()}_FAILED", text)


def no_output(app: Path, wanted: str) -> BuildFailed:
    """The output folder is missing; those that are likely to be meant are named."""
    likely = ("dist", "build", "out", "public", "_site", "site", ".output/public", "docs/_build")
    there = [name for name in likely if (app / name).is_dir()]
    hint = f" There is {', '.join(there)}." if there else ""
    return BuildFailed(
        "OUTPUT_MISSING",
        f"The build made no folder {wanted}.{hint} Set the output directory in the project's"
        " settings or in windlass.toml.",
    )
