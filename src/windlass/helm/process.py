"""Starts the child, feeds it, and ends it: time and output are limited out here, memory and
processor time in there."""

import asyncio
import contextlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence

import msgspec

from windlass.helm import errors
from windlass.helm.errors import HelmFailed

Values = dict[str, object]

_GRACE_SECONDS = 30.0
_MOST_SAID = 64 << 10
_OUT_OF_MEMORY = (b"out of memory", b"cannot allocate memory", b"MemoryError", b"failed to reserve")
_MISSING = 'Install it with: pip install "windlass[helm]"'


class Limits(msgspec.Struct, frozen=True):
    """What rendering a chart may take."""

    memory: int = 512 << 20
    """On top of what Helm's library takes to be loaded."""
    cpu_seconds: int = 10
    wall_seconds: float = 30
    output: int = 32 << 20


class Chart(msgspec.Struct, frozen=True):
    """What Chart.yaml says, as far as it is needed."""

    name: str = ""
    version: str = ""
    appVersion: str = ""
    type: str = ""
    description: str = ""
    dependencies: list["Dependency"] = []


class Dependency(msgspec.Struct, frozen=True):
    name: str = ""
    version: str = ""
    repository: str = ""
    alias: str = ""


class Rendered(msgspec.Struct, frozen=True):
    """What Helm made of a chart."""

    templates: dict[str, str]
    """What came of each template, by its file: hooks, tests and notes as well."""
    values: Values
    """The effective values: defaults with what was given put over them."""
    defaults: Values
    metadata: Chart
    loaded: list[str]
    crds: dict[str, str]
    sources: dict[str, str]
    """The templates of the chart itself, as they were written."""


class Tries(msgspec.Struct, frozen=True):
    tries: list[dict[str, str] | None]


class Revision(msgspec.Struct, frozen=True):
    """One revision of a release, as Helm tells it."""

    revision: int
    status: str
    chart_name: str = ""
    chart_version: str = ""
    app_version: str = ""
    deployed_at: str = ""


class _Revisions(msgspec.Struct, frozen=True):
    revisions: list[Revision]


class _Error(msgspec.Struct, frozen=True):
    kind: str
    message: str


class _Failed(msgspec.Struct, frozen=True):
    error: _Error | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """For what a chart is rendered."""

    release: str = "release"
    namespace: str = "default"
    kubernetes: str = ""
    """The cluster's version, such as `1.33`; empty is what Helm was made for."""
    api_versions: tuple[str, ...] = ()
    is_upgrade: bool = False

    @property
    def options(self) -> dict[str, object]:
        return {
            "name": self.release,
            "namespace": self.namespace,
            "kube_version": f"v{self.kubernetes.removeprefix('v')}" if self.kubernetes else "",
            "api_versions": list(self.api_versions),
            "is_install": not self.is_upgrade,
            "is_upgrade": self.is_upgrade,
        }


DEFAULT = Limits()


async def render(
    archive: bytes, values: Values, asked: Asked, *, limits: Limits = DEFAULT
) -> Rendered:
    """Renders a chart that `archive.clean` gave. Raises HelmFailed."""
    request: dict[str, object] = {"verb": "render", "values": values, "options": asked.options}
    answer = await _run(request, archive, limits)
    rendered = msgspec.json.decode(answer, type=Rendered)
    missing = [one for one in rendered.metadata.dependencies if one.name not in rendered.loaded]
    if missing:
        names = ", ".join(f"{one.name} {one.version}".strip() for one in missing)
        hint = "Run `helm dependency build` before it is packed"
        raise HelmFailed("dependencies", f"Charts that it depends on are not in it: {names}", hint)
    if rendered.metadata.type == "library":
        hint = "Other charts use it; deploy one of those"
        raise HelmFailed("library", f"{rendered.metadata.name} is a library chart", hint)
    return rendered


async def probe(
    archive: bytes,
    values: Values,
    asked: Asked,
    *,
    probes: Sequence[Values],
    seconds: float,
    limits: Limits = DEFAULT,
) -> list[dict[str, str] | None]:
    """Which templates come out differently with other values; as many as fit into the time."""
    request: dict[str, object] = {"verb": "probe", "values": values, "options": asked.options}
    request |= {"probes": list(probes), "seconds": seconds}
    answer = await _run(request, archive, limits)
    return msgspec.json.decode(answer, type=Tries).tries


async def operate(request: dict[str, object], archive: bytes, *, seconds: float) -> list[Revision]:
    """A verb of `releasing`; the revisions that there are then. What takes longer, or is cancelled,
    is asked to end first, so that Helm can write down that it failed. Raises HelmFailed."""
    limits = msgspec.structs.replace(DEFAULT, wall_seconds=seconds)
    answer = await _run(request, archive, limits, grace_seconds=_GRACE_SECONDS)
    return msgspec.json.decode(answer, type=_Revisions).revisions


