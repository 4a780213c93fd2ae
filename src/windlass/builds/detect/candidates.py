"""Which detectors there are, and in which order they are believed."""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from windlass.builds.detect.angular import angular
from windlass.builds.detect.compiled import go, rust
from windlass.builds.detect.django import django
from windlass.builds.detect.documents import mkdocs, pelican, sphinx
from windlass.builds.detect.elsewhere import elsewhere
from windlass.builds.detect.generators import deno, hugo, jekyll, zola
from windlass.builds.detect.javascript_apps import ANSWERING, built, node
from windlass.builds.detect.machines import dotnet, elixir, java, phoenix
from windlass.builds.detect.node import SERVERS, server
from windlass.builds.detect.nx import nx
from windlass.builds.detect.packages import Package
from windlass.builds.detect.python import python_server
from windlass.builds.detect.python_apps import APPS, python_app
from windlass.builds.detect.requirements import Requirements
from windlass.builds.detect.ruby_php import laravel, php, rack, rails
from windlass.builds.detect.sites import TOOLS
from windlass.builds.detect.source import Source
from windlass.builds.detect.static import static
from windlass.builds.detect.syntax import CLASSES
from windlass.builds.plan import Installed, Plan
from windlass.core.errors import AppError, invalid
from windlass.core.languages import N_

Detector = Callable[[], Plan | None]

_UNKNOWN = Installed()
# Frameworks of further languages that bring a package.json along: asked before it.
_NAMED: dict[str, Callable[[Source, Installed], Plan | None]] = {
    "rails": rails,
    "laravel": laravel,
    "phoenix": phoenix,
}
LANGUAGES: dict[str, Callable[[Source, Installed], Plan | None]] = {
    "hugo": hugo,
    "zola": zola,
    "jekyll": jekyll,
    "go": go,
    "rust": rust,
    "rack": rack,
    "php": php,
    "java": java,
    "dotnet": dotnet,
    "elixir": elixir,
    "deno": deno,
}
_PYTHON = frozenset({"asgi", "wsgi", *(framework for framework, _, _ in CLASSES.values())})
_OWN_SERVER = frozenset(app.framework for app in APPS)
_DOCUMENTS: dict[str, Callable[[Source, Requirements], Plan | None]] = {
    "mkdocs": mkdocs,
    "sphinx": sphinx,
    "pelican": pelican,
}
_ANY_SCRIPT = frozenset(["node", "node-build"])
_OF_PYTHON = frozenset(["django", "python", "python-app", "python-plain"])
_NODE_SERVERS = frozenset(["node", *(framework for framework, _ in SERVERS.values())])
_TOOLS = frozenset(tool.framework for tool in TOOLS)
FRAMEWORKS = tuple(
    sorted(
        {*ANSWERING, *_PYTHON, *_NODE_SERVERS, *_TOOLS}
        | {
            *_NAMED,
            *LANGUAGES,
            *_OWN_SERVER,
            *_DOCUMENTS,
            "angular",
            "node-build",
            "static",
            "custom",
            "dockerfile",
        }
    )
)
"""What a user may choose instead of detection."""


def best(source: Source, wanted: str | None, installed: Installed = _UNKNOWN) -> Plan | None:
    """The plan of the first detector that recognises the source, or of the framework `wanted`."""
    if wanted and wanted not in FRAMEWORKS:
        raise invalid(
            "framework",
            N_("There is no such framework. Known: {frameworks}.").format(
                frameworks=", ".join(FRAMEWORKS)
            ),
        )
    if wanted in ("custom", "dockerfile"):
        return None
    detectors = _chosen(source, wanted, installed) if wanted else _all(source, installed)
    for name, detect in detectors:
        plan = detect()
        if plan:
            return _with_others(plan, name, detectors)
    if wanted:
        raise invalid(
            "framework",
            N_("Nothing in the source says how to build it with {wanted}.").format(wanted=wanted),
        )
    return None


