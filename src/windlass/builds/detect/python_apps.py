"""Python programs that bring their own server: Streamlit, Gradio, NiceGUI, and plain ones.

A program counts when its syntax tree calls what starts the server; a word in a text decides
nothing. A port that is written down is the one that the program is asked on.
"""

import ast
import shlex

import msgspec

from windlass.builds.detect.python import candidates, python_plan
from windlass.builds.detect.requirements import Requirements
from windlass.builds.detect.source import Source
from windlass.builds.detect.syntax import Module, Modules, literal, parse
from windlass.builds.plan import Plan
from windlass.core.languages import N_

_FIRST = ("streamlit_app", "main", "app", "server", "demo", "web", "index", "run", "home")
_MOST_FILES = 60


class App(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of program: what it imports, the call that starts it, and how it is started."""

    framework: str
    label: str
    module: str
    """The top name of its imports; empty for the standard library's."""
    calls: tuple[str, ...] = ()
    """Methods that start the server; none: importing the module is enough."""
    ports: tuple[str, ...] = ()
    """Names of the argument that holds the port."""
    port: int = 3000
    """Where it listens when nothing is written down."""
    start: str = ".venv/bin/python {file}"
    env: dict[str, str] = {}


APPS = (
    App(
        framework="streamlit",
        label="Streamlit",
        module="streamlit",
        start=".venv/bin/streamlit run {file} --server.port $PORT --server.address 0.0.0.0",
        env={"STREAMLIT_SERVER_HEADLESS": "true", "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"},
    ),
    App(
        framework="gradio",
        label="Gradio",
        module="gradio",
        calls=("launch",),
        ports=("server_port",),
        start='env GRADIO_SERVER_PORT="$PORT" .venv/bin/python {file}',
        env={
            "GRADIO_SERVER_NAME": "0.0.0.0",  # noqa: S104 - own namespace
            "GRADIO_ANALYTICS_ENABLED": "False",
            "GRADIO_TEMP_DIR": "/tmp/gradio",  # noqa: S108 - the sandbox's own /tmp
        },
    ),
    App(
        framework="nicegui",
        label="NiceGUI",
        module="nicegui",
        calls=("run",),
        ports=("port",),
        port=8080,
        env={"NICEGUI_STORAGE_PATH": "/tmp/nicegui"},  # noqa: S108 - the sandbox's own /tmp
    ),
    App(
        framework="aiohttp",
        label="aiohttp",
        module="aiohttp",
        calls=("run_app",),
        ports=("port",),
        port=8080,
    ),
    App(framework="tornado", label="Tornado", module="tornado", calls=("listen",), ports=("port",)),
    App(framework="python", label="Python", module="", calls=("serve_forever",)),
)
_STANDARD = frozenset(["http", "socketserver", "wsgiref", "xmlrpc"])


def python_app(source: Source, requirements: Requirements, wanted: str | None) -> Plan | None:
    """`wanted` is one framework; a plain program is only found when it is asked for: a site may
    hold a small server for whoever writes it."""
    modules = Modules(source)
    paths = sorted(candidates(source)[:_MOST_FILES], key=_rank)
    for app in APPS:
        if wanted != app.framework and (wanted or app.framework == "python"):
            continue
        for path in paths:
            module = modules.module(path)
            tree = parse(source.code(path) or "") if module and _imports(module, app) else None
            call = _starting(tree, app) if tree else None
            if tree is not None and (call or not app.calls):
                return _plan(source, requirements, app, path, tree, call)
    return None


def _plan(
    source: Source,
    requirements: Requirements,
    app: App,
    path: str,
    tree: ast.Module,
    call: ast.Call | None,
) -> Plan:
    port, written = _port(tree, call, app)
    message = N_("{file}: calls {name}") if call else N_("{file}: a page of {label}")
    file = source.named(path)
    evidence = [message.format(file=file, name=app.calls[0] if call else "", label=app.label)]
    if written:
        evidence.append(
            N_("{file}: listens on port {port}, whatever PORT says").format(
                file=source.named(path), port=port
            )
        )
    missing = (app.module,) if app.module and app.module not in requirements.listed else ()
    if missing:
        evidence.append(N_("not listed, installed beside: {names}").format(names=app.module))
    needed = requirements.exist or missing
    start = app.start.format(file=shlex.quote(path))
    plan = Plan(
        framework=app.framework,
        label=app.label,
        kind="server",
        install_command=requirements.install(also=missing) if needed else None,
        start_command=start if needed else start.replace(".venv/bin/python", "python3"),
        port=port,
        env=app.env,
        evidence=tuple(evidence),
    )
    return python_plan(source, requirements, plan)


def _imports(module: Module, app: App) -> bool:
    tops = {origin.partition(".")[0] for origin in module.imports.values()}
    return bool(tops & (_STANDARD if not app.module else {app.module}))


def _starting(tree: ast.Module, app: App) -> ast.Call | None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else None
            name = function.id if isinstance(function, ast.Name) else name
            if name in app.calls:
                return node
    return None


def _port(tree: ast.Module, call: ast.Call | None, app: App) -> tuple[int, bool]:
    """The number that is written at the call, or in the address of the server that it starts."""
    given: list[ast.expr] = []
    for keyword in call.keywords if call else ():
        if keyword.arg in app.ports:
            given.append(keyword.value)
    if call and app.framework == "tornado":
        given += call.args[:1]
    if app.framework == "python":
        for node in ast.walk(tree):
            if isinstance(node, ast.Tuple) and len(node.elts) == 2:
                given += node.elts[1:] if isinstance(literal(node.elts[0]), str) else []
    for expression in given:
        value = literal(expression)
        if isinstance(value, int) and 1023 < value < 65536:
            return value, True
    # A port that is computed is PORT, or the program says that it cannot be reached.
    return (3000 if given else app.port), False


def _rank(path: str) -> tuple[int, int, str]:
    stem = path.rpartition("/")[2].removesuffix(".py").lower()
    return path.count("/"), _FIRST.index(stem) if stem in _FIRST else len(_FIRST), path
