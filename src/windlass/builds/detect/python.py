"""Python web servers: which object is the application, and which program serves it."""

import ast
import shlex

from msgspec.structs import replace

from windlass.builds.detect.requirements import PYTHON_ENV, Requirements
from windlass.builds.detect.source import Source
from windlass.builds.detect.syntax import PACKAGES, Found, Module, Modules
from windlass.builds.paths import join
from windlass.builds.plan import Plan
from windlass.core.languages import N_

_STEMS = ("main", "app", "wsgi", "asgi", "application", "server", "api", "web", "index", "__init__")
_NAMES = ("app", "application", "api", "server", "asgi", "wsgi", "create_app", "make_app")
_ELSEWHERE = frozenset(
    [
        *("tests", "test", "testing", "docs", "doc", "examples", "example", "samples", "demo"),
        *("migrations", "benchmarks", "benchmark", "scripts", "build", "dist", "templates"),
    ]
)
_OWN_SERVERS = ("streamlit", "gradio", "nicegui", "aiohttp", "tornado", "serve_forever")
_MOST_FILES = 100
# The first that the project depends on serves; the last is added when it has none.
_SERVERS = {
    "asgi": ("uvicorn", "granian", "hypercorn", "daphne"),
    "wsgi": ("gunicorn", "granian", "waitress"),
}
# FastHTML writes this file when it starts; a release is read-only, so it has to be there.
_FASTHTML_KEY = ".sesskey"
_DISTRIBUTIONS = {"fasthtml": "python-fasthtml"}
_ADDED = {"asgi": "uvicorn~=0.30", "wsgi": "gunicorn~=23.0"}


def python_server(source: Source, requirements: Requirements, wanted: str | None) -> Plan | None:
    """A Flask, FastAPI, … application of the project; Django has its own file."""
    found = [each for each in applications(source) if wanted in (None, each.framework)]
    if not found:
        return None
    chosen, others = found[0], found[1:4]
    message = (
        N_("{file}: {label} factory `{name}`")
        if chosen.factory
        else N_("{file}: {label} object `{name}`")
    )
    file = source.named(chosen.path)
    evidence = [message.format(file=file, label=chosen.label, name=chosen.name)]
    if others:
        rest = ", ".join(f"{each.path}:{each.name}" for each in others)
        evidence.append(
            N_("also found: {others} (a start command chooses another)").format(others=rest)
        )
    base, module = _place(source, chosen)
    build, warnings = None, ()
    if chosen.framework == "fasthtml" and not source.has(_FASTHTML_KEY):
        build = f"cat /proc/sys/kernel/random/uuid > {_FASTHTML_KEY}"
        warnings = (
            N_(
                "Each build makes a new key for FastHTML’s sessions:"
                " give `secret_key` to keep them."
            ),
        )
    return server_plan(
        source,
        requirements,
        chosen,
        target=f"{module}:{chosen.name}",
        base=base,
        evidence=evidence,
        build=build,
        warnings=warnings,
    )


def applications(source: Source) -> list[Found]:
    """All applications, the likeliest first; the order depends on the files alone."""
    modules = Modules(source)
    found = [each for path in candidates(source) for each in modules.applications(path)]
    return sorted(found, key=_rank)


def server_plan(
    source: Source,
    requirements: Requirements,
    found: Found,
    *,
    target: str,
    base: str,
    evidence: list[str],
    build: str | None = None,
    env: dict[str, str] | None = None,
    warnings: tuple[str, ...] = (),
) -> Plan:
    """The plan that serves `target` (`module:name`), importable from the folder `base`."""
    listed = requirements.listed
    evidence, also = list(evidence), list[str]()
    package = _DISTRIBUTIONS.get(found.framework, found.framework)
    if package in listed:
        evidence.append(
            N_("{file}: depends on {name}").format(
                file=source.named(listed[package].place), name=package
            )
        )
    elif not requirements.exist and found.framework in PACKAGES:
        also.append(package)
        warnings += (
            N_("No list of dependencies: only {package} and a server are installed.").format(
                package=package
            ),
        )
    program = next((name for name in _SERVERS[found.protocol] if name in listed), None)
    if program:
        evidence.append(
            N_("{file}: served by {program}").format(
                file=source.named(listed[program].place), program=program
            )
        )
    else:
        added = _ADDED[found.protocol]
        program = added.partition("~")[0]
        also.append(added)
        evidence.append(
            N_("no {protocol} server listed: {added} is installed beside").format(
                protocol=found.protocol.upper(), added=added
            )
        )
    environment = {**PYTHON_ENV, **(env or {})}
    if base != ".":
        environment["PYTHONPATH"] = f"/app/{join(source.root, base)}"
    return python_plan(
        source,
        requirements,
        Plan(
            framework=found.framework,
            label=found.label,
            kind="server",
            install_command=requirements.install(also=tuple(also)),
            build_command=build,
            start_command=f".venv/bin/{_serve(program, found, target)}",
            env=environment,
            evidence=tuple(evidence),
            warnings=warnings,
        ),
    )


