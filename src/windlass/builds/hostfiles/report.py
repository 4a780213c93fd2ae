"""What one file of another host says, in our terms, and a row for everything that it says."""

from typing import Literal

import msgspec
from msgspec.structs import replace

from windlass.core.rules import HeaderRule, Rule

Verdict = Literal["exact", "adapted", "impossible"]
_MOST_ROWS = 60
_LONGEST_DETAIL = 300


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One setting of a file: `exact` does here what it did there, `adapted` nearly, with the
    difference in `detail`, `impossible` nothing, with the reason."""

    file: str
    key: str
    verdict: Verdict
    detail: str = ""


class Variable(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A variable that a file names. `value` is None when somebody has to give it."""

    name: str
    file: str
    value: str | None = None
    detail: str = ""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a file that a plan has, too. None: not said; "": none."""

    root_directory: str | None = None
    install_command: str | None = None
    build_command: str | None = None
    output_directory: str | None = None
    start_command: str | None = None
    release_command: str | None = None
    health_path: str | None = None
    port: int | None = None
    clean_urls: bool | None = None
    env: dict[str, str] = {}


class Refused(Exception):
    """Something of a file cannot be done here; the text says why, as a clause."""


class Reader:
    """Collects what a file says while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.rows: list[Row] = []
        self.rules: list[Rule] = []
        self.headers: list[HeaderRule] = []
        self.variables: list[Variable] = []
        self.wishes = Wishes()
        self.trailing_slash: bool | None = None
        self._counts: dict[tuple[str, Verdict], int] = {}

    def exact(self, key: str, detail: str = "") -> None:
        self._row(key, "exact", detail)

    def adapted(self, key: str, detail: str) -> None:
        self._row(key, "adapted", detail)

    def impossible(self, key: str, detail: str) -> None:
        self._row(key, "impossible", detail)

    def wish(self, **said: object) -> None:
        """Settings for the plan."""
        self.wishes = replace(self.wishes, **said)

    def variable(self, name: str, value: str | None = None, detail: str = "") -> None:
        """A variable: one with a value is set for build and start, as windlass.toml's `env`."""
        self.variables.append(Variable(name=name, file=self.file, value=value, detail=detail))
        if value is not None:
            self.wish(env={**self.wishes.env, name: value})

    def count(self, key: str, number: int, noun: str) -> None:
        """One row for many that are all done as they are."""
        if number:
            self.exact(key, f"{number} {noun}{'' if number == 1 else 's'}")

    def _row(self, key: str, verdict: Verdict, detail: str) -> None:
        kind = (key.split("[")[0].split(", line")[0], verdict)
        self._counts[kind] = seen = self._counts.get(kind, 0) + 1
        if seen > _MOST_ROWS:
            if seen == _MOST_ROWS + 1:
                text = "and more of the same; the first ones are listed"
                self.rows.append(Row(file=self.file, key=kind[0], verdict=verdict, detail=text))
            return
        if len(detail) > _LONGEST_DETAIL:
            detail = detail[:_LONGEST_DETAIL] + "…"
        self.rows.append(Row(file=self.file, key=key[:120], verdict=verdict, detail=detail))
