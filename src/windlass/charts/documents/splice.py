"""The places of a YAML text, and what to cut and to write there for one change."""

import re
from typing import cast

import msgspec
import yaml

from windlass.charts.documents.nodes import is_merge, key_text
from windlass.charts.documents.write import block, entry, flow, inline, literal, scalar

Splice = tuple[int, int, str]
"""(from, to, what stands there instead)."""
_ALIAS = re.compile(r"[ \t]*:\s*\*[^\s,\[\]{}]+")
_NODE = yaml.Node


class Place(msgspec.Struct):
    """A node, the collection around it, and its key or its index in there."""

    node: _NODE
    parent: "Place | None" = None
    key: _NODE | None = None
    index: int = 0

    @property
    def is_flow(self) -> bool:
        """Whether it stands inside brackets."""
        return self.parent is not None and (
            bool(_flow_style(self.parent.node)) or self.parent.is_flow
        )

    @property
    def entries(self) -> "list[Place]":
        """What is in this collection."""
        if isinstance(self.node, yaml.MappingNode):
            pairs = cast(list[tuple[_NODE, _NODE]], self.node.value)
            return [Place(value, self, key, at) for at, (key, value) in enumerate(pairs)]
        if isinstance(self.node, yaml.SequenceNode):
            items = cast(list[_NODE], self.node.value)
            return [Place(item, self, None, at) for at, item in enumerate(items)]
        return []

    def inside(self, part: str | int) -> "Place | None":
        """The entry of that key or index, if it is written here (merged keys are not)."""
        entries = self.entries
        if isinstance(part, int):
            is_item = isinstance(self.node, yaml.SequenceNode) and 0 <= part < len(entries)
            return entries[part] if is_item else None
        for one in entries:
            key = one.key
            if isinstance(key, yaml.ScalarNode) and not is_merge(key) and key_text(key) == part:
                return one
        return None


class Text:
    """A document's text, with what a change at a place means for it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def spliced(self, splices: list[Splice]) -> str:
        """The text with all of them done; they do not overlap."""
        text = self._text
        for start, end, new in sorted(splices, key=lambda one: one[0], reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def rename(self, place: Place, to: str) -> list[Splice]:
        """Another name for the key of a place."""
        key = cast(_NODE, place.key)
        return [(key.start_mark.index, key.end_mark.index, scalar(to))]

    def replace(self, place: Place, value: object) -> list[Splice]:
        """Another value at a place."""
        start, end = self._start(place), self._end(place)
        if place.is_flow:
            return [(start, end, flow(value))]
        if place.key is None:
            return self._replace_item(place, value)
        after_colon = self._text.index(":", place.key.end_mark.index) + 1
        indent = place.key.start_mark.column
        header, lines = _lines(value, indent)
        cut: list[Splice] = []
        if self._text[after_colon:start].strip(" \t") == "":
            # The value begins in the key's line, behind the colon.
            cut = [(after_colon, end, header)]
        else:
            # It has lines of its own; a comment behind the colon stays.
            cut = [(after_colon, after_colon, header), self._whole_lines(start, end)]
        if lines:
            at = self._line_end(end if len(cut) == 1 else after_colon)
            cut.append((at, at, self._newline + self._newline.join(lines)))
        return cut

    def _replace_item(self, place: Place, value: object) -> list[Splice]:
        dash = self._dash(place)
        column = self._column(dash)
        lines = block([value], column)
        return [(dash, self._end(place), self._newline.join(lines)[column:])]

    def add(self, place: Place, part: str | int, value: object) -> list[Splice]:
        """A new entry in the collection at a place."""
        entries = place.entries
        if not entries:
            # Nothing is there yet: null, `{}` or `[]`.
            return self.replace(place, [value] if isinstance(part, int) else {part: value})
        last = self._end(entries[-1])
        if place.is_flow or _flow_style(place.node):
            new = flow(value) if isinstance(part, int) else f"{flow(part)}: {flow(value)}"
            return [(last, last, f", {new}")]
        if isinstance(part, int):
            lines = block([value], self._column(self._dash(entries[0])))
        else:
            lines = entry(part, value, cast(_NODE, entries[0].key).start_mark.column)
        at = self._line_end(last)
        return [(at, at, self._newline + self._newline.join(lines))]

    def insert_before(self, place: Place, value: object) -> list[Splice]:
        """A new item before the one at a place."""
        if place.is_flow:
            start = self._start(place)
            return [(start, start, f"{flow(value)}, ")]
        dash = self._dash(place)
        column = self._column(dash)
        lines = [*block([value], column), " " * column]
        return [(dash, dash, self._newline.join(lines)[column:])]

    def delete(self, place: Place) -> list[Splice]:
        """The entry at a place goes, and its line with it."""
        parent = cast(Place, place.parent)
        siblings = parent.entries
        if len(siblings) == 1:
            empty: object = {} if isinstance(parent.node, yaml.MappingNode) else []
            if parent.parent is None:
                return [(self._entry_start(place), self._end(place), inline(empty))]
            return self.replace(parent, empty)
        start, end = self._entry_start(place), self._end(place)
        following = siblings[place.index + 1 : place.index + 2]
        if place.is_flow and not following:
            return [(self._end(siblings[place.index - 1]), end, "")]
        if place.is_flow or self._text[self._line_start(start) : start].strip(" \t"):
            return [(start, self._entry_start(following[0]), "")]
        return [self._whole_lines(start, end)]

    def _whole_lines(self, start: int, end: int) -> Splice:
        newline = self._text.find("\n", end)
        return self._line_start(start), len(self._text) if newline < 0 else newline + 1, ""

    def _entry_start(self, place: Place) -> int:
        if place.key is not None:
            return place.key.start_mark.index
        return self._start(place) if place.is_flow else self._dash(place)

    def _dash(self, place: Place) -> int:
        """Where the `-` of a list's item stands."""
        return len(self._text[: self._start(place)].rstrip()) - 1

    def _start(self, place: Place) -> int:
        return place.node.start_mark.index

    def _end(self, place: Place) -> int:
        """Behind the last character of a place's value. Readers place the end of a block behind
        the comments that follow it."""
        node, key = place.node, place.key
        if key is not None and node.start_mark.index < key.end_mark.index:
            alias = _ALIAS.match(self._text, key.end_mark.index)
            return alias.end() if alias else key.end_mark.index
        if isinstance(node, yaml.ScalarNode):
            start, end = node.start_mark.index, node.end_mark.index
            if node.style in ("|", ">"):
                return start + len(self._text[start:end].rstrip())
            return end
        entries = place.entries
        if _flow_style(node) or not entries:
            return node.end_mark.index
        return self._end(entries[-1])

    def _line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        end = self._text.find("\n", at)
        end = len(self._text) if end < 0 else end
        return end - 1 if self._text[end - 1 : end] == "\r" else end

    def _column(self, at: int) -> int:
        return at - self._line_start(at)


def _flow_style(node: _NODE) -> bool:
    return bool(getattr(node, "flow_style", False))


def _lines(value: object, indent: int) -> tuple[str, list[str]]:
    """(what stands behind the colon, the lines below) for the value of a key at this column."""
    if isinstance(value, dict | list) and value:
        return "", block(cast(object, value), indent + 2)
    if (lines := literal(value, indent + 2)) is not None:
        return f" {lines[0]}", lines[1:]
    return f" {inline(value)}", []
