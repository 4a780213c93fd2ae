"""What people said, put over what was detected: settings, then windlass.toml, then a Procfile."""

from collections.abc import Sequence
from typing import cast

import msgspec
from msgspec.structs import replace

from windlass.builds.detect.hostfiles import read, wished
from windlass.builds.detect.node import node_plan
from windlass.builds.detect.packages import Package
from windlass.builds.detect.procfile import Procfile
from windlass.builds.detect.python import python_plan
from windlass.builds.detect.requirements import Requirements
from windlass.builds.detect.source import Source
from windlass.builds.errors import SettingWrong
from windlass.builds.paths import check_directory
from windlass.builds.plan import Kind, Overrides, Plan, ProcessSettings
from windlass.builds.windlass_toml import MAX_BYTES, ProcessToml, WindlassToml, over, parse
from windlass.core.errors import invalid
from windlass.core.languages import N_
from windlass.core.process import WEB, Said

_COMMANDS = ("install_command", "build_command", "start_command", "release_command")
_LONGEST_COMMAND = 4000
_UNSET: tuple[object, ...] = (None, (), {})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """windlass.toml and the overrides as one."""

    said: WindlassToml
    sources: tuple[str, ...]
    """Which file said something, as evidence."""
    chosen: tuple[str, ...]
    """What the overrides set."""

    processes: frozenset[str] = frozenset()
    """The processes that the overrides say something about."""

    @property
    def says_how(self) -> bool:
        """Somebody said how it is built or started: then the top itself is meant."""
        said = self.said
        return bool(said.build_command or said.start_command or said.output_directory)


def settings_of(top: Source, overrides: Overrides) -> tuple[Settings, Source]:
    """Everything that was said, and the source seen from the root directory that was said."""
    checked, from_top = _checked(overrides), _read(top)
    root = checked.root_directory
    if root is None and from_top and from_top.root_directory:
        root = from_top.root_directory
    if root is None:
        root = wished(read(top, top)).root_directory
    source = top.at(root) if root and root != "." else top
    settings, file = from_top, "windlass.toml"
    if source is not top:
        inner = _read(source)
        if inner and inner.root_directory not in (None, "."):
            raise SettingWrong(
                file=source.named("windlass.toml"),
                key="root_directory",
                line=1,
                problem=N_("belongs into the windlass.toml at the top of the source"),
            )
        elsewhere = from_top and from_top.root_directory not in (None, root)
        settings = inner or (None if elsewhere else from_top)
        file = source.named("windlass.toml") if inner else file
    said = _with_web(settings or WindlassToml())
    names = [name for name, value in msgspec.structs.asdict(said).items() if value not in _UNSET]
    chosen = {
        name: value
        for name, value in msgspec.structs.asdict(checked).items()
        if value is not None and name != "node_version"
    }
    own = _own(checked.processes or ())
    if own:
        said = replace(said, processes=over(own, said.processes))
    return (
        Settings(
            said=replace(said, **{k: value for k, value in chosen.items() if k != "processes"}),
            sources=(N_("{file}: sets {names}").format(file=file, names=", ".join(names)),)
            if names
            else (),
            chosen=tuple(chosen),
            processes=frozenset(own),
        ),
        source,
    )


def _own(processes: Sequence[Said]) -> dict[str, ProcessToml]:
    """The processes of the settings, as windlass.toml would say them."""
    fields = ProcessToml.__struct_fields__
    return {
        each.name: ProcessToml(**{field: getattr(each, field) for field in fields})
        for each in processes
    }


def heeding(
    settings: Settings,
    source: Source,
    top: Source,
    plan: Plan | None,
    processes: Procfile | None,
) -> Settings:
    """The settings with what files of other hosts wish for, where nobody said anything.

    What was recognised as a server stays one: there an output directory often means its assets.
    """
    readers = read(source, top)
    said, wishes = settings.said, wished(readers)
    names = ["install_command", "build_command", "release_command", "health_path", "port"]
    names += ["clean_urls", "start_timeout_seconds"]
    if not said.output_directory:
        names.append("start_command")
    if not ((plan and plan.kind == "server") or said.start_command or wishes.start_command):
        names.append("output_directory")
    chosen = {name: getattr(wishes, name) for name in names if getattr(said, name) is None}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    together = replace(said, processes=over(said.processes, {**wishes.processes}))
    if not chosen.get("start_command", "-") and not _workers(together, processes):
        # Without workers it would be nothing at all.
        del chosen["start_command"]
    sources = [
        N_("{file}: sets {names}").format(file=each.file, names=", ".join(own))
        for each in readers
        if (own := [name for name in chosen if getattr(each.wishes, name) == chosen[name]])
    ]
    return replace(
        settings,
        said=replace(together, **chosen, env={**wishes.env, **said.env}),
        sources=(*settings.sources, *sources),
    )


