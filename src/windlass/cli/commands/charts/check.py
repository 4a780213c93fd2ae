"""`windlass charts check`: what is wrong with Kubernetes manifests."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli import helm_charts, manifests
from windlass.cli.manifests import CannotCheck
from windlass.cli.session import Session, standard

if TYPE_CHECKING:
    from windlass.charts.checks.engine import Report

EPILOG = """\b
All files together are one application: a Service finds its pods in another file. A folder is
searched for manifests; `-` reads standard input. A Helm chart (its folder, or a .tgz file) is
rendered with the values given, and each finding names its template. To let a finding pass, write
its reason into the object:  metadata.annotations:  checks.windlass.dev/skip-RULE: the reason

\b
Exit codes: 0 nothing to stop for, 1 errors (or what --fail-on says), 2 it could not be checked.

\b
Examples:
  windlass charts check k8s/
  kustomize build . | windlass charts check -
  windlass charts check k8s/ --profile restricted --kubernetes 1.33
  windlass charts check k8s/ --format sarif --output findings.sarif
  windlass charts check ./shop -f prod.yaml --set image.tag=v2"""


@click.command("check", epilog=EPILOG, help="Say what is wrong with manifests.")
@click.argument("paths", nargs=-1, required=True)
@manifests.chosen
@helm_charts.given_values
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "junit"]),
    default="text",
    show_default=True,
    help="How to tell it.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write it into this file.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info"]),
    default="error",
    show_default=True,
    help="The mildest finding that makes the exit code 1.",
)
@standard
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[str, ...],
    form: str,
    output: str | None,
    fail_on: str,
    **given: object,
) -> None:
    # It ends soon and makes no cycles: looking for garbage would be half of its time.
    gc.disable()
    from windlass.charts import reports
    from windlass.charts.checks import engine
    from windlass.charts.documents import read

    session = ctx.find_object(Session) or Session()
    options, extra = manifests.options_of(given)
    charts = [one for one in map(Path, paths) if helm_charts.is_chart(one)]
    files = manifests.collect(one for one in paths if Path(one) not in charts)
    for chart in files.charts:
        session.warn(f"{chart} is a Helm chart: check it on its own, or render it first.")
    readings = [read(text, file) for file, text in files.texts.items()]
    values = helm_charts.values_of(given)
    rendered = [
        helm_charts.render(
            chart, values, namespace=options.namespace or "default", kubernetes=options.kubernetes
        )
        for chart in charts
    ]
    for one in rendered:
        readings += one.found.readings
        for note in one.notes:
            session.warn(note)
    try:
        report = engine.check(readings, options, extra=extra)
    except engine.UnknownRule as error:
        raise CannotCheck(reason=error) from error
    if not report.objects and report.is_complete:
        raise CannotCheck(reason="There is no Kubernetes object in what was given.")
    if rendered:
        report = helm_charts.with_keys(report, rendered, values)
    shown = reports.render(report, "json" if session.json else form)
    if output is None:
        click.echo(shown, nl=False)
    else:
        Path(output).write_text(shown, encoding="utf-8")
    ctx.exit(_code(report, fail_on))


def _code(report: "Report", fail_on: str) -> int:
    if not report.is_complete:
        return 2
    levels = ["error", "warning", "info"]
    stopping = levels[: levels.index(fail_on) + 1]
    return int(any(one.severity.value in stopping for one in report.counted))
