"""`windlass rollback`, `promote`, `cancel`, `redeploy`: which one is live, stops, comes again."""

import time
from typing import TYPE_CHECKING

import click

from windlass.cli.session import Session, plain, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Deployment

SWITCH_SECONDS = 120.0

ROLLBACK = """\b
Without DEPLOYMENT: the READY one that was in production before the live one.
Nothing is built; the switch is atomic and no request fails. A server runs with the variables that
it had then; --todays-variables starts the same files with those of today.

\b
Examples:
  windlass rollback
  windlass rollback depl_01jc... --reason "checkout is broken"
  windlass rollback --todays-variables
  windlass rollback --project shop"""

PROMOTE = """\b
Without DEPLOYMENT: the project's newest READY preview.

\b
Examples:
  windlass promote
  windlass promote depl_01jc..."""

REDEPLOY = """\b
Without DEPLOYMENT: the project's newest one. The same files are built with today's settings and
variables; --clean forgets the caches first.

\b
Examples:
  windlass redeploy
  windlass redeploy depl_01jc... --clean"""

CANCEL = """\b
Without DEPLOYMENT: the project's newest one that has not ended.

\b
Examples:
  windlass cancel
  windlass cancel depl_01jc..."""


@click.command(epilog=ROLLBACK, help="Go back to an earlier deployment, at once.")
@click.argument("deployment", required=False)
@project_option
@click.option("--reason", metavar="TEXT", help="Kept with the deployment.")
@click.option("--todays-variables", is_flag=True, help="Not with those of its own time.")
@click.option("--no-wait", is_flag=True, help="Do not wait until it is live.")
@standard
@click.pass_obj
def rollback(
    session: Session,
    deployment: str | None,
    project: str | None,
    reason: str | None,
    todays_variables: bool,
    no_wait: bool,
) -> None:
    from windlass.cli import choosing, linking

    api = session.api
    chosen = deployment or choosing.previous(api, linking.chosen(api, project)).id
    told = _last_error(session, chosen)
    answer = api.rollback(chosen, reason=reason, todays_variables=todays_variables)
    _finish(session, answer, "Rolled back to", told=None if no_wait else told)


@click.command(epilog=PROMOTE, help="Make a preview the production deployment.")
@click.argument("deployment", required=False)
@project_option
@click.option("--no-wait", is_flag=True, help="Do not wait until it is live.")
@standard
@click.pass_obj
def promote(session: Session, deployment: str | None, project: str | None, no_wait: bool) -> None:
    from windlass.cli import choosing, linking

    api = session.api
    chosen = deployment or choosing.newest_preview(api, linking.chosen(api, project)).id
    told = _last_error(session, chosen)
    _finish(session, api.promote(chosen), "Promoted", told=None if no_wait else told)


@click.command(epilog=CANCEL, help="Cancel a deployment that is still running.")
@click.argument("deployment", required=False)
@project_option
@standard
@click.pass_obj
def cancel(session: Session, deployment: str | None, project: str | None) -> None:
    from windlass.cli import choosing, linking

    api = session.api
    chosen = deployment or choosing.running(api, linking.chosen(api, project)).id
    cancelled = api.cancel(chosen)
    session.say(f"Cancelled {cancelled.id}.")
    session.result(cancelled.as_received)


@click.command(epilog=REDEPLOY, help="Build the same source once more, as a new deployment.")
@click.argument("deployment", required=False)
@project_option
@click.option("--clean", is_flag=True, help="Build without caches.")
@click.option("--no-wait", is_flag=True, help="Return as soon as the deployment is queued.")
@standard
@click.pass_obj
def redeploy(
    session: Session, deployment: str | None, project: str | None, clean: bool, no_wait: bool
) -> None:
    from windlass.cli import choosing, linking, watching

    api = session.api
    chosen = deployment or choosing.newest(api, linking.chosen(api, project)).id
    made = watching.create_held(session, lambda: api.redeploy(chosen, clean=clean))
    if no_wait:
        session.say(f"Queued {made.id}. Follow it with: windlass logs {made.id} --follow")
        session.result(made.as_received)
        return
    watching.conclude(session, watching.watch_or_cancel(session, made))


def _last_success(session: Session, deployment_id: str) -> str | None:
    """What the switch itself wrote: which variables it runs with."""
    lines = list(session.api.logs(deployment_id, level="success"))
    return lines[-1].message if lines else None


def _last_error(session: Session, deployment_id: str) -> int:
    """The number of the last error in its log, so that a later one can be told from it."""
    errors = list(session.api.logs(deployment_id, level="error"))
    return errors[-1].seq if errors else 0


def _finish(session: Session, deployment: "Deployment", done: str, *, told: int | None) -> None:
    """`told`: the last error before the switch was asked for; None: do not wait for it."""
    if told is not None:
        deployment = _live(session, deployment, told)
        session.say(f"{done} {deployment.id}.")
        if said := _last_success(session, deployment.id):
            session.say(plain(said))
    else:
        session.say(f"Asked for. See it with: windlass status --project {deployment.project.slug}")
    # A promoted preview keeps its own address; what changed is what the project's serves.
    project = session.api.project(deployment.project_id)
    if project.url and project.answers:
        session.say(project.url, bold=True)
    session.result(deployment.as_received)


def _live(session: Session, deployment: "Deployment", told: int) -> "Deployment":
    """Waits until the deployment serves production: a server is started before the switch.

    A switch that fails leaves the deployment READY; the reason is an error in its log.
    """
    from windlass.cli import watching
    from windlass.cli.errors import Failed

    deadline = time.monotonic() + SWITCH_SECONDS
    pause = 0.02
    while not deployment.is_active:
        if deployment.status in {"error", "cancelled"}:
            raise watching.DeploymentFailed(reason=watching.reason(deployment))
        for line in session.api.logs(deployment.id, after=told, level="error"):
            raise Failed(reason=f"The switch failed, nothing has changed: {line.message}")
        if time.monotonic() > deadline:
            raise Failed(reason=f"{deployment.id} is not live after {SWITCH_SECONDS:.0f} s.")
        time.sleep(pause)
        pause = min(0.5, pause * 1.5)
        deployment = session.api.deployment(deployment.id)
    return deployment
