"""Where a project says which version it wants, by runtime; the first that speaks counts.

A file of one language is read before those of several, and both before a manifest: that is what
the tools themselves do. Nothing here decides what is used: builds run on the machine's versions.
"""

import re
from collections.abc import Callable, Iterator

import msgspec

from windlass.builds.detect.source import Source, table, text
from windlass.builds.errors import ManifestBroken

Reader = Callable[[Source, str], str | None]
_LONGEST = 100
# The names under which .nvmrc knows the long-lived versions of Node.
_LTS = {"gallium": "16", "hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24"}
# `temurin-17.0.1` is 17.0.1; `pypy3.9` and a nightly are nothing that can be compared.
_VENDOR = re.compile(r"^(?!nightly|beta|stable)[a-z]+-(?=\d)")
_VERSION = re.compile(r"\s*[v<>=^~!]*\s*\d")
_GEMFILE = re.compile(r"^\s*ruby\s+['\"]([^'\"]{1,40})['\"]", re.MULTILINE)
_GO = re.compile(r"^go\s+(\d+(?:\.\d+)*)", re.MULTILINE)
_JAVA = re.compile(
    r"<(?:java\.version|maven\.compiler\.(?:release|source))>\s*(?:1\.)?(\d{1,2})\s*<"
)
_ELIXIR = re.compile(r"^\s*elixir:\s*\"([^\"]{1,40})\"", re.MULTILINE)


class Pin(msgspec.Struct, frozen=True):
    """`place` is how a message calls it, `wanted` a version or a range."""

    place: str
    wanted: str


class Place(msgspec.Struct, frozen=True):
    """A file that may hold a pin. `key` is said behind its name."""

    file: str
    read: Reader
    key: str = ""


def pins(source: Source, runtime: str) -> list[Pin]:
    """Every pin for a runtime, the strongest first; a workspace's top speaks after the member."""
    top = source.at(".")
    homes = [source] if source.root == "." else [source, top]
    return [pin for home in homes for pin in _of(home, runtime)]


def _of(source: Source, runtime: str) -> Iterator[Pin]:
    for place in PLACES.get(runtime, ()):
        if not source.has(place.file):
            continue
        try:
            wanted = place.read(source, place.file)
        except ManifestBroken:
            # Whoever needs the manifest says what is wrong with it; a pin alone is no reason.
            continue
        wanted = _VENDOR.sub("", wanted or "")
        if _VERSION.match(wanted) and len(wanted) <= _LONGEST:
            end = f" ({place.key})" if place.key else ""
            yield Pin(f"{source.named(place.file)}{end}", wanted)


def _first_word(source: Source, file: str) -> str | None:
    """The first line that is no comment: `v20.1`, `lts/iron`, `python-3.12.1`, `ruby-3.3`."""
    for line in (source.code(file) or "").splitlines():
        words = line.partition("#")[0].split()
        if words:
            name = words[0].lower().removeprefix("lts/")
            return _LTS.get(name) or words[0]
    return None


def _tool_versions(*names: str) -> Reader:
    """asdf's `.tool-versions`: `nodejs 20.1.0`."""

    def read(source: Source, file: str) -> str | None:
        for line in (source.code(file) or "").splitlines():
            words = line.partition("#")[0].split()
            if len(words) > 1 and words[0] in names:
                return words[1]
        return None

    return read


def _mise(*names: str) -> Reader:
    def read(source: Source, file: str) -> str | None:
        tools = table(source.toml(file).get("tools"))
        for name in names:
            value = tools.get(name)
            first = value[0] if isinstance(value, list) and value else value  # pyright: ignore
            wanted = text(first) or text(table(first).get("version"))
            if wanted:
                return wanted
        return None

    return read


def _json(*keys: str) -> Reader:
    def read(source: Source, file: str) -> str | None:
        value: object = source.json(file)
        for key in keys:
            value = table(value).get(key)
        return text(value)

    return read


def _toml(*keys: str) -> Reader:
    def read(source: Source, file: str) -> str | None:
        value: object = source.toml(file)
        for key in keys:
            value = table(value).get(key)
        return text(value)

    return read


def _found(pattern: re.Pattern[str], least: bool = False) -> Reader:
    def read(source: Source, file: str) -> str | None:
        found = pattern.search(source.code(file) or "")
        return f"{'>=' if least else ''}{found[1]}" if found else None

    return read


def _least(read: Reader) -> Reader:
    """What the manifest names is the oldest that will do."""
    return lambda source, file: f">={wanted}" if (wanted := read(source, file)) else None


def _shared(*names: str) -> tuple[Place, ...]:
    return (
        Place(".tool-versions", _tool_versions(*names)),
        Place("mise.toml", _mise(*names)),
        Place(".mise.toml", _mise(*names)),
    )


PLACES: dict[str, tuple[Place, ...]] = {
    "node": (
        Place(".nvmrc", _first_word),
        Place(".node-version", _first_word),
        *_shared("nodejs", "node"),
        Place("package.json", _json("volta", "node"), "volta"),
        Place("package.json", _json("engines", "node"), "engines"),
    ),
    "python": (
        Place(".python-version", _first_word),
        Place("runtime.txt", _first_word),
        *_shared("python"),
        Place("pyproject.toml", _toml("project", "requires-python")),
        Place("pyproject.toml", _toml("tool", "poetry", "dependencies", "python")),
        Place("Pipfile", _toml("requires", "python_version")),
    ),
    "go": (*_shared("golang", "go"), Place("go.mod", _found(_GO, least=True))),
    "rust": (
        Place("rust-toolchain.toml", _toml("toolchain", "channel")),
        Place("rust-toolchain", _first_word),
        *_shared("rust"),
        Place("Cargo.toml", _least(_toml("package", "rust-version"))),
    ),
    "ruby": (
        Place(".ruby-version", _first_word),
        *_shared("ruby"),
        Place("Gemfile", _found(_GEMFILE)),
    ),
    "php": (*_shared("php"), Place("composer.json", _json("require", "php"))),
    "java": (
        Place(".java-version", _first_word),
        *_shared("java"),
        Place("pom.xml", _found(_JAVA, least=True)),
    ),
    "dotnet": (Place("global.json", _least(_json("sdk", "version"))), *_shared("dotnet")),
    "elixir": (*_shared("elixir"), Place("mix.exs", _found(_ELIXIR))),
    "deno": _shared("deno"),
    "bun": (Place(".bun-version", _first_word), *_shared("bun")),
    "hugo": _shared("hugo", "gohugo"),
    "zola": _shared("zola"),
}
