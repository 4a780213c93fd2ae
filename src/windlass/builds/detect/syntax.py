"""Python files read by their syntax tree: which name in which module is a web application.

Nothing is imported or run. An application is a call of a framework's class, a function that returns
one, a name imported from a module of the project where one stands, or a function with the exact
signature of ASGI or WSGI.
"""

import ast
import warnings
from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import msgspec

from windlass.builds.detect.source import Source, bracket_depth

Protocol = Literal["asgi", "wsgi"]

CLASSES: dict[str, tuple[str, str, Protocol]] = {
    "fastapi.FastAPI": ("fastapi", "FastAPI", "asgi"),
    "litestar.Litestar": ("litestar", "Litestar", "asgi"),
    "starlette.applications.Starlette": ("starlette", "Starlette", "asgi"),
    "quart.Quart": ("quart", "Quart", "asgi"),
    "sanic.Sanic": ("sanic", "Sanic", "asgi"),
    "fasthtml.FastHTML": ("fasthtml", "FastHTML", "asgi"),
    "fasthtml.common.FastHTML": ("fasthtml", "FastHTML", "asgi"),
    "fasthtml.common.fast_app": ("fasthtml", "FastHTML", "asgi"),
    "fasthtml.fastapp.fast_app": ("fasthtml", "FastHTML", "asgi"),
    "blacksheep.Application": ("blacksheep", "BlackSheep", "asgi"),
    "falcon.asgi.App": ("falcon", "Falcon", "asgi"),
    "flask.Flask": ("flask", "Flask", "wsgi"),
    "bottle.Bottle": ("bottle", "Bottle", "wsgi"),
    "bottle.default_app": ("bottle", "Bottle", "wsgi"),
    "falcon.App": ("falcon", "Falcon", "wsgi"),
    "django.core.wsgi.get_wsgi_application": ("django", "Django", "wsgi"),
    "django.core.asgi.get_asgi_application": ("django", "Django", "asgi"),
}
PACKAGES = {
    name.partition(".")[0]: label for name, (_, label, _) in CLASSES.items() if name[0] != "_"
}
_SIGNATURES: dict[tuple[str, ...], tuple[str, str, Protocol]] = {
    ("scope", "receive", "send"): ("asgi", "ASGI application", "asgi"),
    ("environ", "start_response"): ("wsgi", "WSGI application", "wsgi"),
}
_DEEPEST_BRACKETS = 100


class Found(msgspec.Struct, frozen=True):
    """An application object: `name` in the file `path`; a factory must be called first."""

    path: str
    name: str
    framework: str
    label: str
    protocol: Protocol
    factory: bool = False