def custom(source: Source, settings: Settings, processes: Procfile | None) -> Plan | None:
    """Nothing was recognised, but somebody said how to start it or where its output goes."""
    said = settings.said
    start = said.start_command or (processes.web if processes else None)
    runs_workers = bool(_workers(said, processes))
    if not start and not said.output_directory and not runs_workers:
        return None
    kind: Kind = "server" if start else "static" if said.output_directory else "worker"
    plan = Plan(
        framework="custom",
        label=N_("Workers") if kind == "worker" else N_("Custom commands"),
        kind=kind,
        root_directory=source.root,
        start_command=start,
    )
    if source.has("package.json"):
        package = Package(source)
        build = package.manager.run("build") if "build" in package.scripts else None
        return node_plan(package, replace(plan, build_command=build))
    requirements = Requirements(source)
    if requirements.exist:
        plan = replace(plan, install_command=requirements.install())
        return python_plan(source, requirements, plan)
    return plan


def _workers(said: WindlassToml, processes: Procfile | None) -> dict[str, str]:
    """The commands of the processes beside `web`, by name; what is said wins over a Procfile."""
    commands = dict(processes.others) if processes else {}
    for name, process in said.processes.items():
        command = process if isinstance(process, str) else process.command
        if name != WEB and command is not None:
            commands[name] = command.strip()
    # As everywhere an empty command means: none.
    return {name: command for name, command in commands.items() if command}


def apply(source: Source, plan: Plan, settings: Settings, processes: Procfile | None) -> Plan:
    """The plan with everything that was said about it."""
    said = settings.said
    evidence, warnings = list(plan.evidence), list(plan.warnings)
    if processes:
        plan = _with_processes(source, plan, processes, evidence, warnings)
    for name in ("install_command", "build_command", "release_command"):
        value = getattr(said, name)
        if value is not None:
            plan = replace(plan, **{name: value.strip() or None})
    if settings.chosen:
        evidence.append(N_("settings: {names}").format(names=", ".join(settings.chosen)))
    plan = _with_kind(source, plan, said, processes, warnings)
    if plan.install_command is None:
        plan = replace(plan, cache_directories=())
    if said.fallback is not None:
        plan = replace(plan, fallback=said.fallback or None)
    plan = with_workers(source, plan, settings, evidence, warnings)
    names = ["clean_urls", "health_path", "port", "build_network"]
    for name in (*names, "start_timeout_seconds", "drain_seconds"):
        value = getattr(said, name)
        if value is not None:
            plan = replace(plan, **{name: value})
    return replace(
        plan,
        env={**plan.env, **said.env},
        connect=said.connect,
        evidence=tuple(evidence),
        warnings=tuple(warnings),
    )


def _with_processes(
    source: Source, plan: Plan, processes: Procfile, evidence: list[str], warnings: list[str]
) -> Plan:
    named = source.named("Procfile")
    if processes.web:
        evidence.append(N_("{file}: web starts the server").format(file=named))
        plan = replace(
            plan,
            kind="server",
            start_command=processes.web,
            output_directory=None,
            fallback=None,
        )
    if processes.release:
        evidence.append(N_("{file}: release runs before the switch").format(file=named))
        plan = replace(plan, release_command=processes.release)
    return replace(plan, processes=processes.others)


def _with_web(said: WindlassToml) -> WindlassToml:
    """The command of the process `web` is the start command under another name."""
    web = said.processes.get(WEB)
    command = web if isinstance(web, str) else web.command if web else None
    return replace(said, start_command=command) if command is not None else said


