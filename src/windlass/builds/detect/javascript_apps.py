"""What a package.json is: the most telling sign decides."""

import re
from collections.abc import Callable
from functools import partial

from windlass.builds.detect.angular import angular
from windlass.builds.detect.frameworks import astro, next_js, sveltekit
from windlass.builds.detect.nitro import NITROS, nitro
from windlass.builds.detect.node import node_plan, server
from windlass.builds.detect.packages import Package
from windlass.builds.detect.routers import ROUTERS, router
from windlass.builds.detect.scripts import commands
from windlass.builds.detect.sites import site, tool_of
from windlass.builds.detect.tokens import tokenize
from windlass.builds.plan import Plan
from windlass.core.languages import N_

_OUTPUTS = ("dist", "build", "out", "public", "_site", "www", "site", "html")

ANSWERING: dict[str, Callable[[Package], Plan | None]] = {
    "nextjs": next_js,
    **{each.framework: partial(router, which=each) for each in ROUTERS},
    **{each.framework: partial(nitro, which=each) for each in NITROS},
    "sveltekit": sveltekit,
    "astro": astro,
}
"""Frameworks that make a site or a server, as their configuration says, in the order of belief."""


def node(package: Package, wanted: str | None = None) -> Plan | None:
    """What a package.json is, the most telling first."""
    for detect in ANSWERING.values():
        plan = detect(package)
        if plan:
            return plan
    tool = tool_of(package, wanted)
    listening = server(package, site=tool.framework if tool else None)
    if listening and (not wanted or tool is None):
        return listening
    if tool:
        return site(package, tool)
    return angular(package)


def built(package: Package) -> Plan | None:
    """A `build` script of no known tool: its output folder is what its commands name."""
    if "build" not in package.scripts:
        return None
    folder, evidence = _written(package)
    warnings = ()
    if folder is None:
        folder = "dist"
        warnings = (
            N_("The output folder is not known; dist is assumed. Set the output directory."),
        )
    plan = Plan(
        framework="node-build",
        label=N_("Static (build script)"),
        kind="static",
        build_command=package.manager.run("build"),
        output_directory=folder,
        framework_caches=("node_modules/.cache",),
        evidence=(N_("package.json: a `build` script"), *evidence),
        warnings=warnings,
    )
    return node_plan(package, plan)


def _written(package: Package) -> tuple[str | None, tuple[str, ...]]:
    """A known output folder that a command, or a script file that it runs, names as a path."""
    source = package.source
    for words in reversed(commands(package.scripts, "build")):
        parts = [part for word in words[1:] for part in re.split(r"[=:]", word)]
        for part in reversed(parts):
            folder = part.removeprefix("./").partition("/")[0]
            if folder in _OUTPUTS:
                return folder, (N_("the `build` script names {folder}").format(folder=part[:80]),)
        for word in words[1:]:
            code = source.code(word) if source.has(word) else None
            for token in tokenize(code) if code else ():
                folder = token.text.removeprefix("./").partition("/")[0]
                if token.kind == "string" and folder in _OUTPUTS:
                    return folder, (
                        N_("{file}, which `build` runs, names {folder}").format(
                            file=word, folder=token.text[:80]
                        ),
                    )
    if source.has("index.html"):
        return ".", (N_("index.html lies in the root directory"),)
    return None, ()