async def _run(
    request: dict[str, object], archive: bytes, limits: Limits, *, grace_seconds: float = 0
) -> bytes:
    request["limits"] = {"memory": limits.memory, "cpu_seconds": limits.cpu_seconds}
    given = msgspec.json.encode(request) + b"\n" + archive
    with tempfile.TemporaryDirectory(prefix="windlass-helm-") as home:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "windlass.helm.child"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                "HOME": home,
                "TMPDIR": home,
                "PATH": "",
                "LC_ALL": "C.UTF-8",
                "GOTRACEBACK": "none",
                "MALLOC_ARENA_MAX": "1",
            },
            cwd=home,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(limits.wall_seconds):
                answer, said = await _talk(child, given, limits.output)
                code = await child.wait()
        except TimeoutError:
            raise _too_slow(limits.wall_seconds) from None
        finally:
            if grace_seconds and child.returncode is None:
                await _ask_to_end(child, grace_seconds)
            _kill(child)
            # What it still wanted to say would keep its pipes open.
            child._transport.close()  # pyright: ignore[reportAttributeAccessIssue]
            await child.wait()
    return _judged(answer, said, code, limits)


async def _talk(child: asyncio.subprocess.Process, given: bytes, most: int) -> tuple[bytes, bytes]:
    assert child.stdin is not None  # noqa: S101 - asked for above
    assert child.stdout is not None  # noqa: S101
    assert child.stderr is not None  # noqa: S101
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_feed(child.stdin, given))
        answer = tasks.create_task(_read(child.stdout, most, then=lambda: _kill(child)))
        said = tasks.create_task(_read(child.stderr, _MOST_SAID))
    return answer.result(), said.result()


async def _feed(stream: asyncio.StreamWriter, given: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.write(given)
        await stream.drain()
        stream.close()
        await stream.wait_closed()


async def _read(
    stream: asyncio.StreamReader, most: int, *, then: Callable[[], None] | None = None
) -> bytes:
    """The beginning, a little more than `most`; the rest is dropped, after `then` was done."""
    parts: list[bytes] = []
    size = 0
    while part := await stream.read(1 << 16):
        if size <= most:
            parts.append(part)
            size += len(part)
            if size > most and then is not None:
                then()
    return b"".join(parts)


async def _ask_to_end(child: asyncio.subprocess.Process, seconds: float) -> None:
    with contextlib.suppress(ProcessLookupError, TimeoutError):
        child.terminate()
        async with asyncio.timeout(seconds):
            await child.wait()


def _kill(child: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _judged(answer: bytes, said: bytes, code: int, limits: Limits) -> bytes:
    if len(answer) > limits.output:
        size = f"{limits.output >> 20} MiB"
        raise HelmFailed("output", f"The chart makes more than {size} of manifests")
    if any(one in said for one in _OUT_OF_MEMORY):
        raise HelmFailed("memory", "Rendering the chart takes more memory than it may have")
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _too_slow(limits.cpu_seconds)
    if not answer:
        detail = said.decode(errors="replace").strip().splitlines()
        why = detail[0][:200] if detail else f"it ended with {code}"
        raise HelmFailed("crashed", f"Helm stopped in the middle: {why}")
    failed = msgspec.json.decode(answer, type=_Failed).error
    if failed is not None:
        raise _of(failed)
    return answer


def _too_slow(seconds: float) -> HelmFailed:
    return HelmFailed("time", f"Helm takes longer than {seconds:.0f} seconds for this chart")


def _of(error: _Error) -> HelmFailed:
    match error.kind:
        case "missing":
            return HelmFailed("missing", "Helm is not installed here", _MISSING)
        case "confine":
            return HelmFailed("confine", f"Charts cannot be rendered safely here: {error.message}")
        case "values":
            return errors.of_values(error.message)
        case _ if "chart requires kubeVersion" in error.message:
            text = error.message[error.message.index("chart requires kubeVersion") :]
            return HelmFailed("kubernetes", f"The {text}", "Choose another version of it")
        case "render":
            return errors.of_render(error.message)
        case "chart_load" | "chart_invalid":
            return HelmFailed("chart", error.message.partition(": ")[2] or error.message)
        case "cancelled":
            return HelmFailed("cancelled", "It was ended before Helm was done")
        case "not_found":
            return HelmFailed("not-found", _plain(error.message))
        case _ if "another operation" in error.message:
            hint = "Wait for it; what was killed in the middle is recovered by the next try"
            return HelmFailed("in-progress", "Another operation of this release is going on", hint)
        case _ if "unreachable" in error.message:
            return HelmFailed("unreachable", _plain(error.message))
        case _:
            return HelmFailed("helm", _plain(error.message))


def _plain(message: str) -> str:
    """On one line, and without the address of our own end of the wire."""
    message = re.sub(r"proxyconnect tcp: |127\.0\.0\.1:\d+->\S+: ", "", " ".join(message.split()))
    return message if len(message) <= 1000 else f"{message[:1000]}…"
