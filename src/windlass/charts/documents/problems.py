"""What can be wrong with a text, where, and what to do about it."""

import msgspec

Path = tuple[str | int, ...]
"""Keys and indexes from the top: `("spec", "containers", 0, "image")`."""


class Place(msgspec.Struct, frozen=True):
    """Where something stands in its file: lines and columns count characters from 1."""

    line: int
    column: int
    end_line: int
    end_column: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that keeps a document from being read."""

    code: str
    message: str
    hint: str
    line: int
    column: int
    document: int = 0
    file: str = ""

    def __str__(self) -> str:
        return f"{self.file or 'input'}:{self.line}:{self.column}: {self.message}. {self.hint}"


class Unreadable(Exception):
    """The text has problems; `problems` holds all of them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def dotted(path: Path) -> str:
    """A path as people write it: `spec.containers[0].image`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
