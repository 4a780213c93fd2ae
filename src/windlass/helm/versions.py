"""Versions and ranges of versions as Helm understands them: `^1.2`, `~2.3.0`, `>=1 <3`, `1.x`."""

import re
from functools import total_ordering
from typing import NamedTuple

from windlass.helm.errors import HelmFailed

_VERSION = re.compile(
    r"v?(\d{1,18})(?:\.(\d{1,18}))?(?:\.(\d{1,18}))?(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?"
)
_PART = r"(?:\d{1,18}|[xX*])"
_TERM = re.compile(
    rf"\s*(=|==|!=|>|<|>=|=>|<=|=<|~|~>|\^)?\s*(v?{_PART}(?:\.{_PART}){{0,2}}"
    rf"(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)\s*(?:,|\s|$)"
)
_HYPHEN = re.compile(r"\s*(\S+)\s+-\s+(\S+)\s*")


@total_ordering
class Version:
    """One version, in the order of Semantic Versioning 2."""

    __slots__ = ("_key", "pre", "text")

    def __init__(self, text: str, numbers: tuple[int, int, int], pre: str) -> None:
        self.text = text
        self.pre = pre
        parts = tuple(
            (0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")
        )
        # A release comes after its candidates.
        self._key = (numbers, (1,) if not pre else (0, *parts))

    @property
    def numbers(self) -> tuple[int, int, int]:
        return self._key[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: "Version") -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)


def parse(text: str) -> Version | None:
    """None for what is no version."""
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        return None
    numbers = (int(found[1]), int(found[2] or 0), int(found[3] or 0))
    return Version(text.strip(), numbers, found[4] or "")


class _Bound(NamedTuple):
    sign: str
    version: Version
    given: int
    """How many of its three numbers were written."""


class Range:
    """What is asked for: any of its alternatives, each with all of its bounds."""

    def __init__(self, text: str, *, devel: bool = False) -> None:
        """Raises HelmFailed. An empty range is every release; `devel` adds candidates."""
        text = text.strip() or (">0.0.0-0" if devel else "*")
        self._text = text
        self._devel = devel
        self._any = [self._bounds(part) for part in text.split("||")]

    def holds(self, version: Version) -> bool:
        return any(
            # A candidate is meant only where somebody wrote one.
            all(_holds(bound, version, pre=any(b.version.pre for b in bounds)) for bound in bounds)
            for bounds in self._any
        )

    def best(self, texts: "list[str]") -> str | None:
        """The newest of these versions that is in it, as it was written."""
        known = [one for one in map(parse, texts) if one is not None]
        fitting = [one for one in known if self.holds(one)]
        return max(fitting).text if fitting else None

    def _bounds(self, text: str) -> list[_Bound]:
        if hyphen := _HYPHEN.fullmatch(text):
            text = f">={hyphen[1]} <={hyphen[2]}"
        bounds: list[_Bound] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TERM.match(text, at)
            if found is None:
                raise HelmFailed("version", f"`{self._text}` is no range of versions")
            bounds.append(_bound(found[1] or "", found[2]))
            if bounds[-1].given == 0 and bounds[-1].sign not in ("", "=", ">=", "<="):
                raise HelmFailed("version", f"`{self._text}` is no range of versions")
            at = found.end()
        if not bounds:
            raise HelmFailed("version", f"`{self._text}` is no range of versions")
        return bounds


def _bound(sign: str, text: str) -> _Bound:
    head, dash, tail = text.removeprefix("v").partition("-")
    numbers = head.partition("+")[0].split(".")
    given = next((i for i, one in enumerate(numbers) if one in "xX*"), len(numbers))
    plain = ".".join([*numbers[:given], *["0"] * (3 - given)])
    version = parse(plain + (dash + tail if given == 3 else ""))
    assert version is not None  # noqa: S101 - the pattern took it
    return _Bound(sign, version, given)


def _holds(bound: _Bound, version: Version, *, pre: bool) -> bool:
    if version.pre and not pre:
        return False
    low = bound.version
    match bound.sign.replace("=>", ">=").replace("=<", "<="):
        case "" | "=" | "==":
            return version == low if bound.given == 3 else _same(bound, version, bound.given)
        case "!=":
            return version != low if bound.given == 3 else not _same(bound, version, bound.given)
        case ">":
            return version > low and (bound.given == 3 or not _same(bound, version, bound.given))
        case "<":
            return version < low
        case ">=":
            return version >= low
        case "<=":
            return version <= low or (bound.given < 3 and _same(bound, version, bound.given))
        case "~" | "~>":
            return version >= low and _same(bound, version, min(bound.given, 2))
        case _:
            return version >= low and _same(bound, version, _kept(bound))


def _kept(bound: _Bound) -> int:
    """How many numbers `^` keeps: up to the first that is not zero."""
    for index, number in enumerate(bound.version.numbers[: bound.given]):
        if number:
            return index + 1
    return bound.given


def _same(bound: _Bound, version: Version, count: int) -> bool:
    return version.numbers[:count] == bound.version.numbers[:count]
