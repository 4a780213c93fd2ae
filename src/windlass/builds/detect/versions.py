"""Which versions a project pins, and whether what is installed satisfies them."""

import re

from windlass.builds.detect.requirements import python_pin
from windlass.builds.detect.source import Source, table, text
from windlass.builds.plan import Installed

_COMPARISON = re.compile(r"(===?|!=|~=|>=|<=|>|<|\^|~|=)?\s*v?(\d+(?:\.(?:\d+|[xX*]))*)", re.ASCII)


def version_warnings(
    source: Source, installed: Installed, runtime: str, chosen: str | None
) -> list[str]:
    """A pin that the installed version does not satisfy, in words."""
    if runtime == "python" and installed.python:
        pyproject = source.toml("pyproject.toml") if source.has("pyproject.toml") else {}
        return _warning("Python", installed.python, python_pin(source, pyproject))
    if runtime == "node" and installed.node:
        pin = ("The project’s setting", chosen) if chosen else _node_pin(source)
        return _warning("Node.js", installed.node, pin)
    return []


def allows(wanted: str, version: str) -> bool:
    """Whether a range (`>=18 <21`, `^20.1`, `18 || 20`, `>=3.11,<3.13`, `3.12`) holds a version.

    A range that it does not understand counts as satisfied: a warning must be right.
    """
    have = _numbers(version)
    for alternative in wanted.split("||"):
        spread = re.fullmatch(r"\s*v?([\d.]+)\s+-\s+v?([\d.]+)\s*", alternative, re.ASCII)
        if spread:
            alternative = f">={spread[1]} <={spread[2]}"
        pairs = _COMPARISON.findall(alternative)
        if all(_holds(operator, wish, have) for operator, wish in pairs):
            return True
    return False


def _warning(name: str, version: str, pin: tuple[str, str] | None) -> list[str]:
    if pin is None or allows(pin[1], version):
        return []
    return [f"{pin[0]} asks for {name} {pin[1][:60]}; builds here use {version}."]


def _node_pin(source: Source) -> tuple[str, str] | None:
    for path in (".nvmrc", ".node-version"):
        if source.has(path):
            lines = (source.code(path) or "").split()
            return (path, lines[0]) if lines and re.match(r"v?\d", lines[0]) else None
    if not source.has("package.json"):
        return None
    wanted = text(table(source.json("package.json").get("engines")).get("node"))
    return ("package.json (engines)", wanted) if wanted else None


def _holds(operator: str, wish: str, have: tuple[int, ...]) -> bool:
    want = _numbers(wish)
    size = len(want)
    short = (*have, 0, 0, 0)[: max(size, 1)]
    match operator:
        case ">=":
            return short >= want
        case ">":
            return short > want
        case "<=":
            return short <= want
        case "<":
            return short < want
        case "!=":
            return short != want
        case "^":
            return have[:1] == want[:1] and short >= want
        case "~" | "~=":
            keep = max(1, size - 1) if operator == "~=" else min(2, size)
            return have[:keep] == want[:keep] and short >= want
        case _:
            # A full version pins a patch release; only major and minor are worth a warning.
            return have[: min(size, 2)] == want[:2]


def _numbers(version: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in version.lstrip("v").split("."):
        if not part.isdecimal() or len(part) > 6:
            break
        found.append(int(part))
    return tuple(found)
