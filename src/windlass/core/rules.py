"""What a site's own files say about addresses: redirects, rewrites, headers. Data, and matching.

The worker compiles the files of other hosts into these structs, the edge serves by them. An
address is the decoded path with its first slash. Rules are looked at in order, those before the
files of the site and those after them apart; the first that applies is taken, and nothing is
looked at twice, so that no rule leads back to itself inside the edge.
"""

import re
from collections.abc import Iterator
from typing import Literal, Protocol
from urllib.parse import quote

import msgspec

from windlass.core import linear
from windlass.core.languages import N_

MOST_RULES = 5_000
MOST_PATTERNS = 250
MOST_STEPS = 10_000
LONGEST_ADDRESS = 1_024
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_VISIBLE = re.compile(r"[!-~]+")
# A captured value never becomes part of a host name: that would let the visitor choose the server.
_TARGET = re.compile(r"/(?!/)[^\\]*|https?://[^/?#${}\\@]+(?:[/?#].*)?")
_PLACEHOLDER = re.compile(r"\$\{(/?)(\w+)\}")
_SAFE_IN_PATH = "/!$&'()*+,-.:;=@_~"

Kind = Literal["header", "cookie", "query", "host"]


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which addresses are meant: exactly `literal`, or those that begin with it and match."""

    literal: str
    pattern: str | None = None
    """In RE2's syntax, for the whole address; its named groups are what a target may use."""
    excluded: str | None = None
    """An address that begins with this is not meant."""
    either_slash: bool = False
    """Of a literal: one slash more or less at the end does not matter."""


