"""Angular: angular.json says which application, where it goes, and whether a server renders it."""

import shlex

from msgspec.structs import replace

from windlass.builds.detect.node import node_plan
from windlass.builds.detect.packages import Package
from windlass.builds.detect.sites import below_root
from windlass.builds.detect.source import Table, table, text
from windlass.builds.plan import Plan
from windlass.core.languages import N_


def angular(package: Package) -> Plan | None:
    """Files below `browser` with the newer builder; a server when `ssr` is set."""
    source = package.source
    if "@angular/core" not in package.dependencies or not source.has("angular.json"):
        return None
    for name, project in table(source.json("angular.json").get("projects")).items():
        target = _build_target(table(project))
        builder, options = text(target.get("builder")) or "", table(target.get("options"))
        if builder and table(project).get("projectType", "application") == "application":
            return _plan(package, name, builder, options)
    return None


def _build_target(project: Table) -> Table:
    return table(table(project.get("architect") or project.get("targets")).get("build"))


def _plan(package: Package, name: str, builder: str, options: Table) -> Plan:
    source, given = package.source, options.get("outputPath")
    base = text(given) or text(table(given).get("base")) or f"dist/{name}"
    rendered = bool(options.get("ssr") or text(options.get("server")))
    plan = Plan(
        framework="angular",
        label="Angular",
        kind="static",
        build_command=package.manager.run("build") if "build" in package.scripts else "ng build",
        framework_caches=(".angular/cache",),
        env={"NG_CLI_ANALYTICS": "false"},
        evidence=(package.evidence("@angular/core"),),
    )
    if rendered and options.get("outputMode") != "static" and not builder.endswith(":browser"):
        folder = table(given).get("server")
        folder = below_root(source, "angular.json", f"{base}/{text(folder) or 'server'}")
        return node_plan(package, _server(plan, name, folder))
    suffix = "" if builder.endswith(":browser") else "browser"
    named = table(given).get("browser")
    suffix = named if isinstance(named, str) else suffix
    output = below_root(source, "angular.json", f"{base}/{suffix}")
    return node_plan(package, _site(plan, name, output, is_rendered=rendered))


def _server(plan: Plan, name: str, folder: str) -> Plan:
    return replace(
        plan,
        label=N_("Angular (server)"),
        kind="server",
        start_command=f"node {shlex.quote(f'{folder}/server.mjs')}",
        env={**plan.env, "NODE_ENV": "production"},
        evidence=(
            *plan.evidence,
            N_("angular.json: project {name} is rendered by a server").format(name=name),
        ),
    )


def _site(plan: Plan, name: str, output: str, *, is_rendered: bool) -> Plan:
    """Pages that were rendered at build time keep the empty shell apart for other paths."""
    return replace(
        plan,
        output_directory=output,
        fallback="index.csr.html" if is_rendered else "index.html",
        evidence=(
            *plan.evidence,
            N_("angular.json: project {name} writes to {output}").format(name=name, output=output),
        ),
    )
