"""Frameworks whose server is made by Nitro: one output folder, and a preset that says for whom."""

import msgspec

from windlass.builds.detect.node import node_plan, start_command
from windlass.builds.detect.packages import Package
from windlass.builds.detect.scripts import commands, program, runs
from windlass.builds.detect.sites import config_names, config_of
from windlass.builds.detect.values import MISSING
from windlass.builds.errors import UnsupportedPlan
from windlass.builds.plan import Plan
from windlass.core.languages import N_

_STATIC = frozenset(["static", "github-pages", "github_pages", "gitlab-pages"])
_SERVER = frozenset(["node", "node-server", "node_server", "node-cluster", "node_cluster"])
_OWN = ("nitro", "nitropack", "@tanstack/nitro-v2-vite-plugin")
_ENTRY = "node .output/server/index.mjs"


class Nitro(msgspec.Struct, frozen=True, kw_only=True):
    """One framework: which package it is, what builds it, where its configuration has a preset."""

    framework: str
    label: str
    packages: tuple[str, ...]
    build: str
    configs: tuple[str, ...]
    preset: str
    generates: tuple[str, str] = ("", "")
    """The program and the subcommand of a `build` script that makes files."""
    caches: tuple[str, ...] = ()
    env: dict[str, str] = {}


NITROS = (
    Nitro(
        framework="nuxt",
        label="Nuxt",
        packages=("nuxt",),
        build="nuxt build",
        configs=config_names("nuxt.config"),
        preset="nitro.preset",
        generates=("nuxt", "generate"),
        caches=(".nuxt", "node_modules/.cache"),
        env={"NUXT_TELEMETRY_DISABLED": "1"},
    ),
    Nitro(
        framework="solidstart",
        label="SolidStart",
        packages=("@solidjs/start",),
        build="vinxi build",
        configs=config_names("app.config"),
        preset="server.preset",
        caches=("node_modules/.vite",),
    ),
    Nitro(
        framework="tanstack-start",
        label="TanStack Start",
        packages=("@tanstack/react-start", "@tanstack/solid-start"),
        build="vite build",
        configs=config_names("vite.config"),
        preset="nitro.preset",
        caches=("node_modules/.vite",),
    ),
    Nitro(
        framework="nitro",
        label="Nitro",
        packages=("nitropack", "nitro"),
        build="nitro build",
        configs=config_names("nitro.config"),
        preset="preset",
        caches=("node_modules/.nitro",),
    ),
)


def nitro(package: Package, which: Nitro) -> Plan | None:
    """Files with a static preset, else the server in `.output`; other platforms' are refused."""
    named = next((name for name in which.packages if name in package.dependencies), None)
    if named is None or (which.framework == "nitro" and not _is_nitro_itself(package)):
        return None
    evidence = [package.evidence(named)]
    found = config_of(package.source, which.configs)
    preset = found[1].get(which.preset) if found else MISSING
    if found and isinstance(preset, str):
        evidence.append(
            N_("{file}: {name} is set to {value}").format(
                file=found[0], name=which.preset, value=repr(preset)
            )
        )
    script = {"build": package.scripts.get("build")}
    generates = bool(which.generates[0] and runs(script, *which.generates))
    if generates:
        evidence.append(N_("`build` runs {command}").format(command=" ".join(which.generates)))
    base = Plan(
        framework=which.framework,
        label=which.label,
        kind="server",
        build_command=package.manager.run("build") if "build" in package.scripts else which.build,
        env={"NODE_ENV": "production", **which.env},
        framework_caches=which.caches,
    )
    if generates or preset in _STATIC:
        return _files(package, base, ".output/public", evidence)
    if which.framework == "tanstack-start":
        if found and found[1].option("tanstackStart", "spa.enabled") is True:
            evidence.append(N_("{file}: spa is enabled").format(file=found[0]))
            return _files(package, base, "dist/client", evidence, fallback="_shell.html")
        if not any(name in package.dependencies for name in _OWN):
            return _served_by_start(package, base, evidence)
    if isinstance(preset, str) and preset not in _SERVER:
        raise UnsupportedPlan(
            what=N_("{label} with the preset {preset}").format(label=which.label, preset=preset),
            evidence="; ".join(evidence),
            hint=N_("Use the preset node-server for a server, or static for files."),
        )
    plan = msgspec.structs.replace(base, start_command=_ENTRY, evidence=tuple(evidence))
    return node_plan(package, plan)


def _files(
    package: Package, base: Plan, folder: str, evidence: list[str], fallback: str | None = None
) -> Plan:
    plan = msgspec.structs.replace(
        base,
        label=N_("{label} (static)").format(label=base.label),
        kind="static",
        output_directory=folder,
        fallback=fallback,
        evidence=tuple(evidence),
    )
    return node_plan(package, plan)


def _served_by_start(package: Package, base: Plan, evidence: list[str]) -> Plan:
    """Without Nitro the build makes a handler, and only the project's `start` can listen."""
    words = (commands(package.scripts, "start") or [[]])[-1]
    if not words or program(words) == "vite":
        raise UnsupportedPlan(
            what=N_("{label} without a server").format(label=base.label),
            evidence="; ".join(evidence),
            hint=N_("Add Nitro's Vite plugin, or a `start` script that listens on PORT."),
        )
    evidence.append(N_("`start` runs {command}").format(command=" ".join(words)[:120]))
    plan = msgspec.structs.replace(
        base, start_command=start_command(package), evidence=tuple(evidence)
    )
    return node_plan(package, plan)


def _is_nitro_itself(package: Package) -> bool:
    """Others depend on Nitro too: then it is theirs."""
    others = [name for each in NITROS[:-1] for name in each.packages]
    if any(name in package.dependencies for name in others):
        return False
    configured = package.source.first(*NITROS[-1].configs)
    return bool(configured or any(runs(package.scripts, name, "build") for name in _OWN[:2]))
