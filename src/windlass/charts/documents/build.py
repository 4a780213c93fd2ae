"""Nodes → data, within limits: what is wrong is found here, with its place."""

import math
import re
from typing import Any, cast

import msgspec
import yaml

from windlass.charts.documents.nodes import (
    UNKNOWN,
    NodeParser,
    compose,
    is_merge,
    is_text,
    key_text,
    scalar,
)
from windlass.charts.documents.problems import Problem

_STACKED = re.compile(r"(?:[-?:][ \t]+){60}")


class Limits(msgspec.Struct, frozen=True):
    """What is read at most. The defaults let every real chart through and stop bombs early."""

    bytes: int = 10 << 20
    documents: int = 5_000
    depth: int = 100
    weight: int = 1_000_000
    """Values plus one for every 64 characters of them, aliases expanded, over all documents."""


class Wrong(Exception):
    def __init__(self, code: str, message: str, hint: str, line: int, column: int) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint
        self.line, self.column = line, column

    def problem(self, file: str, document: int) -> Problem:
        return Problem(
            code=self.code,
            message=self.message,
            hint=self.hint,
            line=self.line,
            column=self.column,
            document=document,
            file=file,
        )


class Builder:
    """Makes data of nodes, with one budget for everything that is read."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.weight
        self._depth = 0
        self._line = 1
        self._open: set[int] = set()

    def document(self, text: str, line: int) -> tuple[object] | None:
        """(data,) of one document that begins in this line; None: there is nothing in it."""
        self._line, self._depth = line, 0
        self._open.clear()
        node = self._node(text)
        if node is None or (isinstance(node, yaml.ScalarNode) and scalar(node) is None):
            return None
        return (self._value(node),)

    def _node(self, text: str) -> yaml.Node | None:
        try:
            if text.count("[") + text.count("{") > self._limits.depth or _STACKED.search(text):
                self._measure(text)
            return compose(text)
        except yaml.MarkedYAMLError as error:
            raise self._syntax(error, text) from error
        except yaml.reader.ReaderError as error:
            raise Wrong(
                "not-yaml",
                "there is a character that YAML does not allow",
                "Remove it or write it as an escape in double quotes",
                self._line + text.count("\n", 0, error.position),
                1,
            ) from error
        except (RecursionError, ValueError) as error:
            raise self._wrong("not-yaml", "it cannot be read as YAML", "Check it", None) from error

    def _measure(self, text: str) -> None:
        """Refuse what is nested too deeply before something recursive sees it."""
        parser, depth = cast(Any, NodeParser(text)), 0
        while parser.check_event():
            event = parser.get_event()
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > self._limits.depth:
                    raise self._too_deep(cast(Any, event).start_mark)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1

    def _value(self, node: yaml.Node) -> object:
        if node.__class__ is yaml.ScalarNode:
            text: str = node.value
            self._left -= 1 + (len(text) >> 6)
            if self._left < 0:
                raise self._bomb(node)
            if is_text(node.tag, text):
                return text
            return self._known(cast(yaml.ScalarNode, node), scalar(cast(yaml.ScalarNode, node)))
        self._enter(node)
        value = self._list(node) if node.__class__ is yaml.SequenceNode else self._mapping(node)
        self._leave(node)
        return value

    def _list(self, node: yaml.Node) -> list[object]:
        return [self._value(item) for item in node.value]

    def _mapping(self, node: yaml.Node) -> dict[str, object]:
        made: dict[str, object] = {}
        written: set[str] = set()
        for key, value in node.value:
            if is_merge(key):
                # Go merges where the `<<` stands: over what came before, under what follows.
                for other in reversed(self._merged(value)):
                    made.update(cast(dict[str, object], self._value(other)))
                continue
            name = self._key(key)
            if name in written:
                raise self._wrong(
                    "duplicate-key",
                    f"the key `{name}` stands twice in the same mapping",
                    "Kubernetes would silently keep only the last one: remove one of them",
                    key.start_mark,
                )
            written.add(name)
            made[name] = self._value(value)
        return made

    def _merged(self, value: yaml.Node) -> list[yaml.Node]:
        found = value.value if isinstance(value, yaml.SequenceNode) else [value]
        if all(isinstance(one, yaml.MappingNode) for one in found):
            return found
        mark = value.start_mark
        raise self._wrong("key", "`<<` merges something that is no mapping", "Remove it", mark)

    def _key(self, key: yaml.Node) -> str:
        if key.__class__ is yaml.ScalarNode:
            if is_text(key.tag, key.value):
                return key.value
            name = key_text(cast(yaml.ScalarNode, key))
            if name is not None:
                return name
        mark = key.start_mark
        raise self._wrong("key", "a key must be text", "Write a name before the colon", mark)

    def _known(self, node: yaml.ScalarNode, value: object) -> object:
        mark = node.start_mark
        if value is UNKNOWN:
            raise self._wrong(
                "tag", f"`{node.value[:40]}` is not what its tag says", "Remove the tag", mark
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise self._wrong(
                "not-a-number",
                f"`{node.value}` is no number that Kubernetes knows",
                "Quote it if it is meant as text",
                mark,
            )
        return value

    def _enter(self, node: yaml.Node) -> None:
        self._left -= 1
        if self._left < 0:
            raise self._bomb(node)
        if id(node) in self._open:
            mark = node.start_mark
            raise self._wrong(
                "alias-cycle", "an alias contains itself", "Write out what is meant", mark
            )
        self._open.add(id(node))
        self._depth += 1
        if self._depth > self._limits.depth:
            raise self._too_deep(node.start_mark)

    def _leave(self, node: yaml.Node) -> None:
        self._open.discard(id(node))
        self._depth -= 1

    def _too_deep(self, mark: yaml.Mark) -> Wrong:
        most = self._limits.depth
        return self._wrong(
            "too-deep",
            f"it is nested deeper than {most} levels",
            "No manifest needs that: check the brackets and the indentation",
            mark,
        )

    def _bomb(self, node: yaml.Node) -> Wrong:
        mark = node.start_mark
        return self._wrong(
            "alias-bomb",
            "it grows too large when its aliases are expanded",
            "Write out what is meant, or split the file",
            mark,
        )

    def _syntax(self, error: yaml.MarkedYAMLError, text: str) -> Wrong:
        mark = error.problem_mark or error.context_mark
        lines = text.split("\n")
        here = lines[mark.line] if mark and mark.line < len(lines) else ""
        if "\t" in here[: len(here) - len(here.lstrip())]:
            return self._wrong("tab", "a line is indented with a tab", "Indent with spaces", mark)
        said = ", ".join(part for part in (error.context, error.problem) if part)
        return self._wrong(
            "not-yaml",
            said or "it cannot be read as YAML",
            "Check the indentation, the quotes and the colons here and in the line before",
            mark,
        )

    def _wrong(self, code: str, message: str, hint: str, mark: yaml.Mark | None) -> Wrong:
        line, column = (mark.line, mark.column) if mark else (0, 0)
        return Wrong(code, message, hint, self._line + line, column + 1)
