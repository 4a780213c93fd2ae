"""docs/examples.md: what each example became and how long it took, written by the long variant."""

import datetime as dt
import os
import re
from pathlib import Path
from typing import Any

import msgspec

FILE = Path(__file__).parents[2] / "docs" / "examples.md"
_TOOK = re.compile(r"(install|build) took ([\d.]+) s")
_HEAD = "| example | becomes | runs on | install | build | ready after | measured |"


class Row(msgspec.Struct, frozen=True):
    """Seconds of one deployment from nothing: no dependencies and no caches were there before."""

    label: str
    runtime: str
    install: str
    build: str
    ready: str

    @classmethod
    def of(cls, done: dict[str, Any], log: list[str]) -> "Row":
        steps = {found[1]: found[2] for line in log if (found := _TOOK.match(line))}
        start, end = (dt.datetime.fromisoformat(done[key]) for key in ("createdAt", "finishedAt"))
        plan = done["plan"]
        kind = {"static": "site", "worker": "no web process"}.get(plan["kind"], plan["kind"])
        return cls(
            f"{plan['label']}, {kind}",
            "—" if plan["runtime"] == "none" else plan["runtime"],
            f"{steps['install']} s" if "install" in steps else "—",
            f"{steps['build']} s" if "build" in steps else "—",
            f"{(end - start).total_seconds():.1f} s",
        )


class Table:
    """The rows of the file by example; those that are measured again replace what stood there."""

    def __init__(self) -> None:
        self._rows: dict[str, str] = {}

    def add(self, name: str, row: Row) -> None:
        cells = (row.label, row.runtime, row.install, row.build, row.ready, _today())
        self._rows[name] = " | ".join(cells)

    def refused(self, name: str, message: str) -> None:
        sentence = message.partition(". ")[0].replace("|", "/")
        self._rows[name] = f"refused: {sentence} | — | — | — | — | {_today()}"

    def write(self) -> None:
        """Examples that are gone leave; the text above the table is written by people."""
        before, rows = _read()
        # A machine without a toolchain does not take back what another measured.
        refused = {name for name, row in self._rows.items() if row.startswith("refused")}
        rows = {**rows, **{n: row for n, row in self._rows.items() if n not in refused & {*rows}}}
        lines = [
            f"| [{name}](../tests/examples/{name}) | {rows[name]} |"
            for name in sorted(rows)
            if (FILE.parents[1] / "tests" / "examples" / name).is_dir()
        ]
        head = [_HEAD, f"|{'---|' * (_HEAD.count('|') - 1)}"]
        FILE.write_text("\n".join([before.rstrip(), "", *head, *lines, ""]))


def _read() -> tuple[str, dict[str, str]]:
    text = FILE.read_text() if FILE.exists() else "# Examples\n"
    before, _, table = text.partition(_HEAD)
    found = re.findall(r"^\| \[([\w-]+)\]\(\S+\) \| (.*) \|$", table, re.MULTILINE)
    return before, dict(found)


def _today() -> str:
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {os.cpu_count()} cores"
