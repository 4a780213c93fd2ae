"""React Router and Remix: a server, or files for a single page when `ssr` is false."""

import shlex

import msgspec

from windlass.builds.detect.node import node_plan, start_command
from windlass.builds.detect.packages import Package
from windlass.builds.detect.scripts import commands, program
from windlass.builds.detect.sites import below_root, config_names, config_of
from windlass.builds.detect.values import Value
from windlass.builds.plan import Plan
from windlass.core.languages import N_


class Router(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two: which package builds it, which serves it, where it is configured."""

    framework: str
    label: str
    package: str
    build: str
    serve: str
    configs: tuple[str, ...]
    plugin: str = ""
    """The function whose argument holds the settings; empty when the file exports them."""


ROUTERS = (
    Router(
        framework="react-router",
        label="React Router",
        package="@react-router/dev",
        build="react-router build",
        serve="react-router-serve",
        configs=config_names("react-router.config"),
    ),
    Router(
        framework="remix",
        label="Remix",
        package="@remix-run/dev",
        build="remix vite:build",
        serve="remix-serve",
        configs=config_names("vite.config"),
        plugin="remix",
    ),
)


def router(package: Package, which: Router) -> Plan | None:
    if which.package not in package.dependencies:
        return None
    source, evidence = package.source, [package.evidence(which.package)]
    found = config_of(source, which.configs)

    def said(key: str) -> Value:
        if found is None:
            return None
        return found[1].option(which.plugin, key) if which.plugin else found[1].get(key)

    folder = said("buildDirectory")
    folder = folder if isinstance(folder, str) else "build"
    base = Plan(
        framework=which.framework,
        label=which.label,
        kind="server",
        build_command=package.manager.run("build") if "build" in package.scripts else which.build,
        env={"NODE_ENV": "production"},
        framework_caches=("node_modules/.vite",),
    )
    if found and said("ssr") is False:
        evidence.append(N_("{file}: ssr is false, a single page").format(file=found[0]))
        plan = msgspec.structs.replace(
            base,
            label=N_("{label} (single page)").format(label=which.label),
            kind="static",
            output_directory=below_root(source, found[0], f"{folder}/client"),
            fallback="index.html",
            evidence=tuple(evidence),
        )
        return node_plan(package, plan)
    words = (commands(package.scripts, "start") or [[]])[-1]
    if words and program(words) not in ("vite", "react-router"):
        start = start_command(package)
        evidence.append(N_("`start` runs {command}").format(command=shlex.join(words)[:120]))
    else:
        entry = "build/index.js" if _is_classic(package) else f"{folder}/server/index.js"
        start = f"{which.serve} {shlex.quote(f'./{entry}')}"
        evidence.append(N_("served by {program}").format(program=which.serve))
    plan = msgspec.structs.replace(base, start_command=start, evidence=tuple(evidence))
    return node_plan(package, plan)


def _is_classic(package: Package) -> bool:
    """Remix before Vite wrote its server as one file."""
    words = (commands(package.scripts, "build") or [[]])[-1]
    return program(words) == "remix" and "build" in words[1:2]
