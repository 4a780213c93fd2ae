"""`windlass logs`: the build log, or what the running application writes."""

from typing import TYPE_CHECKING

import click

from windlass.cli.session import Session, coloured, plain, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Deployment, LogLine

EPILOG = """\b
Without DEPLOYMENT: the project's newest one; with --runtime: the live one.
Ctrl-C stops showing the log, not the deployment.

\b
Examples:
  windlass logs
  windlass logs --follow
  windlass logs depl_01jc... --level error
  windlass logs --runtime -n 50"""


@click.command(epilog=EPILOG, help="Show the log of a deployment.")
@click.argument("deployment", required=False)
@project_option
@click.option("--follow", "-f", "keep_on", is_flag=True, help="Stay until the deployment ends.")
@click.option(
    "--level", type=click.Choice(["info", "warn", "error", "success"]), help="Only this level."
)
@click.option("--lines", "-n", type=click.IntRange(1), help="Only the last N lines.")
@click.option("--runtime", is_flag=True, help="What the deployed application itself writes.")
@standard
@click.pass_obj
def logs(
    session: Session,
    deployment: str | None,
    project: str | None,
    keep_on: bool,
    level: str | None,
    lines: int | None,
    runtime: bool,
) -> None:
    from windlass.cli import watching

    if runtime and (keep_on or level):
        raise click.UsageError("--runtime knows neither --follow nor --level.")
    if keep_on and (level or lines):
        raise click.UsageError("--follow shows the whole log: leave --level and --lines out.")
    if runtime:
        _show_runtime(session, _chosen(session, deployment, project, live=True), lines or 100)
        return
    target = _chosen(session, deployment, project, live=False)
    if keep_on:
        watching.conclude(session, watching.watch(session, target))
        return
    _show(session, target, level, lines)


def _chosen(
    session: Session, deployment: str | None, project: str | None, *, live: bool
) -> "Deployment":
    from windlass.cli import linking
    from windlass.cli.errors import NoDeployment

    if deployment:
        return session.api.deployment(deployment)
    found = linking.chosen(session.api, project)
    if live:
        if found.active_deployment_id is None:
            raise NoDeployment(project=found.slug, kind="in production")
        return session.api.deployment(found.active_deployment_id)
    newest = session.api.deployments(project_id=found.id, limit=1)
    if not newest:
        raise NoDeployment(project=found.slug, kind="yet")
    return newest[0]


def _show(session: Session, target: "Deployment", level: str | None, last: int | None) -> None:
    from windlass.cli.api import as_json_list
    from windlass.cli.logview import LogView

    kept: list[LogLine] = []
    view = LogView(session)
    for line in session.api.logs(target.id, level=level):
        if last is None:
            view.show(line)
        if last is not None or session.json:
            kept.append(line)
    if last is not None:
        kept = kept[-last:]
        for line in kept:
            view.show(line)
    view.finish()
    if not target.is_finished:
        session.say("Still running; --follow stays with it.", dim=True)
    session.result(as_json_list(kept))


def _show_runtime(session: Session, target: "Deployment", lines: int) -> None:
    found = session.api.runtime_logs(target.id, lines=lines)
    clean = coloured if session.has_colour else plain
    for text in found.lines:
        session.say(clean(text))
    session.result(found.as_received)
