"""Text → documents. libyaml finds the structure and the positions; what scalars mean is ours."""

import re
from collections.abc import Iterator
from typing import cast

import msgspec
import yaml

from windlass.charts.documents.build import Builder, Limits, Wrong
from windlass.charts.documents.nodes import child, compose
from windlass.charts.documents.problems import Path, Place, Problem, Unreadable

_MARKER = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)


class Document:
    """One document: `data` as Kubernetes reads it, and where each part of it stands."""

    __slots__ = ("_found", "_node", "data", "file", "first_line", "index", "offset", "text")

    def __init__(self, data: object, *, text: str, offset: int, first_line: int) -> None:
        self.data = data
        self._node: yaml.Node | None = None
        self._found: dict[Path, Found] = {}
        self.text = text
        """This document's part of the file, from `offset` characters on."""
        self.offset = offset
        self.first_line = first_line
        self.file = ""
        self.index = 0

    @property
    def node(self) -> yaml.Node:
        """The structure of the text, found when a place is first asked for: most never are."""
        if self._node is None:
            self._node = compose(self.text)
        return self._node

    def release(self) -> None:
        """Forgets the structure again: that of thousands of documents would cost more memory, and
        more time to collect, than finding it once more.
        """
        self._node = None
        self._found.clear()

    def where(self, path: Path) -> Place:
        """The key or the list item at `path`, or the nearest thing around it that exists."""
        key, _, value = self._at(path)
        return self._place(value if key is None else key)

    def span(self, path: Path) -> Place:
        """The value at `path`, or of the nearest thing around it that exists."""
        return self._place(self._at(path)[2])

    def written(self, path: Path) -> str | None:
        """The text of the single value at `path` as it stands there; None where there is none."""
        _, depth, node = self._at(path)
        is_there = depth == len(path) and isinstance(node, yaml.ScalarNode)
        return cast(str, node.value) if is_there else None

    def _place(self, node: yaml.Node) -> Place:
        start, end = node.start_mark, node.end_mark
        line = self.first_line
        return Place(line + start.line, start.column + 1, line + end.line, end.column + 1)

    def _at(self, path: Path) -> "Found":
        found = self._found.get(path)
        if found is None:
            found = self._found[path] = self._below(path) if path else (None, 0, self.node)
        return found

    def _below(self, path: Path) -> "Found":
        above = self._at(path[:-1])
        if above[1] < len(path) - 1:
            return above
        entry = child(above[2], path[-1])
        return above if entry is None else (entry[0], len(path), entry[1])


Found = tuple[yaml.Node | None, int, yaml.Node]
"""(key, how many parts of the path exist, value)."""


class Reading(msgspec.Struct, frozen=True):
    """What was in a text: the documents that could be read and what was wrong with the others."""

    documents: list[Document]
    problems: list[Problem]


def load(text: str | bytes, file: str = "", *, limits: Limits = Limits()) -> list[Document]:  # noqa: B008 - frozen
    """The documents of a text. Raises Unreadable with every problem when there is one."""
    reading = read(text, file, limits=limits)
    if reading.problems:
        raise Unreadable(reading.problems)
    return reading.documents


def read(text: str | bytes, file: str = "", *, limits: Limits = Limits()) -> Reading:  # noqa: B008 - frozen
    """The documents of a text; empty ones and those of comments only are left out."""
    documents: list[Document] = []
    problems: list[Problem] = []
    try:
        text = _decoded(text, limits)
        builder = Builder(limits)
        for number, (offset, line, part) in enumerate(_parts(text)):
            if number >= limits.documents:
                raise Wrong(
                    "too-many-documents",
                    f"there are more than {limits.documents} documents",
                    "Split the file",
                    line,
                    1,
                )
            try:
                found = builder.document(part, line)
            except Wrong as wrong:
                if wrong.code == "alias-bomb":
                    raise
                problems.append(wrong.problem(file, len(documents) + len(problems)))
                continue
            if found is not None:
                document = Document(found[0], text=part, offset=offset, first_line=line)
                document.file, document.index = file, len(documents) + len(problems)
                documents.append(document)
    except Wrong as wrong:
        problems.append(wrong.problem(file, len(documents) + len(problems)))
    return Reading(documents, problems)


def _decoded(text: str | bytes, limits: Limits) -> str:
    if len(text) > limits.bytes:
        most = f"{limits.bytes >> 10:,} KB"
        raise Wrong("too-large", f"the text is larger than {most}", "Split it into files", 1, 1)
    try:
        if isinstance(text, bytes):
            return text.decode()
        text.encode()
    except UnicodeError as error:
        line = 1
        if isinstance(error, UnicodeDecodeError):
            line += error.object.count(b"\n", 0, error.start)
        elif isinstance(error, UnicodeEncodeError):
            line += error.object.count("\n", 0, error.start)
        hint = "Save the file with the encoding UTF-8"
        raise Wrong("not-utf8", "the text is not UTF-8", hint, line, 1) from error
    return text


def _parts(text: str) -> Iterator[tuple[int, int, str]]:
    """(offset, first line, text) of each document. A line that starts with `---` and a blank begins
    one wherever it stands, also in a quoted text: such a line in a block scalar is indented.
    """
    starts = [match.start() for match in _MARKER.finditer(text)]
    begin = 1 if text.startswith("\ufeff") else 0
    if not starts or (starts[0] > begin and not text.startswith("%", begin)):
        starts.insert(0, begin)
    elif starts[0] > begin:
        starts[0] = begin
    line = 1
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield start, line, text[start:end]
        line += text.count("\n", start, end)
