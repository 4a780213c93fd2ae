"""Whatever is declared is also listed: a route, a page, a job, a loop, a table."""

import importlib
from types import ModuleType

import pytest
from docs import generate
from litestar.handlers import HTTPRouteHandler

import windlass.worker
from windlass.auth.deps import handlers_of
from windlass.core import loop, queue
from windlass.core.errors import CODES, AppError

_SOURCE = generate.ROOT / "src" / "windlass"


def _modules(name: str) -> list[ModuleType]:
    found = sorted(_SOURCE.glob(f"*/{name}.py"))
    return [importlib.import_module(f"windlass.{path.parent.name}.{name}") for path in found]


@pytest.mark.parametrize("kind", ["routes", "pages"])
def test_every_handler_is_served(kind: str) -> None:
    served = {handler.fn for _, handler in handlers_of(generate.application())}
    declared = {
        f"{module.__name__}.{name}": handler.fn
        for module in _modules(kind)
        for name, handler in vars(module).items()
        if isinstance(handler, HTTPRouteHandler)
    }

    assert declared
    assert [name for name, function in declared.items() if function not in served] == []


@pytest.mark.parametrize("kind", ["jobs", "reconcile"])
def test_the_worker_lists_every_module_of_jobs_and_loops(kind: str) -> None:
    listed = {module.__name__ for module in windlass.worker.MODULES}

    assert [module.__name__ for module in _modules(kind) if module.__name__ not in listed] == []


def test_jobs_and_loops_are_declared_where_they_are_looked_for() -> None:
    steps = [found.step for found in loop.LOOPS]
    handlers = [found.handle for found in (*queue.SUBSCRIBERS, *queue.CLOCKS)]

    assert {step.__module__.rsplit(".", 1)[1] for step in steps} == {"reconcile"}
    assert {handle.__module__.rsplit(".", 1)[1] for handle in handlers} == {"jobs"}


def test_alembic_knows_every_area_that_has_tables() -> None:
    environment = (generate.ROOT / "migrations" / "env.py").read_text()
    areas = [path.parent.name for path in _SOURCE.glob("*/models.py")]

    assert [area for area in areas if f"windlass.{area}.models" not in environment] == []


def test_only_the_error_list_of_the_core_gives_a_status() -> None:
    """An area's error takes code and status from its parent (one list of codes)."""
    for path in _SOURCE.rglob("*.py"):
        module = ".".join(path.relative_to(_SOURCE.parent).with_suffix("").parts)
        if path.name == "errors.py":
            importlib.import_module(module)
    found = {(error.code, error.status) for error in _subclasses(AppError)}

    assert found == {(code, kind.status) for code, kind in CODES.items()}


def _subclasses(parent: type[AppError]) -> set[type[AppError]]:
    children = set(parent.__subclasses__())
    return children.union(*(_subclasses(child) for child in children))
