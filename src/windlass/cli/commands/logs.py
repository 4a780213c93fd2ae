"""`windlass logs`: the build log, or what the running application writes."""

from typing import TYPE_CHECKING

import click

from windlass.cli.session import Session, project_option, standard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.cli.schemas import Deployment, LogLine

EPILOG = """\b
Without DEPLOYMENT: the project's newest one; for what the application writes: the live one.
--follow stays with a build until it ends, or with an application for as long as you listen: with
its output when nothing is being built, and always with --runtime, --process or --search.
Ctrl-C stops showing the log, not the deployment.

\b
Examples:
  windlass logs
  windlass logs --follow
  windlass logs depl_01jc... --level error
  windlass logs --runtime -n 50
  windlass logs -f --process worker --search timeout"""


@click.command(epilog=EPILOG, help="Show the log of a deployment, or of the application.")
@click.argument("deployment", required=False)
@project_option
@click.option("--follow", "-f", "keep_on", is_flag=True, help="Stay and show what comes.")
@click.option(
    "--level", type=click.Choice(["info", "warn", "error", "success"]), help="Only this level."
)
@click.option("--lines", "-n", type=click.IntRange(1), help="Only the last N lines.")
@click.option("--runtime", is_flag=True, help="What the deployed application itself writes.")
@click.option("--process", metavar="NAME", help="Only this process of the application: web, …")
@click.option("--search", metavar="TEXT", help="Only lines of the application with this text.")
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
    process: str | None,
    search: str | None,
) -> None:
    from windlass.cli import watching

    wanted = {"process": process, "search": search, "level": level}
    if runtime or process or search:
        if level == "success":
            raise click.UsageError("Applications write lines of the levels info, warn and error.")
        live = _chosen(session, deployment, project, live=True)
        _show_runtime(session, live, wanted, lines, keep_on=keep_on)
        return
    if keep_on and (level or lines):
        raise click.UsageError("--follow shows the whole log: leave --level and --lines out.")
    target = _chosen(session, deployment, project, live=False)
    if keep_on and deployment is None and target.runs:
        live = _chosen(session, deployment, project, live=True) if target.is_preview else target
        _show_runtime(session, live, wanted, lines, keep_on=True)
        return
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


def _show_runtime(
    session: Session,
    target: "Deployment",
    wanted: "Mapping[str, str | None]",
    lines: int | None,
    *,
    keep_on: bool,
) -> None:
    from windlass.cli import tailing
    from windlass.cli.api import as_json_list

    with_name = wanted["process"] is None
    if not keep_on:
        found = session.api.runtime_lines(target.id, lines=lines or 100, wanted=wanted)
        for line in found:
            tailing.show(session, line, with_name=with_name)
        session.result(as_json_list(found))
        return
    coming = tailing.follow(
        session.api, target.id, wanted=wanted, lines=lines or 20, on_trouble=session.warn
    )
    for line in coming:
        if session.json:
            session.result(line.as_received)
        else:
            tailing.show(session, line, with_name=with_name)
