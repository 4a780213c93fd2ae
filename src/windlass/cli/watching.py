"""Stays with a running deployment until it ends, and says how it ended."""

from collections.abc import Callable

from windlass.cli import signals
from windlass.cli.amounts import seconds
from windlass.cli.api import Api
from windlass.cli.client import ApiError
from windlass.cli.errors import CliError, Failed
from windlass.cli.follow import follow
from windlass.cli.logview import LogView
from windlass.cli.schemas import Deployment, LogLine
from windlass.cli.session import Session, plain


class DeploymentFailed(Failed):
    """{reason}"""


def watch(session: Session, deployment: Deployment, *, after: int | None = None) -> Deployment:
    """Shows the live log until the end; returns the deployment in its last state."""
    view = LogView(session)
    for event in follow(session.api, deployment.id, after=after, on_trouble=session.warn):
        if isinstance(event, LogLine):
            view.show(event)
            continue
        deployment = event
        if event.status == "queued":
            session.say(f"Queued{place(event)}.", dim=True)
    view.finish()
    return deployment


def watch_or_cancel(session: Session, deployment: Deployment) -> Deployment:
    """The same, but an interrupt cancels the deployment on the server before it goes on."""
    try:
        return watch(session, deployment)
    except KeyboardInterrupt:
        cancel_after_interrupt(session, deployment)
        raise


def cancel_after_interrupt(session: Session, deployment: Deployment) -> None:
    """Cancels over a connection of its own: the interrupted one may be in any state."""
    session.warn(f"Cancelling {deployment.id}. Ctrl-C again leaves at once.")
    try:
        with Api(session.api.url, session.api.token, timeout_seconds=15) as api:
            session.result(api.cancel(deployment.id).as_received)
    except ApiError as error:
        if error.status != 409:
            session.show_error(error)
        else:
            session.warn("It had ended already.")
    except CliError as error:
        session.show_error(error)


def conclude(session: Session, deployment: Deployment) -> None:
    """The last lines: the URL on its own, or DeploymentFailed with the reason."""
    if session.json:
        # An event of the stream may be older than the row: scripts get what the API says now.
        deployment = session.api.deployment(deployment.id)
    if deployment.status != "ready":
        session.result(deployment.as_received)
        raise DeploymentFailed(reason=reason(deployment))
    took = deployment.build_time_seconds
    session.say(f"Ready{f' in {seconds(took)}' if took is not None else ''}: {kind(deployment)}.")
    if deployment.is_preview:
        session.say(f"Make it production with: windlass promote {deployment.id}")
    if deployment.url:
        session.say(deployment.url, bold=True)
    session.result(deployment.as_received)


def place(deployment: Deployment) -> str:
    """Where it stands while others are before it, and how long that may last."""
    if deployment.queue is None or deployment.queue.position <= 1:
        return ""
    left = deployment.queue.estimated_seconds
    return f", number {deployment.queue.position}" + (f", about {seconds(left)}" if left else "")


def kind(deployment: Deployment) -> str:
    return "a preview" if deployment.is_preview else "production"


def reason(deployment: Deployment) -> str:
    """One line on why a deployment is not READY."""
    if deployment.status == "cancelled":
        why = plain(deployment.error_message or "")
        said = f": {why}" if why not in {"", "Cancelled"} else "."
        return f"The deployment {deployment.id} was cancelled{said}"
    text = plain(deployment.error_message or "The server gave no reason; see its log.")
    return f"The deployment failed: {text}"


def create_held(session: Session, create: Callable[[], Deployment]) -> Deployment:
    """Creates a deployment; an interrupt meanwhile waits until the id is known and cancels it."""
    made: list[Deployment] = []
    try:
        with signals.held():
            made.append(create())
    except KeyboardInterrupt:
        if made:
            cancel_after_interrupt(session, made[0])
        raise
    return made[0]
