"""Regular expressions of strangers, matched in time that grows with the text and no faster.

Python's own `re` walks back: an expression such as `(a+)+b` keeps it busy for ever, and the edge
serves everybody from one loop. RE2 never walks back; what it cannot do (lookaround, references
back) it refuses. It is imported when the first site needs it, so others do not carry its memory.
"""

from importlib import import_module
from typing import Protocol, cast

_BYTES_OF_MEMORY = 128 << 10


class Pattern(Protocol):
    """A compiled expression; `size` is what matching costs for each character at the worst."""

    size: int

    def whole(self, text: str) -> dict[str, str] | None:
        """The named groups when the whole text matches; those that took no part are empty."""
        ...

    def begins(self, text: str) -> bool:
        """Whether it matches at the start of the text."""
        ...


class _Match(Protocol):
    def groupdict(self, default: str = ...) -> dict[str, str]: ...


class _Compiled(Protocol):
    programsize: int

    def fullmatch(self, text: str) -> _Match | None: ...
    def match(self, text: str) -> _Match | None: ...


class _Options(Protocol):
    max_mem: int
    log_errors: bool


class _Module(Protocol):
    """What is used of RE2's binding, which has no types of its own."""

    error: type[Exception]

    def Options(self) -> _Options: ...
    def compile(self, pattern: str, options: _Options) -> _Compiled: ...


class _Pattern:
    __slots__ = ("_compiled", "size")

    def __init__(self, compiled: _Compiled) -> None:
        self._compiled = compiled
        self.size = compiled.programsize

    def whole(self, text: str) -> dict[str, str] | None:
        match = self._compiled.fullmatch(text)
        return None if match is None else match.groupdict("")

    def begins(self, text: str) -> bool:
        return self._compiled.match(text) is not None


def compile(pattern: str) -> Pattern:
    """Raises ValueError with the reason, as `invalid perl operator: (?=`."""
    re2 = cast(_Module, import_module("re2"))
    options = re2.Options()
    options.max_mem = _BYTES_OF_MEMORY
    options.log_errors = False
    try:
        return _Pattern(re2.compile(pattern, options))
    except re2.error as error:
        first = cast(object, error.args[0]) if error.args else ""
        reason = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
        raise ValueError(reason or "it cannot be matched in linear time") from error
