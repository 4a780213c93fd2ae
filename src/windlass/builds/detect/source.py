"""What detectors see of a tree: the files below one root, parsed; errors name the file."""

import json
import tomllib
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import cast

import yaml

from windlass.builds.errors import ManifestBroken
from windlass.builds.paths import join, normal
from windlass.builds.plan import MANIFEST_BYTES, Tree
from windlass.core.languages import N_

Table = dict[str, object]
SKIPPED = frozenset(
    [
        "node_modules",
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "__pycache__",
        ".tox",
        ".nox",
        "site-packages",
        ".next",
        ".nuxt",
        ".windlass",
        ".turbo",
        ".yarn",
        ".mypy_cache",
        ".pytest_cache",
        "bower_components",
    ]
)
_SOURCE_BYTES = 128 << 10
_YAML_BYTES = 64 << 10
_DEEPEST = 60
_NO_CONTENT = N_("it is a link; put the file itself there")


class Source:
    """The files below `root`; paths that it takes and gives are relative to `root`."""

    def __init__(self, tree: Tree, root: str = ".", *, everything: list[str] | None = None) -> None:
        self._tree = tree
        self._folders: dict[str, Source] = {root: self}
        self.remembered: dict[str, object] = {}
        """What was found out once for the whole tree; shared with what `at` gives."""
        self._everything = _sensible(tree.paths()) if everything is None else everything
        self.root = root

    @cached_property
    def files(self) -> list[str]:
        """Sorted, without what tools made and without names that no manifest has."""
        if self.root == ".":
            return self._everything
        # The list is sorted: what lies below a folder stands together.
        first = bisect_left(self._everything, f"{self.root}/")
        last = bisect_left(self._everything, f"{self.root}0", first)
        start = len(self.root) + 1
        return [path[start:] for path in self._everything[first:last]]

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.files)

    def at(self, folder: str) -> "Source":
        """The same tree seen from another folder (relative to the tree's top)."""
        if folder not in self._folders:
            found = Source(self._tree, folder, everything=self._everything)
            found._folders, found.remembered = self._folders, self.remembered
            self._folders[folder] = found
        return self._folders[folder]

    def has(self, path: str) -> bool:
        return path in self._known

    def has_folder(self, path: str) -> bool:
        return path == "." or any(file.startswith(f"{path}/") for file in self.files)

    def first(self, *paths: str) -> str | None:
        return next((path for path in paths if path in self._known), None)

    def text(self, path: str, limit: int = MANIFEST_BYTES) -> str:
        """A manifest's text. Raises ManifestBroken when it is no UTF-8 text of a sane size."""
        content, name = self.raw(path, limit), self.named(path)
        if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in content[:200]:
            raise ManifestBroken(
                file=name, reason=N_("it is not UTF-8 (UTF-16?); save it as UTF-8")
            )
        try:
            return content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            reason = N_("byte {position} is not UTF-8; save it as UTF-8").format(
                position=error.start
            )
            raise ManifestBroken(file=name, reason=reason) from error

    def raw(self, path: str, limit: int) -> bytes:
        content = self._tree.read(join(self.root, path), limit + 1)
        if content is None:
            raise ManifestBroken(file=self.named(path), reason=_NO_CONTENT)
        if len(content) > limit:
            raise ManifestBroken(
                file=self.named(path),
                reason=N_("it is larger than {size} KiB").format(size=limit >> 10),
            )
        return content

    def head(self, path: str, limit: int = 4096) -> str:
        """The start of a file that may be large, such as a lock file."""
        content = self._tree.read(join(self.root, path), limit) or b""
        return content[:limit].decode("utf-8", "replace")

    def code(self, path: str) -> str | None:
        """A source file's text; None when it is too large or no text: then it is no evidence."""
        try:
            return self.text(path, _SOURCE_BYTES)
        except ManifestBroken:
            return None

    def json(self, path: str) -> Table:
        try:
            return self._object(path, json.loads(self.text(path)))
        except json.JSONDecodeError as error:
            reason = N_("line {line}, column {column}: {problem}").format(
                line=error.lineno, column=error.colno, problem=error.msg
            )
            raise ManifestBroken(file=self.named(path), reason=reason) from error
        except (RecursionError, ValueError) as error:
            reason = N_("it is nested too deeply or holds an impossible number")
            raise ManifestBroken(file=self.named(path), reason=reason) from error

    def toml(self, path: str) -> Table:
        try:
            return cast(Table, tomllib.loads(self.text(path)))
        except tomllib.TOMLDecodeError as error:
            reason = N_("it is no TOML ({problem})").format(problem=error)
            raise ManifestBroken(file=self.named(path), reason=reason) from error
        except (RecursionError, ValueError) as error:
            reason = N_("it is nested too deeply or holds an impossible number")
            raise ManifestBroken(file=self.named(path), reason=reason) from error

    def yaml(self, path: str) -> Table:
        """Tags that only the tool itself understands (`!!python/name:…`, `!ENV`) read as None."""
        text = self.text(path, _YAML_BYTES)
        if bracket_depth(text) > _DEEPEST:
            raise ManifestBroken(file=self.named(path), reason=N_("it is nested too deeply"))
        try:
            return self._object(path, yaml.load(text, _Loader))  # noqa: S506 - a SafeLoader
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            reason = N_("in line {line}: {problem}").format(
                line=line, problem=error.problem or "not YAML"
            )
            raise ManifestBroken(file=self.named(path), reason=reason) from error
        except (yaml.YAMLError, RecursionError, ValueError, TypeError, LookupError) as error:
            raise ManifestBroken(file=self.named(path), reason=N_("it is not YAML")) from error

    def named(self, path: str) -> str:
        """How a message calls the file: from the top of the source."""
        return join(self.root, path)

    def _object(self, path: str, value: object) -> Table:
        if not isinstance(value, dict):
            reason = (
                N_("it must hold an object and holds a list")
                if isinstance(value, list)
                else N_("it must hold an object and holds something else")
            )
            raise ManifestBroken(file=self.named(path), reason=reason)
        return cast(Table, value)


class _Loader(yaml.SafeLoader):
    """Safe, and it does not stop at tags that are somebody else's."""


def _nothing(_loader: object, _suffix: str, _node: object) -> None:
    return None


_Loader.add_multi_constructor("!", _nothing)  # pyright: ignore[reportUnknownMemberType]
_Loader.add_multi_constructor("tag:", _nothing)  # pyright: ignore[reportUnknownMemberType]


def bracket_depth(text: str) -> int:
    """How deep brackets nest, those in strings counted too: parsers are only given sane depths."""
    depth = deepest = 0
    for char in text:
        if char in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in ")]}":
            depth = max(0, depth - 1)
    return deepest


def table(value: object) -> Table:
    """The object at this place of a manifest; an empty one when something else stands there."""
    return cast(Table, value) if isinstance(value, dict) else {}


def texts(value: object) -> list[str]:
    """The strings of a list; none when something else stands there."""
    if not isinstance(value, list):
        return []
    return [item for item in cast(list[object], value) if isinstance(item, str)]


def text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _sensible(paths: Sequence[str]) -> list[str]:
    plain = {path for path in paths if _is_plain(path)}
    return sorted(path for path in plain if not SKIPPED.intersection(path.split("/")[:-1]))


def _is_plain(path: str) -> bool:
    if not path or path.startswith("/") or "\x00" in path or "\n" in path:
        return False
    return normal(path) == path and path.isprintable()