def python_plan(source: Source, requirements: Requirements, plan: Plan) -> Plan:
    """What all Python plans have in common."""
    manager, lock_file = requirements.manager, requirements.lock_file
    evidence = (
        (N_("{file}: installed with {manager}").format(file=lock_file, manager=manager),)
        if lock_file
        else ()
    )
    return replace(
        plan,
        root_directory=source.root,
        runtime="python",
        package_manager=manager or "uv",
        lock_file=lock_file,
        cache_directories=(join(source.root, ".venv"),),
        path=(join(source.root, ".venv/bin"),),
        env={**PYTHON_ENV, **plan.env},
        evidence=(*plan.evidence, *evidence),
    )


def _serve(program: str, found: Found, target: str) -> str:
    factory = found.factory
    match program:
        case "uvicorn":
            return f"uvicorn {target} --host 0.0.0.0 --port $PORT{' --factory' if factory else ''}"
        case "gunicorn":
            named = shlex.quote(f"{target}()") if factory else target
            return f"gunicorn {named} --bind 0.0.0.0:$PORT --threads 8 --access-logfile -"
        case "granian":
            interface = f"--interface {found.protocol}"
            end = " --factory" if factory else ""
            return f"granian {interface} --host 0.0.0.0 --port $PORT {target}{end}"
        case "hypercorn":
            named = shlex.quote(f"{target}()") if factory else target
            return f"hypercorn {named} --bind 0.0.0.0:$PORT"
        case "daphne":
            return f"daphne -b 0.0.0.0 -p $PORT {target}"
        case _:
            return f"waitress-serve --listen=0.0.0.0:$PORT {'--call ' if factory else ''}{target}"


def candidates(source: Source) -> list[str]:
    """Files that may hold an application. A file of an unusual name must mention a framework to
    be worth parsing; only its syntax tree counts as evidence."""
    paths = [path for path in source.files if path.endswith(".py") and _may_be(path)]
    found: list[str] = []
    for path in sorted(paths, key=lambda path: (path.count("/"), _stem_rank(path), path)):
        if _stem_rank(path) < len(_STEMS) or _mentions(source.code(path) or ""):
            found.append(path)
        if len(found) >= _MOST_FILES:
            break
    return found


def _may_be(path: str) -> bool:
    *folders, name = path.split("/")
    if len(folders) > 4 or _ELSEWHERE.intersection(folders):
        return False
    stem = name.removesuffix(".py")
    return (
        stem.isidentifier()
        and not stem.startswith("test_")
        and not stem.endswith("_test")
        and stem not in ("conftest", "setup", "noxfile", "manage")
    )


def _mentions(code: str) -> bool:
    return any(name in code for name in (*PACKAGES, *_OWN_SERVERS, "start_response", "receive"))


def _stem_rank(path: str) -> int:
    stem = path.rpartition("/")[2].removesuffix(".py")
    return _STEMS.index(stem) if stem in _STEMS else len(_STEMS)


def _rank(found: Found) -> tuple[bool, int, int, int, str, str]:
    depth = found.path.removeprefix("src/").count("/")
    name = _NAMES.index(found.name) if found.name in _NAMES else len(_NAMES)
    return found.factory, depth, _stem_rank(found.path), name, found.path, found.name


def _place(source: Source, found: Found) -> tuple[str, str]:
    """The folder to import from, and the module's name from there.

    A file may be importable from several folders (`backend/app/main.py`). Its own imports decide:
    the folder below which most of them exist; then the folder above its packages.
    """
    *folders, name = found.path.removesuffix(".py").split("/")
    module = Modules(source).module(found.path)
    climbs = _climbs(module) if module else 0
    bases = [
        "/".join(folders[:depth]) or "."
        for depth in range(len(folders) + 1)
        if all(part.isidentifier() for part in folders[depth:])
        and len(folders) - depth >= climbs - (name == "__init__" and climbs > 0)
    ]
    packaged = len(folders)
    while packaged and source.has("/".join([*folders[:packaged], "__init__.py"])):
        packaged -= 1
    preferred = "/".join(folders[:packaged]) if packaged < len(folders) else ""
    if folders[:1] == ["src"] and not source.has("src/__init__.py"):
        preferred = "src"
    preferred = preferred or "."
    local = {origin.partition(".")[0] for origin in module.imports.values()} if module else set()

    def score(base: str) -> tuple[int, bool, int]:
        known = sum(
            source.has(join(base, f"{top}.py")) or source.has_folder(join(base, top))
            for top in local
            if top
        )
        return known, base == preferred, -base.count("/")

    base = max(bases, key=score, default=".")
    inner = found.path if base == "." else found.path[len(base) + 1 :]
    dotted = inner.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return base, dotted


def _climbs(module: Module) -> int:
    """How many folders up its relative imports reach: it must be inside that many packages."""
    levels = [node.level for node in module.body if isinstance(node, ast.ImportFrom)]
    return max(levels, default=0)
