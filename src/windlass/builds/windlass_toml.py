"""`windlass.toml`: what a repository says about itself. Strict, because a typo must not pass.

`python -m windlass.builds.windlass_toml` prints the JSON Schema that the documentation publishes.
"""

import difflib
import json
import re
import sys
import tomllib
from collections.abc import Mapping
from typing import Annotated, cast

import msgspec
from msgspec import Meta
from msgspec.structs import asdict, replace

from windlass.builds.errors import ManifestBroken, SettingWrong
from windlass.builds.paths import plain, problem_with
from windlass.core.languages import N_
from windlass.core.process import (
    WEB,
    Cpus,
    Drain,
    Grace,
    HealthPath,
    MemoryMb,
    Name,
    Restart,
    StartTimeout,
)

MAX_BYTES = 32 << 10
_MOST_LINES = 2000
_COMMAND = Meta(max_length=4000)
_HOST = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?:[0-9]{1,5}$"


class ProcessToml(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One process. `[processes] worker = "command"` is short for one with only a command."""

    command: Annotated[
        Annotated[str, _COMMAND] | None,
        Meta(description="Starts it. For `web` the same as `start_command`."),
    ] = None
    memory_mb: Annotated[
        MemoryMb | None,
        Meta(description="Memory in MiB. Default: what the server gives each process."),
    ] = None
    cpus: Annotated[
        Cpus | None,
        Meta(description="Processor cores, `0.5` for half of one."),
    ] = None
    grace_seconds: Annotated[
        Grace | None,
        Meta(description="Seconds between SIGTERM and SIGKILL when it is ended."),
    ] = None
    restart: Annotated[
        Restart | None,
        Meta(description="When it is started again after it ended. Default: `always`."),
    ] = None


class ContainerToml(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Dockerfile that is built, or an image that is run as it is."""

    dockerfile: Annotated[
        str | None,
        Meta(description="The Dockerfile, relative to the root directory. Default: `Dockerfile`."),
    ] = None
    target: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")] | None,
        Meta(description="The stage that is built. Default: the last one."),
    ] = None
    build_args: Annotated[
        dict[
            Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")],
            Annotated[str, Meta(max_length=4096)],
        ],
        Meta(description="Values of ARG. No secrets: an image remembers them."),
    ] = {}
    build_secrets: Annotated[
        dict[
            Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")],
            Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")],
        ],
        Meta(
            description="The variable for each `RUN --mount=type=secret,id=…`. Default: the secret"
            " variable of that name."
        ),
    ] = {}
    image: Annotated[
        Annotated[str, Meta(min_length=1, max_length=500)] | None,
        Meta(description="An image to run instead of building one: `nginx:1.27`."),
    ] = None
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        Meta(description="The port that it listens on. Default: the one that the image exposes."),
    ] = None
    read_only: Annotated[
        bool | None,
        Meta(description="Whether its root is read-only. Default: tried, and given up if need be."),
    ] = None


