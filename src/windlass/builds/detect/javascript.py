"""A JavaScript configuration file read as data, as far as it is literal.

`Config.get("build.outDir")` finds what the file exports (`export default`, `module.exports`),
through `defineConfig(…)` and plugin wrappers, arrow functions, names declared in the file and
spreads. What is computed is UNKNOWN: the caller says so instead of guessing.
"""

from collections.abc import Iterator
from itertools import islice

from windlass.builds.detect.tokens import Token, tokenize
from windlass.builds.detect.values import (
    MISSING,
    UNKNOWN,
    Call,
    Function,
    Name,
    Object,
    Unknown,
    Value,
    expression,
)

_MOST_STEPS = 2000
_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")
_PATHS = frozenset(["path.resolve", "path.join", "resolve", "join", "path.posix.join"])
_HERE = frozenset(["__dirname", "import.meta.dirname", "process.cwd"])


class Config:
    """One configuration file."""

    def __init__(self, source: str) -> None:
        self.tokens = tokenize(source)
        self.imports = dict(_imports(self.tokens))
        self._declared = dict(_declarations(self.tokens))
        self._parsed: dict[int, Value] = {}
        self._steps = 0
        self._roots = [
            found
            for index in islice(_export_starts(self.tokens), 16)
            for found in self._objects(self._at(index))
        ]

    def get(self, path: str) -> Value:
        """The value at a dotted path. MISSING: the file does not set it. UNKNOWN: computed."""
        objects, value = self._roots, MISSING if self._roots else UNKNOWN
        for key in path.split("."):
            found = [entry for each in objects for entry in self._entries(each, key)]
            if not found:
                return MISSING if self._roots or not self.tokens else UNKNOWN
            value = self._resolved(found[0])
            objects = [each for entry in found for each in self._objects(entry)]
        return UNKNOWN if isinstance(value, Name | Function) else value

    def text(self, path: str) -> str | Unknown | None:
        """A string, or a path made of literals (`path.resolve(__dirname, "dist")`)."""
        value = self.get(path)
        if value is None or value == MISSING:
            return None
        return value if isinstance(value, str) else _path_of(value)

    def calls(self, method: str) -> Iterator[Value]:
        """The first argument of every `….method(argument)` in the file."""
        for index in range(len(self.tokens) - 3):
            one, two, three = self.tokens[index : index + 3]
            if one.mark in (".", "?.") and two.text == method and three.mark == "(":
                yield self._resolved(self._at(index + 3))

    def option(self, callee: str, path: str) -> Value:
        """What a dotted path of the object says that is given to `callee({…})`; MISSING: none."""
        for index in range(len(self.tokens) - 2):
            if self.tokens[index].text != callee or self.tokens[index + 1].mark != "(":
                continue
            objects, value = self._objects(self._at(index + 2)), MISSING
            for key in path.split("."):
                found = [entry for each in objects for entry in self._entries(each, key)]
                value = self._resolved(found[0]) if found else MISSING
                objects = [each for entry in found for each in self._objects(entry)]
            return value
        return MISSING

    def exports(self, name: str) -> Value:
        """The value of `export const name = …`; MISSING without one."""
        for index, token in enumerate(self.tokens[:-2]):
            words = [each.text for each in self.tokens[index + 1 : index + 3]]
            if token.text == "export" and token.kind == "name" and words == ["const", name]:
                return self._resolved(Name(name))
        return MISSING

    def _at(self, index: int) -> Value:
        if index not in self._parsed:
            self._parsed[index] = expression(self.tokens, index, 0)[0]
        return self._parsed[index]

    def _objects(self, value: Value, depth: int = 0) -> list[Object]:
        """The object literals that a value may be: an argument, a return value, a name's value."""
        self._steps += 1
        if depth > 8 or self._steps > _MOST_STEPS:
            return []
        match value:
            case Object():
                return [value]
            case Name():
                resolved = self._resolved(value)
                return [] if isinstance(resolved, Name) else self._objects(resolved, depth + 1)
            case Function(returns=values) | Call(arguments=values):
                inner = [self._objects(each, depth + 1) for each in values[:16]]
                return [found for each in inner for found in each]
            case _:
                return []

    def _entries(self, source: Object, key: str, depth: int = 0) -> list[Value]:
        """What an object holds under a key, itself or through a spread; the last one counts."""
        self._steps += len(source.entries) // 100
        for name, value in reversed(source.entries if self._steps <= _MOST_STEPS else ()):
            if name == key:
                return [value]
            if name is None and depth < 4:
                for inner in self._objects(value):
                    found = self._entries(inner, key, depth + 1)
                    if found:
                        return found
        return []

    def _resolved(self, value: Value) -> Value:
        """Follow names to what the file says they are; a circle ends as the name itself."""
        seen: set[str] = set()
        while isinstance(value, Name) and value.text in self._declared and value.text not in seen:
            seen.add(value.text)
            value = self._at(self._declared[value.text])
        return value


def _path_of(value: Value) -> str | Unknown:
    if not isinstance(value, Call) or value.callee not in _PATHS or not value.arguments:
        return UNKNOWN
    first, *rest = value.arguments
    here = (isinstance(first, Name) and first.text in _HERE) or (
        isinstance(first, Call) and first.callee in _HERE
    )
    parts = [part for part in (rest if here else value.arguments) if isinstance(part, str)]
    if len(parts) != len(rest if here else value.arguments):
        return UNKNOWN
    return "/".join(parts)


def _declarations(tokens: list[Token]) -> Iterator[tuple[str, int]]:
    """`const name: Type = …` and `function name(`: the name, and where its value starts."""
    for index, token in enumerate(tokens[:-2]):
        if token.kind != "name" or tokens[index + 1].kind != "name":
            continue
        name = tokens[index + 1].text
        if token.text in ("const", "let", "var"):
            for ahead in range(index + 2, min(index + 40, len(tokens))):
                if tokens[ahead].mark == "=":
                    yield name, ahead + 1
                    break
                if tokens[ahead].mark == ";":
                    break
        elif token.text == "function":
            yield name, index


def _imports(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    """`import name from "module"` and `const name = require("module")`."""
    for index, token in enumerate(tokens):
        if token.kind != "name":
            continue
        four = tokens[index + 1 : index + 5]
        if token.text == "import" and len(four) >= 3 and four[1].text == "from":
            yield four[0].text, four[2].text
        elif token.text == "require" and len(four) >= 2 and index >= 2 and four[1].kind == "string":
            yield tokens[index - 2].text, four[1].text


def _export_starts(tokens: list[Token]) -> Iterator[int]:
    depth = 0
    for index, token in enumerate(tokens):
        words = [each.text for each in tokens[index : index + 4]]
        if token.kind == "punct":
            depth += (token.mark in _OPENING) - (token.mark in _CLOSING)
        elif depth == 0 and token.kind == "name":
            if words[:2] == ["export", "default"]:
                yield index + 2
            elif words == ["module", ".", "exports", "="]:
                yield index + 4
            elif words[:2] == ["export", "="]:
                yield index + 2
            elif words[:2] == ["export", "{"]:
                yield from _renamed_default(tokens, index + 2)
            elif words[:3] == ["export", "const", "config"]:
                yield index + 2


def _renamed_default(tokens: list[Token], index: int) -> Iterator[int]:
    while index + 2 < len(tokens) and tokens[index].mark != "}":
        if tokens[index + 1].text == "as" and tokens[index + 2].text == "default":
            yield index
        index += 1
