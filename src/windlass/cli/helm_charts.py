"""Charts on the command line: a folder or a .tgz file, values, and what Helm makes of them."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import click

from windlass.cli.errors import CliError

if TYPE_CHECKING:
    from windlass.charts.checks.engine import Report
    from windlass.charts.helm.rendered import Sorted
    from windlass.charts.helm.setting import Values
    from windlass.helm.errors import HelmFailed
    from windlass.helm.process import Asked, Rendered

Function = TypeVar("Function", bound=Callable[..., None])

_PROBE_SECONDS = 3.0
_SETS = ("set", "set-string", "set-json", "set-literal")


class CannotRender(CliError):
    """{reason}"""

    exit_code = 2

    def __init__(self, *, chart: str, failed: "HelmFailed") -> None:
        place = f"{failed.file}:{failed.line}: " if failed.file else ""
        super().__init__(reason=f"{place}{failed.message}")
        self.failed = failed
        self.chart = chart

    @property
    def advice(self) -> str:
        return self.failed.hint

    @property
    def details(self) -> dict[str, object]:
        shown = ("code", "message", "hint", "file", "line", "column", "values")
        return {"chart": self.chart, **{name: getattr(self.failed, name) for name in shown}}


class BadValues(CliError):
    """{file} holds no values: {reason}"""

    exit_code = 2


def given_values(function: Function) -> Function:
    """The options with which a chart gets its values, as Helm has them."""
    for name in reversed(_SETS):
        option = click.option(f"--{name}", metavar="KEY=VALUE", multiple=True, help="A value.")
        function = option(function)
    many = click.option(
        *("-f", "--values"),
        metavar="FILE",
        multiple=True,
        help="Values for charts; may be repeated, the last one wins.",
    )
    return many(function)


def is_chart(path: Path) -> bool:
    return path.name.endswith(".tgz") or (path / "Chart.yaml").is_file()


def values_of(given: dict[str, object]) -> "Values":
    """What the options of `given_values` set. Raises BadValues."""
    from windlass.charts.documents import Unreadable, load
    from windlass.charts.helm import setting

    merged: setting.Values = {}
    for file in _words(given, "values"):
        try:
            documents = load(Path(file).read_bytes(), file)
        except (Unreadable, OSError) as error:
            raise BadValues(file=file, reason=error) from error
        for document in documents:
            if not isinstance(document.data, dict):
                raise BadValues(file=file, reason="it is no table of keys")
            setting.merge(merged, document.data)
    texts = [(name, text) for name in _SETS for text in _words(given, name.replace("-", "_"))]
    try:
        return setting.apply(merged, texts)
    except setting.NotAnAssignment as error:
        raise BadValues(file="the command", reason=error.message) from error


class Given(NamedTuple):
    """A chart that was rendered."""

    made: "Rendered"
    found: "Sorted"
    notes: tuple[str, ...]
    """About what Helm did not get to see."""
    data: bytes
    asked: "Asked"


def render(path: Path, values: "Values", **asked: object) -> Given:
    """What Helm makes of the chart. Raises CannotRender."""
    from windlass.charts.helm import rendered
    from windlass.helm import archive, process
    from windlass.helm.errors import HelmFailed

    try:
        packed = archive.folder(path) if path.is_dir() else archive.clean(path.read_bytes())
        wanted = process.Asked(**asked)  # pyright: ignore[reportArgumentType]
        made = asyncio.run(process.render(packed.data, values, wanted))
    except HelmFailed as error:
        raise CannotRender(chart=str(path), failed=error) from error
    found = rendered.sort(made.templates, made.crds, chart=made.metadata.name)
    return Given(made, found, packed.notes, packed.data, wanted)


def with_keys(report: "Report", charts: "list[Given]", values: "Values") -> "Report":
    """The findings of charts, with the keys of values that they come from, where a few seconds
    tell."""
    import msgspec

    from windlass.charts.helm import keys
    from windlass.helm import process
    from windlass.helm.errors import HelmFailed

    findings = dict(enumerate(report.findings))
    for chart in charts:
        own = [
            index
            for index, one in findings.items()
            if one.file in chart.made.templates and one.kind and one.skipped is None
        ]
        asked = [findings[index] for index in own]
        tried = keys.tries(asked, chart.made.templates, chart.made.values)
        if not tried:
            continue
        changed = [one.on(values) for one in tried]
        try:
            answers = asyncio.run(
                process.probe(
                    chart.data, values, chart.asked, probes=changed, seconds=_PROBE_SECONDS
                )
            )
        except HelmFailed:
            continue  # the report stands without them
        told = keys.found(asked, chart.made.templates, tried, answers)
        findings |= dict(zip(own, told, strict=True))
    return msgspec.structs.replace(report, findings=list(findings.values()))


def _words(given: dict[str, object], name: str) -> tuple[str, ...]:
    value = given.get(name)
    return tuple(map(str, value)) if isinstance(value, tuple) else ()