class Condition(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a request must carry besides its address, or must not."""

    kind: Kind
    key: str = ""
    pattern: str | None = None
    is_absent: bool = False


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """Send elsewhere (`redirect`), or answer with the file of another address (`rewrite`).

    `${name}` in a target stands for a captured value, `${/name}` for one with a slash before it
    unless it is empty.
    """

    place: Place
    action: Literal["redirect", "rewrite"]
    target: str
    status: Literal[200, 301, 302, 303, 307, 308, 403, 404, 410, 451]
    before_files: bool = False
    keep_query: bool = True
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        if not (_VISIBLE.fullmatch(self.target) and _TARGET.fullmatch(self.target)):
            raise ValueError(
                N_("target {target} is neither a path nor a URL").format(target=repr(self.target))
            )
        if (self.action == "redirect") != (300 < self.status < 400):
            raise ValueError(
                N_("status {status} does not fit a {action}").format(
                    status=self.status, action=self.action
                )
            )
        if self.action == "rewrite" and not self.target.startswith("/"):
            raise ValueError(N_("a rewrite stays inside the site"))


class HeaderRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One more header for some addresses; it replaces ours of the same name."""

    place: Place
    name: str
    value: str

    def __post_init__(self) -> None:
        # A line break here would let a site forge the rest of the answer.
        if not (_HEADER_NAME.fullmatch(self.name) and _HEADER_VALUE.fullmatch(self.value)):
            raise ValueError(N_("header {name} cannot be sent").format(name=repr(self.name)))


class Rules(msgspec.Struct, frozen=True, omit_defaults=True):
    """All of one site. `trailing_slash`: pages end with one, without one, or as files lie."""

    rules: tuple[Rule, ...] = ()
    headers: tuple[HeaderRule, ...] = ()
    trailing_slash: bool | None = None


class Visit(Protocol):
    """What conditions ask of a request."""

    def value(self, kind: Kind, key: str) -> str | None: ...


class Matcher:
    """Rules ready to be asked. Raises ValueError when one is no pattern or together they cost too
    much."""

    def __init__(self, rules: Rules) -> None:
        self.trailing_slash = rules.trailing_slash
        steps = _Steps()
        self.before = _Ordered([rule for rule in rules.rules if rule.before_files], steps)
        self.after = _Ordered([rule for rule in rules.rules if not rule.before_files], steps)
        self._headers = [(_Where(header.place, steps), header) for header in rules.headers]
        self.has_conditions = any(rule.conditions for rule in rules.rules)
        if len(rules.rules) + len(rules.headers) > MOST_RULES:
            raise ValueError(N_("there are more than {number} rules").format(number=MOST_RULES))

    def headers(self, address: str) -> Iterator[tuple[str, str]]:
        """The headers for this address, in order."""
        for where, header in self._headers:
            if where.find(address) is not None:
                yield header.name, header.value


class _Steps:
    """Counts what all patterns of a site cost together."""

    def __init__(self) -> None:
        self._patterns: dict[str, linear.Pattern] = {}
        self._steps = 0

    def compile(self, pattern: str) -> linear.Pattern:
        known = self._patterns.get(pattern)
        if known is None:
            known = self._patterns[pattern] = linear.compile(pattern)
            self._steps += known.size
            if len(self._patterns) > MOST_PATTERNS or self._steps > MOST_STEPS:
                raise ValueError(N_("together the patterns of this site would cost too much"))
        return known


class _Where:
    """A place ready to be asked."""

    __slots__ = ("_excluded", "_literal", "_other", "_pattern")

    def __init__(self, place: Place, steps: _Steps) -> None:
        self._literal = place.literal
        self._pattern = steps.compile(place.pattern) if place.pattern is not None else None
        self._excluded = steps.compile(place.excluded) if place.excluded is not None else None
        self._other = _other_slash(place.literal) if place.either_slash else place.literal

    def find(self, address: str) -> dict[str, str] | None:
        """The captured values when the address is meant."""
        if self._pattern is None:
            return {} if address in (self._literal, self._other) else None
        # Most addresses are told apart by their beginning, without the expression.
        if not address.startswith(self._literal) or len(address) > LONGEST_ADDRESS:
            return None
        if self._excluded is not None and self._excluded.begins(address):
            return None
        return self._pattern.whole(address)


class _Ordered:
    """Rules in their order; those for one exact address are found without asking the others."""

    def __init__(self, rules: list[Rule], steps: _Steps) -> None:
        self._rules = rules
        self._wheres = [_Where(rule.place, steps) for rule in rules]
        self._wanted = [
            [(each, steps.compile(each.pattern) if each.pattern else None) for each in r.conditions]
            for r in rules
        ]
        self._exact: dict[str, list[int]] = {}
        self._others: list[int] = []
        for number, rule in enumerate(rules):
            place = rule.place
            if place.pattern is not None:
                self._others.append(number)
                continue
            for literal in {place.literal, *self._spelled(place)}:
                self._exact.setdefault(literal, []).append(number)

    def find(self, address: str, visit: Visit | None) -> Iterator[tuple[Rule, dict[str, str]]]:
        """The rules that apply, in order. Without a visit: those without conditions."""
        exact = self._exact.get(address)
        for number in sorted([*exact, *self._others]) if exact else self._others:
            values = self._wheres[number].find(address)
            if values is None:
                continue
            if self._wanted[number]:
                more = self._meets(number, visit) if visit is not None else None
                if more is None:
                    continue
                values = {**values, **more}
            yield self._rules[number], values

    def _meets(self, number: int, visit: Visit) -> dict[str, str] | None:
        values: dict[str, str] = {}
        for condition, pattern in self._wanted[number]:
            value = visit.value(condition.kind, condition.key)
            found: dict[str, str] | None = None if value is None else {}
            if value is not None and pattern is not None:
                found = pattern.whole(value[:LONGEST_ADDRESS])
            if (found is None) != condition.is_absent:
                return None
            values |= found or {}
        return values

    @staticmethod
    def _spelled(place: Place) -> list[str]:
        return [_other_slash(place.literal)] if place.either_slash else []


def expand(target: str, values: dict[str, str], *, escaped: bool = True) -> str:
    """The target with its values filled in: escaped for a Location, plain for a look-up."""
    path, mark, query = target.partition("?")
    path = _PLACEHOLDER.sub(lambda match: _value(match, values, _SAFE_IN_PATH, escaped), path)
    if path.startswith("/"):
        # Two slashes at the start would name another server.
        path = "/" + path.lstrip("/")
    return path + mark + _PLACEHOLDER.sub(lambda match: _value(match, values, "", escaped), query)


def placeholders(target: str) -> set[str]:
    """Which captured values a target uses."""
    return {name for _, name in _PLACEHOLDER.findall(target)}


def _value(match: re.Match[str], values: dict[str, str], safe: str, escaped: bool) -> str:
    value = values.get(match[2], "")
    text = quote(value, safe=safe) if escaped else value
    return match[1] + text if text else ""


def _other_slash(literal: str) -> str:
    return literal[:-1] or "/" if literal.endswith("/") else f"{literal}/"
