"""`windlass rollback`, `promote` and `cancel`: which deployment is live, and which stops."""

import time
from typing import TYPE_CHECKING

import click

from windlass.cli.session import Session, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Deployment

SWITCH_SECONDS = 120.0

ROLLBACK = """\b
Without DEPLOYMENT: the READY one that was in production before the live one.
Nothing is built; the switch is atomic and no request fails.

\b
Examples:
  windlass rollback
  windlass rollback depl_01jc... --reason "checkout is broken"
  windlass rollback --project shop"""

PROMOTE = """\b
Without DEPLOYMENT: the project's newest READY preview.

\b
Examples:
  windlass promote
  windlass promote depl_01jc..."""

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
@click.option("--no-wait", is_flag=True, help="Do not wait until it is live.")
@standard
@click.pass_obj
def rollback(
    session: Session,
    deployment: str | None,
    project: str | None,
    reason: str | None,
    no_wait: bool,
) -> None:
    from windlass.cli import choosing, linking

    api = session.api
    chosen = deployment or choosing.previous(api, linking.chosen(api, project)).id
    _finish(session, api.rollback(chosen, reason=reason), "Rolled back to", wait=not no_wait)


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
    _finish(session, api.promote(chosen), "Promoted", wait=not no_wait)


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


def _finish(session: Session, deployment: "Deployment", done: str, *, wait: bool) -> None:
    if wait:
        deployment = _live(session, deployment)
        session.say(f"{done} {deployment.id}.")
    else:
        session.say(f"Asked for. See it with: windlass status --project {deployment.project.slug}")
    if deployment.url:
        session.say(deployment.url, bold=True)
    session.result(deployment.as_received)


def _live(session: Session, deployment: "Deployment") -> "Deployment":
    """Waits until the deployment serves production: a server is started before the switch."""
    from windlass.cli import watching
    from windlass.cli.errors import Failed

    if not deployment.is_finished:
        deployment = watching.watch(session, deployment)
    deadline = time.monotonic() + SWITCH_SECONDS
    pause = 0.05
    while not deployment.is_active:
        if deployment.status != "ready" or deployment.error_message:
            raise watching.DeploymentFailed(reason=watching.reason(deployment))
        if time.monotonic() > deadline:
            raise Failed(reason=f"{deployment.id} is not live after {SWITCH_SECONDS:.0f} s.")
        time.sleep(pause)
        pause = min(1.0, pause * 1.5)
        deployment = session.api.deployment(deployment.id)
    return deployment