class WindlassToml(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one application. Everything is optional and wins over detection. For commands
    and folders an empty string means: none."""

    framework: Annotated[
        str | None,
        Meta(description="Which framework it is, when detection would choose another: `vite`, …"),
    ] = None
    root_directory: Annotated[
        str | None,
        Meta(description="The application's directory. Only in the file at the source's top."),
    ] = None
    install_command: Annotated[
        Annotated[str, _COMMAND] | None,
        Meta(description="Installs the dependencies; the only step with network by default."),
    ] = None
    build_command: Annotated[
        Annotated[str, _COMMAND] | None, Meta(description="Builds the site or the program.")
    ] = None
    output_directory: Annotated[
        str | None,
        Meta(description="The built site, relative to the root directory. Makes it a static site."),
    ] = None
    start_command: Annotated[
        Annotated[str, _COMMAND] | None,
        Meta(description="Starts the server; it must listen on $PORT. Makes it a server."),
    ] = None
    release_command: Annotated[
        Annotated[str, _COMMAND] | None,
        Meta(description="Runs once per deployment, before the switch (migrations)."),
    ] = None
    fallback: Annotated[
        str | None,
        Meta(description="The page for unknown paths of a single-page app, as `index.html`."),
    ] = None
    clean_urls: Annotated[
        bool | None, Meta(description="Whether `/about` answers with `about.html`. Default: true.")
    ] = None
    health_path: Annotated[
        HealthPath | None,
        Meta(description="The path that must answer before traffic is switched. Default: `/`."),
    ] = None
    start_timeout_seconds: Annotated[
        StartTimeout | None,
        Meta(description="Seconds within which a new release must answer on the health path."),
    ] = None
    drain_seconds: Annotated[
        Drain | None,
        Meta(description="Seconds that open requests of the old release get after a switch."),
    ] = None
    processes: Annotated[
        dict[
            Name,
            Annotated[str, _COMMAND] | ProcessToml,
        ],
        Meta(description="Processes beside the server (workers), by name; `web` is the server."),
    ] = {}
    container: Annotated[
        ContainerToml | None,
        Meta(description="Builds a Dockerfile or runs an image, with a container engine."),
    ] = None
    port: Annotated[
        Annotated[int, Meta(ge=1024, le=65535)] | None,
        Meta(description="The port that the server listens on, given as $PORT. Default: 3000."),
    ] = None
    build_network: Annotated[
        bool | None, Meta(description="Whether the build step has the guarded network too.")
    ] = None
    connect: Annotated[
        tuple[Annotated[str, Meta(pattern=_HOST)], ...],
        Meta(
            description="Further `host:port` that the server may reach (a database).", max_length=32
        ),
    ] = ()
    env: Annotated[
        dict[
            Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,254}$")],
            Annotated[str, Meta(max_length=32768)],
        ],
        Meta(description="Environment variables for build and start. No secrets: it is in Git."),
    ] = {}


def parse(content: bytes, *, file: str = "windlass.toml") -> WindlassToml:
    """Read the file. Raises ManifestBroken (no TOML) or SettingWrong (names key and line)."""
    if len(content) > MAX_BYTES:
        raise ManifestBroken(
            file=file, reason=N_("it is larger than {size} KiB").format(size=MAX_BYTES >> 10)
        )
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ManifestBroken(file=file, reason=N_("it is not UTF-8; save it as UTF-8")) from error
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        problem = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "…"
        reason = N_("it is no TOML ({problem})").format(problem=problem)
        raise ManifestBroken(file=file, reason=reason) from error
    known = WindlassToml.__struct_fields__
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            message = (
                N_("is not a setting; did you mean `{names}`?")
                if near
                else N_("is not a setting; known: {names}")
            )
            raise _wrong(file, text, [key], message.format(names=", ".join(near or known)))
    try:
        settings = msgspec.convert(table, WindlassToml)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        keys = re.findall(r"[A-Za-z_][\w-]*", place.split("`$", 1)[-1])
        variables = table.get("env")
        if keys == ["env"] and isinstance(variables, dict):
            wrong = [name for name, value in variables.items() if not isinstance(value, str)]
            keys += wrong[:1]
        raise _wrong(file, text, keys, N_("is wrong: {problem}").format(problem=message)) from error
    return _checked(settings, file, text)


Processes = dict[str, str | ProcessToml]


def over(stronger: Mapping[str, str | ProcessToml], weaker: Processes) -> Processes:
    """What two say of processes as one: field by field, the stronger first."""
    found = dict(weaker)
    for name, process in stronger.items():
        said, below = _spelled(process), _spelled(found.get(name, ProcessToml()))
        given = {key: value for key, value in asdict(said).items() if value is not None}
        found[name] = replace(below, **given)
    return found


def _spelled(process: str | ProcessToml) -> ProcessToml:
    return ProcessToml(command=process) if isinstance(process, str) else process


def schema() -> dict[str, object]:
    """The JSON Schema (2020-12) of the file. TOML has no null, so no setting may be null."""
    made = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(WindlassToml)))
    definitions = cast(dict[str, dict[str, object]], made["$defs"])
    properties = _properties(definitions.pop("WindlassToml"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "windlass.toml",
        "description": " ".join((WindlassToml.__doc__ or "").split()),
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "$defs": {
            name: {**definition, "properties": _properties(definition)}
            for name, definition in definitions.items()
        },
    }


def _properties(definition: dict[str, object]) -> dict[str, object]:
    found = cast(dict[str, dict[str, object]], definition["properties"])
    return {name: _without_null(value) for name, value in found.items()}


def _without_null(definition: dict[str, object]) -> dict[str, object]:
    choices = cast(list[dict[str, object]], definition.pop("anyOf", []))
    inner = next((choice for choice in choices if choice.get("type") != "null"), {})
    kept = {name: value for name, value in definition.items() if value is not None}
    return {**inner, **kept}


def _checked(settings: WindlassToml, file: str, text: str) -> WindlassToml:
    """What a schema cannot say: folders stay inside, nothing holds a NUL or a hidden line."""
    changes: dict[str, str] = {}
    for name in ("root_directory", "output_directory", "fallback"):
        value = cast(str | None, getattr(settings, name))
        problem = problem_with(value) if value else None
        if problem:
            raise _wrong(file, text, [name], N_("is refused. {problem}").format(problem=problem))
        if value:
            changes[name] = plain(value)
    given = settings.container
    if given and given.dockerfile and (problem := problem_with(given.dockerfile)):
        raise _wrong(file, text, ["container", "dockerfile"], f"is refused. {problem}")
    if given and given.image and given.dockerfile:
        raise _wrong(file, text, ["container", "image"], "is given beside `dockerfile`: choose one")
    for name in ("install_command", "build_command", "start_command", "release_command"):
        value = cast(str | None, getattr(settings, name))
        if value and "\x00" in value:
            raise _wrong(file, text, [name], N_("contains a NUL character"))
    for name, process in settings.processes.items():
        problem = _process_problem(name, process, settings.start_command)
        if problem:
            raise _wrong(file, text, ["processes", name], problem)
    for target in settings.connect:
        if "\n" in target or not 0 < int(target.rpartition(":")[2]) < 65536:
            raise _wrong(
                file,
                text,
                ["connect"],
                N_("holds {value}, which is no `host:port`").format(value=repr(target)),
            )
    for name, value in settings.env.items():
        if "\n" in name or "\x00" in value:
            raise _wrong(file, text, ["env", name], N_("is no environment variable"))
    return msgspec.structs.replace(settings, **changes)


def _process_problem(name: str, process: str | ProcessToml, start: str | None) -> str | None:
    """What is wrong with one process, or nothing."""
    command = process if isinstance(process, str) else process.command
    if name == "release":
        return N_("is no process; the key is `release_command`")
    if command is not None and "\x00" in command:
        return N_("contains a NUL character")
    if name != WEB:
        return None
    if command is not None and start is not None:
        return N_("is said twice: here and as `start_command`")
    if isinstance(process, ProcessToml) and process.restart not in (None, "always"):
        return N_("cannot have a restart policy: the server is always started again")
    return None


def _wrong(file: str, text: str, keys: list[str], problem: str) -> SettingWrong:
    line = _line_of(text, keys)
    key = ".".join(keys) or "…"
    return SettingWrong(file=file, key=key, line=line, problem=problem)


def _line_of(text: str, keys: list[str]) -> int:
    """The line where a key is set: statements are read one by one, as long as they need."""
    start, pending, header = 1, "", ""
    for number, line in enumerate(text.split("\n")[:_MOST_LINES], 1):
        start = number if not pending else start
        pending = f"{pending}\n{line}" if pending else line
        try:
            table = tomllib.loads(f"{header}\n{pending}")
        except tomllib.TOMLDecodeError:
            continue
        header = pending if pending.lstrip().startswith("[") else header
        value: object = table
        for key in keys:
            value = cast(dict[str, object], value).get(key) if isinstance(value, dict) else None
        if value is not None:
            return start
        pending = ""
    return 1


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