class Module:
    """One Python file: its imports and what its top level assigns and defines."""

    def __init__(self, path: str, tree: ast.Module) -> None:
        self.path = path
        self.body = list(_top_level(tree.body))

    @cached_property
    def imports(self) -> dict[str, str]:
        """Local name to dotted origin; relative imports are resolved against the file's place."""
        found: dict[str, str] = {}
        for node in self.body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name if alias.asname else alias.name.partition(".")[0]
                    found[alias.asname or top] = top
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{base}.{alias.name}".strip(".")
        return found

    @cached_property
    def functions(self) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return {node.name: node for node in self.body if isinstance(node, kinds)}

    def assignments(self) -> Iterator[tuple[str, ast.expr]]:
        yield from _assigned(self.body)

    def origin(self, node: ast.expr) -> str:
        """`flask.Flask` for whatever this file calls it."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute) and len(parts) < 12:
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        name = self.imports.get(node.id) or self._of_star(node.id) or node.id
        return ".".join([name, *reversed(parts)])

    def _of_star(self, name: str) -> str | None:
        """`from fasthtml.common import *`: a class that we know under one of these modules."""
        homes = [
            self._base(node)
            for node in self.body
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
        ]
        return next((f"{home}.{name}" for home in homes if f"{home}.{name}" in CLASSES), None)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        folders = self.path.split("/")[: -node.level]
        return ".".join([*folders, *([node.module] if node.module else [])])


class Modules:
    """The Python files of a source, parsed once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._parsed: dict[str, Module | None] = {}

    def module(self, path: str) -> Module | None:
        """None when the file is no Python that this interpreter understands."""
        if path not in self._parsed:
            code = self._source.code(path)
            tree = parse(code) if code is not None else None
            self._parsed[path] = Module(path, tree) if tree else None
        return self._parsed[path]

    def applications(self, path: str) -> list[Found]:
        """In the order of the file; factories last."""
        module = self.module(path)
        if module is None:
            return []
        found = [*self._instances(module), *self._imported(module), *_callables(module)]
        for name, function in module.functions.items():
            known = self._returned(module, function, 0)
            if known and _needs_nothing(function):
                found.append(Found(path, name, *known, factory=True))
        return found

    def _instances(self, module: Module) -> Iterator[Found]:
        for name, value in module.assignments():
            known = self._made(module, value, 0)
            if known:
                yield Found(module.path, name, *known)

    def _imported(self, module: Module) -> Iterator[Found]:
        """`from .app import app`: it stands here too (`wsgi.py` is often just that)."""
        for name, origin in module.imports.items():
            home, _, original = origin.rpartition(".")
            other = self._of_name(home)
            if other is None or other is module:
                continue
            for theirs, value in other.assignments():
                known = self._made(other, value, 0) if theirs == original else None
                if known:
                    yield Found(module.path, name, *known)

    def _made(
        self, module: Module, value: ast.expr, depth: int
    ) -> tuple[str, str, Protocol] | None:
        """What a call makes, through functions of the project that return it."""
        if not isinstance(value, ast.Call) or depth > 5:
            return None
        origin = module.origin(value.func)
        if origin in CLASSES:
            return CLASSES[origin]
        if origin in module.functions:
            return self._returned(module, module.functions[origin], depth + 1)
        home, _, name = origin.rpartition(".")
        other = self._of_name(home)
        if other and name in other.functions:
            return self._returned(other, other.functions[name], depth + 1)
        # A wrapper around an application (`WhiteNoise(app)`, `socketio.ASGIApp(sio, app)`) is none
        # that we know; the inner one is found by its own name.
        return None

    def _returned(
        self, module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef, depth: int
    ) -> tuple[str, str, Protocol] | None:
        if isinstance(function, ast.AsyncFunctionDef) or depth > 5:
            return None
        body = list(_top_level(function.body))
        local = dict(_assigned(body))
        for node in body:
            if not isinstance(node, ast.Return) or node.value is None:
                continue
            value = (
                local.get(node.value.id, node.value) if isinstance(node.value, ast.Name) else None
            )
            known = self._made(module, value or node.value, depth + 1)
            if known:
                return known
        return None

    def _of_name(self, dotted: str) -> Module | None:
        """The project's own module of that name, at the top or below `src`."""
        if not dotted:
            return None
        path = dotted.replace(".", "/")
        found = self._source.first(
            f"{path}.py", f"{path}/__init__.py", f"src/{path}.py", f"src/{path}/__init__.py"
        )
        return self.module(found) if found else None


def parse(code: str) -> ast.Module | None:
    """A syntax tree; None for what is no Python, or nests so deep that parsing is a risk."""
    if bracket_depth(code) > _DEEPEST_BRACKETS:
        return None
    try:
        with warnings.catch_warnings():
            # Invalid escapes in other people's files are no news.
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def literal(node: ast.expr | None) -> object:
    """A string, number, list or tuple of such; None when it is computed."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [literal(item) for item in node.elts]
    return None


def _top_level(body: list[ast.stmt], depth: int = 0) -> Iterator[ast.stmt]:
    """Statements, with those in `if`, `try` and `with`; not in functions and classes."""
    for node in body:
        yield node
        if depth > 20:
            continue
        if isinstance(node, ast.If):
            if not _is_main_guard(node):
                yield from _top_level([*node.body, *node.orelse], depth + 1)
        elif isinstance(node, ast.Try):
            handlers = [line for handler in node.handlers for line in handler.body]
            inner = [*node.body, *handlers, *node.orelse, *node.finalbody]
            yield from _top_level(inner, depth + 1)
        elif isinstance(node, ast.With):
            yield from _top_level(node.body, depth + 1)


def _is_main_guard(node: ast.If) -> bool:
    test = node.test
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
    )


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.Assign):
            yield from (
                (each.id, node.value) for each in node.targets if isinstance(each, ast.Name)
            )
            # `app, route = fast_app()`: the first of what it returns is the application.
            yield from (
                (each.elts[0].id, node.value)
                for each in node.targets
                if isinstance(each, ast.Tuple) and isinstance(each.elts[0], ast.Name)
            )
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def _callables(module: Module) -> Iterator[Found]:
    """`async def app(scope, receive, send)` and `def application(environ, start_response)`."""
    for name, function in module.functions.items():
        known = _SIGNATURES.get(tuple(each.arg for each in function.args.args))
        if known and isinstance(function, ast.AsyncFunctionDef) == (known[2] == "asgi"):
            yield Found(module.path, name, *known)


def _needs_nothing(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    keywords = all(default is not None for default in arguments.kw_defaults)
    return positional <= len(arguments.defaults) and keywords
