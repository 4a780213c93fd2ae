"""Which versions a project pins, and whether what is installed satisfies them."""

import re
from typing import cast

from windlass.builds.detect.pins import Pin, pins
from windlass.builds.detect.source import Source
from windlass.builds.detect.toolchains import TOOLCHAINS
from windlass.builds.plan import Installed, Runtime
from windlass.core.languages import N_

_MOST_PINS = 4
_COMPARISON = re.compile(r"(===?|!=|~=|>=|<=|>|<|\^|~|=)?\s*v?(\d+(?:\.(?:\d+|[xX*]))*)", re.ASCII)


def version_notes(
    source: Source, installed: Installed, runtime: str, chosen: str | None
) -> tuple[list[str], list[str]]:
    """What the pins ask for: evidence where the installed version satisfies it, else a warning.

    The strongest pin is measured; others that this version does not satisfy are said too.
    """
    name, version = _installed(installed, runtime)
    if not version:
        return [], []
    wanted = pins(source, runtime)
    if runtime == "node" and chosen:
        wanted = [Pin(N_("The project’s setting"), chosen)]
    evidence, warnings = list[str](), list[str]()
    for pin in wanted[:_MOST_PINS]:
        if allows(pin.wanted, version):
            kind, message = evidence, N_("{place} asks for {wanted}: {version} is used")
        else:
            kind, message = warnings, N_("{place} asks for {wanted}; builds here use {version}.")
        wanted_name = f"{name} {pin.wanted[:60]}"
        kind.append(message.format(place=pin.place, wanted=wanted_name, version=version))
    return evidence[:1] if not warnings else [], warnings


def _installed(installed: Installed, runtime: str) -> tuple[str, str | None]:
    """How messages call the runtime, and the version that is here."""
    if runtime == "python":
        return "Python", installed.python
    if runtime == "node":
        return "Node.js", installed.node
    known = TOOLCHAINS.get(cast(Runtime, runtime))
    return (known.title, installed.tools.get(known.programs[0])) if known else ("", None)


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
