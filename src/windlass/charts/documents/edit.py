"""Changes at paths of a YAML text that leave every other byte as it is: comments, order, quotes.

Each change is made in the text where the reader says that the thing stands, and then proved: the
result is read again and must be exactly the data that was wanted, or nothing is changed at all.
"""

import copy
import json
from collections.abc import Iterator, Sequence
from typing import cast

import msgspec
import yaml

from windlass.charts.documents.problems import Path, dotted
from windlass.charts.documents.read import Document, load
from windlass.charts.documents.splice import Place, Splice, Text


class NotEditable(Exception):
    """The text cannot be changed there without changing more; the message says why."""


class Set(msgspec.Struct, frozen=True):
    """The value at `path` becomes `value`; what is missing on the way is made."""

    path: Path
    value: object


class Insert(msgspec.Struct, frozen=True):
    """`value` is put into a list before index `path[-1]`; the list's length appends."""

    path: Path
    value: object


class Delete(msgspec.Struct, frozen=True):
    """The key or item at `path` goes. The last one leaves `{}` or `[]` behind."""

    path: Path


class Rename(msgspec.Struct, frozen=True):
    """The key at `path` is called `to` from now on; its value and its place stay."""

    path: Path
    to: str


Change = Set | Insert | Delete | Rename


def edit(text: str, changes: Sequence[Change], *, document: int = 0) -> str:
    """The text with the changes made, one after the other, in one of its documents (counted as in
    `Document.index`). Raises NotEditable, and Unreadable when the text is no YAML.
    """
    found = [one for one in load(text) if one.index == document]
    if not found:
        raise NotEditable(f"there is no document {document}")
    part, offset = found[0].text, found[0].offset
    end = offset + len(part)
    for change in changes:
        part = _changed(part, change)
    return text[:offset] + part + text[end:]


def _changed(part: str, change: Change) -> str:
    before = load(part)[0]
    wanted = _applied(before.data, change)
    for step in _steps(before.data, change):
        now = load(part)[0]
        part = Text(part).spliced(_splices(now, Text(part), step))
    after = [one.data for one in load(part)]
    if len(after) != 1 or not _same(after[0], wanted):
        raise NotEditable(f"`{dotted(change.path)}` cannot be changed alone: write it by hand")
    return part


def _same(one: object, other: object) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _steps(data: object, change: Change) -> Iterator[Change]:
    """A mapping that replaces a mapping is changed key by key, so that its comments stay."""
    if isinstance(change, Set) and isinstance(change.value, dict) and change.value:
        old, new = _get(data, change.path), cast(dict[str, object], change.value)
        if isinstance(old, dict) and old:
            for key, value in new.items():
                if key not in old or not _same(old[key], value):
                    yield from _steps(data, Set((*change.path, key), value))
            for key in cast(dict[str, object], old):
                if key not in new:
                    yield Delete((*change.path, key))
            return
    yield change


def _get(data: object, path: Path) -> object:
    for part in path:
        if isinstance(data, dict) and isinstance(part, str):
            data = cast(dict[str, object], data).get(part)
        elif (
            isinstance(data, list)
            and isinstance(part, int)
            and part < len(cast(list[object], data))
        ):
            data = cast(list[object], data)[part]
        else:
            return None
    return data


def _applied(data: object, change: Change) -> object:
    """The data as they must be afterwards."""
    if not change.path:
        raise NotEditable("the whole document cannot be changed at once")
    top = copy.deepcopy(data)
    *way, last = change.path
    parent = top
    for at, part in enumerate(way):
        following = change.path[at + 1]
        parent = _step(parent, part, [] if isinstance(following, int) else {}, change)
    if isinstance(change, Rename):
        if not isinstance(parent, dict) or last not in parent or change.to in parent:
            raise NotEditable(f"there is no key `{dotted(change.path)}` to rename to `{change.to}`")
        parent[change.to] = parent.pop(last)
    elif isinstance(change, Delete):
        try:
            del parent[last]  # type: ignore[attr-defined]
        except (KeyError, IndexError, TypeError):
            raise NotEditable(f"there is nothing at `{dotted(change.path)}`") from None
    elif isinstance(parent, list) and isinstance(last, int) and 0 <= last <= len(parent):
        if isinstance(change, Insert) or last == len(parent):
            parent.insert(last, change.value)
        else:
            parent[last] = change.value
    elif isinstance(parent, dict) and isinstance(last, str) and isinstance(change, Set):
        parent[last] = change.value
    else:
        raise NotEditable(f"something else stands at `{dotted(change.path[:-1])}`")
    return top


def _step(parent: object, part: str | int, fresh: object, change: Change) -> object:
    """The collection at `part`, made when nothing stands there yet and something is to be set."""
    if isinstance(parent, dict) and isinstance(part, str):
        table = cast(dict[str, object], parent)
        if table.get(part) is None and isinstance(change, Set | Insert):
            table[part] = fresh
        return table.get(part)
    if isinstance(parent, list) and isinstance(part, int):
        items = cast(list[object], parent)
        if part == len(items) and isinstance(change, Set | Insert):
            items.append(fresh)
        elif 0 <= part < len(items) and items[part] is None and isinstance(change, Set | Insert):
            items[part] = fresh
        return items[part] if 0 <= part < len(items) else None
    raise NotEditable(f"something else stands in the way of `{dotted(change.path)}`")


def _splices(document: Document, text: Text, change: Change) -> list[Splice]:
    places = _walk(document.node, change.path)
    missing = change.path[len(places) - 1 :]
    here = places[-1]
    if isinstance(change, Rename):
        return text.rename(here, change.to)
    if isinstance(change, Delete):
        return text.delete(here)
    if not missing:
        return (
            text.insert_before(here, change.value)
            if isinstance(change, Insert)
            else text.replace(here, change.value)
        )
    value = change.value
    for part in reversed(missing[1:]):
        value = [value] if isinstance(part, int) else {part: value}
    return text.add(here, missing[0], value)


def _walk(root: yaml.Node, path: Path) -> list[Place]:
    """The places on the way to `path`, as far as they exist; the first is the whole document."""
    seen: set[int] = set()
    shared: set[int] = set()
    _count(root, seen, shared)
    places = [Place(root)]
    for part in path:
        found = places[-1].inside(part)
        if found is None:
            break
        if id(found.node) in shared:
            at = dotted(path[: len(places)])
            raise NotEditable(f"`{at}` is shared through an alias: write it out first")
        places.append(found)
    return places


def _count(node: yaml.Node, seen: set[int], shared: set[int]) -> None:
    if id(node) in seen:
        shared.add(id(node))
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _count(key, seen, shared)
            _count(value, seen, shared)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _count(item, seen, shared)
