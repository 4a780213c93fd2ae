"""Found by every Python process of an instance that a test wants to kill (PYTHONPATH).

Where one of the named functions begins or ends, the file of the point's number in KILL_FOLDER is
taken away and the process dies by SIGKILL, as by a power cut: nothing of it is tidied up.
"""

import functools
import importlib.machinery
import inspect
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from points import POINTS, Point  # pyright: ignore[reportMissingImports] — it lies beside this

FOLDER = Path(os.environ.get("KILL_FOLDER", "/nowhere"))


def die(point: Point) -> None:
    """Once for each time that the point was asked for."""
    try:
        (FOLDER / str(POINTS.index(point))).unlink()
    except FileNotFoundError:
        return
    if point.victim == "database":
        home = Path(os.environ["WINDLASS_HOME"])
        os.kill(int((home / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    elif point.victim == "supervisor":
        os.kill(os.getppid(), signal.SIGKILL)
    else:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # a thread may run on for a moment


def around(found: Callable[..., Any], point: Point) -> Callable[..., Any]:
    """The function, with an end at its beginning or behind it."""
    is_before = point.when == "before"
    if inspect.iscoroutinefunction(found):

        @functools.wraps(found)
        async def later(*given: Any, **named: Any) -> Any:
            if is_before:
                die(point)
            result = await found(*given, **named)
            if not is_before:
                die(point)
            return result

        return later

    @functools.wraps(found)
    def now(*given: Any, **named: Any) -> Any:
        if is_before:
            die(point)
        result = found(*given, **named)
        if not is_before:
            die(point)
        return result

    return now


def mark(module: ModuleType) -> None:
    """Put the points of this module into it."""
    for point in POINTS:
        name, _, path = point.place.partition(":")
        if name != module.__name__ or f"windlass.{point.part}" not in sys.orig_argv:
            continue
        *outer, last = path.split(".")
        holder: Any = module
        for each in outer:
            holder = getattr(holder, each)
        setattr(holder, last, around(getattr(holder, last), point))


class Marking:
    """Finds modules as ever, and marks those with points when they are loaded."""

    wanted = frozenset(point.place.partition(":")[0] for point in POINTS)

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in cls.wanted:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_mark(module: ModuleType) -> None:
            load(module)
            mark(module)

        spec.loader.exec_module = load_and_mark
        return spec


if "KILL_FOLDER" in os.environ:
    sys.meta_path.insert(0, Marking)