def with_workers(
    source: Source,
    plan: Plan,
    settings: Settings,
    evidence: list[str],
    warnings: list[str],
) -> Plan:
    """The processes beside `web`, by the settings, windlass.toml, then a Procfile."""
    commands, limits = dict(plan.processes), dict[str, ProcessSettings]()
    for name, process in settings.said.processes.items():
        one = ProcessToml(command=process) if isinstance(process, str) else process
        if one.command is not None and name != WEB:
            commands[name] = one.command.strip()
        if name != WEB and name not in commands:
            if name in settings.processes:
                # It may be back with the next commit: what was set for it is no reason to fail.
                message = N_("The settings name a process that nothing starts: {name}")
                warnings.append(message.format(name=name))
                continue
            raise SettingWrong(
                file=source.named("windlass.toml"),
                key=f"processes.{name}",
                line=1,
                problem=N_("has no command, and no Procfile gives it one"),
            )
        limits[name] = ProcessSettings(
            memory_mb=one.memory_mb,
            cpus=one.cpus,
            grace_seconds=one.grace_seconds,
            restart=one.restart or "always",
        )
    # As everywhere an empty command means: none.
    commands = {name: command for name, command in commands.items() if command}
    if plan.kind == "static" and commands:
        message = N_(
            "Not run, because a static site has no processes: {names}. To run them and serve"
            ' nothing, say `web = ""` in [processes] of windlass.toml.'
        )
        warnings.append(message.format(names=", ".join(commands)))
        return replace(plan, processes={}, process_settings={})
    if plan.kind == "worker":
        message = N_("runs without a web process: {names}")
        evidence.append(message.format(names=", ".join(commands)[:200]))
    elif commands:
        message = N_("runs beside web: {names}")
        evidence.append(message.format(names=", ".join(commands)[:200]))
    return replace(plan, processes=commands, process_settings=limits)


def _with_kind(
    source: Source,
    plan: Plan,
    said: WindlassToml,
    processes: Procfile | None,
    warnings: list[str],
) -> Plan:
    """A start command makes a server, an output directory makes a site; both: a server. Workers
    without a start command run alone."""
    start, output = said.start_command, said.output_directory
    workers = {} if output else _workers(said, processes)
    is_none = start is not None and not start.strip()
    if workers and (is_none or (start is None and _is_one_of(plan, workers, processes))):
        return replace(
            plan, kind="worker", start_command=None, output_directory=None, fallback=None
        )
    if start and start.strip():
        if output:
            warnings.append(N_("A server has no output directory: it is passed over."))
        return replace(
            plan, kind="server", start_command=start.strip(), output_directory=None, fallback=None
        )
    if output and plan.framework == "nextjs" and plan.kind == "server" and start is None:
        # `.next` is what other platforms call Next.js's output; files alone would not answer.
        warnings.append(N_("Next.js runs as a server here: the output directory is passed over."))
        return plan
    if output:
        plan = replace(plan, kind="static", start_command=None, output_directory=output)
    elif start is not None and plan.kind == "server":
        raise invalid(
            "startCommand",
            N_(
                "A server needs a start command, a site an output directory, and who has neither"
                " needs workers."
            ),
        )
    elif output is not None and plan.kind == "static":
        plan = replace(plan, output_directory=".")
    nothing_runs = plan.install_command is None and plan.build_command is None
    folder = plan.output_directory
    if plan.kind == "static" and nothing_runs and folder and not source.has_folder(folder):
        raise invalid(
            "outputDirectory",
            N_(
                "There is no folder `{folder}` in the source, and no build command that makes it."
            ).format(folder=folder),
        )
    return plan


def _is_one_of(plan: Plan, workers: dict[str, str], processes: Procfile | None) -> bool:
    """A Procfile without `web` whose worker is the very program that looked like a server: it is
    a bot or a consumer, as it says."""
    if plan.kind != "server" or (processes is not None and processes.web):
        return False
    same = {plan.start_command}
    if plan.runtime == "node":
        same |= {"npm start", "npm run start", "yarn start", "pnpm start", "node ."}
    return bool(same & {*workers.values()})


def _checked(overrides: Overrides) -> Overrides:
    """The overrides in their plain form; errors name the field as the API calls it."""
    for name in _COMMANDS:
        value = cast(str | None, getattr(overrides, name))
        if value:
            _check_command(_field(name), value)
    root, output = overrides.root_directory, overrides.output_directory
    if root is not None:
        # The top is where every project starts; only another directory is a choice.
        root = check_directory("rootDirectory", root)
        root = None if root == "." else root
    if output and output.strip():
        output = check_directory("outputDirectory", output)
    framework = overrides.framework or None
    return replace(overrides, framework=framework, root_directory=root, output_directory=output)


def _check_command(field: str, value: str) -> None:
    if len(value) > _LONGEST_COMMAND:
        raise invalid(
            field,
            N_("A command has at most {longest_command} characters.").format(
                longest_command=_LONGEST_COMMAND
            ),
        )
    if any(ord(char) < 32 and char not in "\n\t" for char in value) or "\x7f" in value:
        raise invalid(field, N_("This contains control characters."))


def _field(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _read(source: Source) -> WindlassToml | None:
    if not source.has("windlass.toml"):
        return None
    return parse(source.raw("windlass.toml", MAX_BYTES), file=source.named("windlass.toml"))