def _all(source: Source, installed: Installed) -> list[tuple[str, Detector]]:
    """Frameworks that name themselves come first, what could be anything comes last."""
    requirements = Requirements(source)
    found: list[tuple[str, Detector]] = []
    package = Package(source) if source.has("package.json") else None
    if package:
        found += [(name, _of(package, name)) for name in ANSWERING]
    found += [(name, _in(source, installed, name)) for name in _NAMED]
    found.append(("nx", lambda: nx(source)))
    found.append(("django", lambda: django(source, requirements)))
    found.append(("python", lambda: python_server(source, requirements, None)))
    found.append(("python-app", lambda: python_app(source, requirements, None)))
    if package:
        found.append(("node", lambda: node(package)))
    found.append(("mkdocs", lambda: mkdocs(source, requirements)))
    found.append(("sphinx", lambda: sphinx(source, requirements)))
    found.append(("pelican", lambda: pelican(source, requirements)))
    found += [(name, _in(source, installed, name)) for name in LANGUAGES]
    if not source.has("index.html"):
        found.append(("python-plain", lambda: python_app(source, requirements, "python")))
    if package:
        found.append(("node-build", lambda: built(package)))
    if not _is_another_language(source):
        found.append(("static", lambda: static(source)))
    return found


def _chosen(source: Source, wanted: str, installed: Installed) -> list[tuple[str, Detector]]:
    requirements = Requirements(source)
    if wanted == "django":
        return [(wanted, lambda: django(source, requirements))]
    if wanted in _PYTHON:
        return [(wanted, lambda: python_server(source, requirements, wanted))]
    if wanted in _OWN_SERVER:
        return [(wanted, lambda: python_app(source, requirements, wanted))]
    if wanted in _DOCUMENTS:
        return [(wanted, lambda: _DOCUMENTS[wanted](source, requirements))]
    if wanted == "static":
        return [(wanted, lambda: static(source))]
    if wanted == "nx":
        return [(wanted, lambda: nx(source))]
    if wanted in _NAMED or wanted in LANGUAGES:
        return [(wanted, _in(source, installed, wanted))]
    if not source.has("package.json"):
        return []
    package = Package(source)
    if wanted in ANSWERING:
        return [(wanted, _of(package, wanted))]
    if wanted in _NODE_SERVERS:
        return [(wanted, lambda: server(package))]
    if wanted == "angular":
        return [(wanted, lambda: angular(package))]
    if wanted == "node-build":
        return [(wanted, lambda: built(package))]
    return [(wanted, lambda: node(package, wanted))]


def _in(source: Source, installed: Installed, name: str) -> Detector:
    return lambda: {**_NAMED, **LANGUAGES}[name](source, installed)


def _of(package: Package, framework: str) -> Detector:
    return lambda: ANSWERING[framework](package)


def _is_another_language(source: Source) -> bool:
    """A page in a Go or PHP program is not the site: it needs that program."""
    found = elsewhere(source)
    return found is not None and found[0].endswith(("program", "site", "package"))


def _with_others(plan: Plan, name: str, detectors: list[tuple[str, Detector]]) -> Plan:
    """Say what else it could have been, so that a wrong choice is seen before the first build."""
    others = list(_others(name, detectors))
    if not others:
        return plan
    note = N_("It could also be {others}: choose with `framework`.").format(
        others=" / ".join(others)
    )
    return replace(plan, evidence=(*plan.evidence, note))


def _others(name: str, detectors: list[tuple[str, Detector]]) -> Iterator[str]:
    names = [each for each, _ in detectors]
    for other, detect in detectors[names.index(name) + 1 :]:
        if other == "static" or (name in _OF_PYTHON and other in _OF_PYTHON):
            continue
        if other in _ANY_SCRIPT and (name in ANSWERING or name in _ANY_SCRIPT or name == "nx"):
            continue
        try:
            plan = detect()
        except AppError:
            continue
        if plan:
            yield plan.label
