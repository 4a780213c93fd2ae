"""Which values of a chart a finding comes from: known by trying, never guessed.

A template may do anything with a value, so nothing is read out of templates. Values whose names or
contents look related are changed one at a time, the chart is rendered again, and where the place of
the finding changed (or appeared), that value is named.
"""

import copy
from collections.abc import Iterator
from typing import cast

import msgspec

from windlass.charts.checks.engine import Finding
from windlass.charts.documents import Path, read, resources

Values = dict[str, object]
Key = tuple[str, ...]

MOST_TRIES = 200
MOST_FOR_ONE = 10
_MOST_LEAVES = 4000
_NAMES = 4
_ADDED = "windlass"
_ABSENT = object()


class Try(msgspec.Struct, frozen=True):
    """One value, changed."""

    key: Key
    value: object

    @property
    def dotted(self) -> str:
        """As `--set` takes it."""
        return ".".join(part.replace(".", "\\.") for part in self.key)

    def on(self, values: Values) -> Values:
        made = copy.deepcopy(values)
        table = made
        for part in self.key[:-1]:
            inner = table.get(part)
            if not isinstance(inner, dict):
                inner = table[part] = {}
            table = cast(Values, inner)
        table[self.key[-1]] = self.value
        return made


def tries(findings: list[Finding], templates: dict[str, str], values: Values) -> list[Try]:
    """What is to be tried for these findings, the most promising first."""
    leaves = list(_leaves(values, ()))
    ranked: dict[str, tuple[int, Try]] = {}
    objects = _Objects(templates)
    for one in findings:
        for rank, tried in enumerate(_for_one(one, objects.at(one), leaves)):
            mark = f"{tried.dotted}\0{tried.value!r}"
            if mark not in ranked or rank < ranked[mark][0]:
                ranked[mark] = (rank, tried)
    found = sorted(ranked.values(), key=lambda pair: (pair[0], pair[1].key))
    return [tried for _, tried in found[:MOST_TRIES]]


def found(
    findings: list[Finding],
    templates: dict[str, str],
    tried: list[Try],
    answers: list[dict[str, str] | None],
) -> list[Finding]:
    """The same findings, with the keys of values that they come from where that is known now."""
    plain = _Objects(templates)
    befores = [plain.at(one) for one in findings]
    keys: list[list[str]] = [[] for _ in findings]
    for one, answer in zip(tried, answers, strict=False):
        changed = _Objects(answer or {})
        for index, finding in enumerate(findings):
            if not answer or finding.file not in answer or one.dotted in keys[index]:
                continue
            after = changed.at(finding)
            if after is not _ABSENT and after != befores[index]:
                keys[index].append(one.dotted)
    return [
        msgspec.structs.replace(one, values=tuple(known)) if known else one
        for one, known in zip(findings, keys, strict=True)
    ]


class _Objects:
    """What stands at a finding's place, each template read once."""

    def __init__(self, templates: dict[str, str]) -> None:
        self._templates = templates
        self._read: dict[str, dict[tuple[str, str], Values]] = {}

    def at(self, one: Finding) -> object:
        if one.file not in self._read:
            listed = resources(read(self._templates.get(one.file, ""), one.file)).resources
            self._read[one.file] = {(each.kind, each.name): each.data for each in listed}
        node: object = self._read[one.file].get((one.kind, one.name), _ABSENT)
        for part in one.path:
            if isinstance(node, dict):
                node = cast(dict[object, object], node).get(part, _ABSENT)
            elif isinstance(node, list) and isinstance(part, int):
                items = cast(list[object], node)
                node = items[part] if part < len(items) else _ABSENT
            else:
                return _ABSENT
        return node


def _leaves(values: Values, top: Key) -> Iterator[tuple[Key, object]]:
    """Values that are no tables, and empty tables; lists as they are."""
    for key, value in values.items():
        path = (*top, str(key))
        if isinstance(value, dict) and value and len(path) < 12:
            yield from _leaves(cast(Values, value), path)
        else:
            yield path, value


def _for_one(one: Finding, now: object, leaves: list[tuple[Key, object]]) -> list[Try]:
    scored: list[tuple[int, Try]] = []
    names = [part.lower() for part in one.path if isinstance(part, str)][-_NAMES:]
    text = str(now) if isinstance(now, str | int | float) else ""
    for key, value in leaves[:_MOST_LEAVES]:
        score = _likeness(key, names) + 3 * _is_in(value, text)
        if score and (other := _other(value)) is not _ABSENT:
            scored.append((score, Try(key, other)))
    if now is _ABSENT:
        scored += _added(one.path, leaves)
    scored.sort(key=lambda pair: (-pair[0], len(pair[1].key)))
    return [tried for _, tried in scored[:MOST_FOR_ONE]]


def _likeness(key: Key, names: list[str]) -> int:
    """How many of the key's last words are words of the place."""
    words = [part.lower() for part in key[-3:]]
    return sum(any(word in (name, f"{name}s", f"{name}count") for name in names) for word in words)


def _is_in(value: object, text: str) -> bool:
    is_plain = isinstance(value, str | int) and not isinstance(value, bool)
    return is_plain and value != "" and str(value) in text


def _other(value: object) -> object:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}{_ADDED}"
    return _ADDED if value is None else _ABSENT


def _added(path: Path, leaves: list[tuple[Key, object]]) -> list[tuple[int, Try]]:
    """Tables of values that bear a name of the place, with what is missing put into them."""
    tables = {key[:size]: None for key, _ in leaves for size in range(1, len(key))}
    empty = [key for key, value in leaves if value is None or value == {}]
    made: list[tuple[int, Try]] = []
    for at in range(len(path) - 1, max(len(path) - 5, 0), -1):
        part, tail = path[at], path[at + 1 :]
        if not isinstance(part, str) or any(isinstance(one, int) for one in tail):
            continue
        for key in [*empty, *tables]:
            if not key[-1].lower().endswith(part.lower()):
                continue
            score = 6 if key[-1].lower() == part.lower() else 4
            whole = (*key, *cast(Key, tail))
            made.append((score, Try(whole, _ADDED)))
    return made
