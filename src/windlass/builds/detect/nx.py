"""Nx with one package.json for all: an application is a folder with a project.json.

It is built from the top, and its output lies there too: the plan's root directory is the top.
"""

import shlex

from msgspec.structs import replace

from windlass.builds.detect.node import node_plan
from windlass.builds.detect.packages import Package
from windlass.builds.detect.sites import below_root
from windlass.builds.detect.source import Source, Table, table, text
from windlass.builds.detect.workspaces import RUNNER_ENV
from windlass.builds.plan import Plan
from windlass.core.languages import N_

_SERVERS = ("@nx/node:", "@nx/esbuild:", "@nx/js:", "@nx/nest:", "@nrwl/node:", "@nrwl/js:")
_BROWSER = ("@nx/angular:application", "@angular/build:application")
_MOST_PROJECTS = 200


def applications(top: Source) -> list[str]:
    """The folders of a top with nx.json whose project.json says that they are applications."""
    if not top.has("nx.json"):
        return []
    files = [path for path in top.files if path.endswith("/project.json")][:_MOST_PROJECTS]
    return [
        path.removesuffix("/project.json")
        for path in files
        if top.json(path).get("projectType") == "application" and "e2e" not in path
    ]


def nx(source: Source) -> Plan | None:
    """The application in this folder."""
    top = source.at(".")
    alone = source.has("project.json") and not source.has("package.json")
    if not alone or not top.has("nx.json") or not top.has("package.json"):
        return None
    project = source.json("project.json")
    name = text(project.get("name")) or source.root.rpartition("/")[2]
    target = table(table(project.get("targets")).get("build"))
    options, executor = table(target.get("options")), text(target.get("executor")) or ""
    file = source.named("project.json")
    output = below_root(top, file, _output(options, source.root))
    plan = Plan(
        framework="nx",
        label=f"Nx ({name})",
        kind="server",
        build_command=f"nx run {shlex.quote(f'{name}:build')}",
        framework_caches=(".nx",),
        env={"NODE_ENV": "production", **RUNNER_ENV["nx"]},
        watch_paths=(f"{source.root}/**", "libs/**", "packages/**", "nx.json", "package.json"),
        evidence=(
            N_("{file}: the application {name}").format(file=file, name=name),
            N_("the executor {executor} writes to {output}").format(
                executor=executor or "Nx", output=output
            ),
        ),
    )
    return node_plan(Package(top), _placed(plan, executor, options, output))


def _output(options: Table, root: str) -> str:
    given = options.get("outputPath")
    return text(given) or text(table(given).get("base")) or f"dist/{root}"


def _placed(plan: Plan, executor: str, options: Table, output: str) -> Plan:
    if executor == "@nx/next:build":
        return replace(plan, start_command=f'next start {shlex.quote(output)} -p "$PORT"')
    if executor.startswith(_SERVERS) or options.get("target") == "node":
        return replace(plan, start_command=f"node {shlex.quote(f'{output}/main.js')}")
    folder = f"{output}/browser" if executor.startswith(_BROWSER) else output
    return replace(plan, kind="static", output_directory=folder, fallback="index.html")
