"""`windlass deployments`: the history of a project, or of all of them."""

from typing import TYPE_CHECKING

import click

from windlass.cli.session import Session, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Deployment

EPILOG = """\b
Without --project: the linked project's; outside of a linked folder, all projects'.

\b
Examples:
  windlass deployments
  windlass deployments --status error,cancelled --limit 5
  windlass deployments --all --json | tail -n 1"""

HEADS = ("ID", "PROJECT", "STATUS", "KIND", "BRANCH", "COMMIT", "CREATED")


@click.command(epilog=EPILOG, help="List deployments, the newest first.")
@project_option
@click.option("--all", "everything", is_flag=True, help="Of all projects.")
@click.option("--status", metavar="LIST", help="Only these, separated by commas: ready,error,...")
@click.option("--branch", metavar="B", help="Only of this branch.")
@click.option("--limit", "-n", type=click.IntRange(1), default=20, show_default=True)
@standard
@click.pass_obj
def deployments(
    session: Session,
    project: str | None,
    everything: bool,
    status: str | None,
    branch: str | None,
    limit: int,
) -> None:
    if project and everything:
        raise click.UsageError("--project and --all exclude each other.")
    found = session.api.deployments(
        project_id=None if everything else _project_id(session, project),
        status=status.lower() if status else None,
        branch=branch,
        limit=limit,
    )
    nothing = "No deployments. `windlass deploy` makes the first."
    session.listing(found, HEADS, row, nothing=nothing)


def row(deployment: "Deployment") -> tuple[str, ...]:
    """One line of the list."""
    from windlass.cli.times import ago

    return (
        deployment.id,
        deployment.project.slug,
        f"{deployment.status} (live)" if deployment.is_active else deployment.status,
        deployment.kind,
        deployment.branch or "",
        (deployment.commit_sha or "")[:8],
        ago(deployment.created_at),
    )


def _project_id(session: Session, name: str | None) -> str | None:
    from pathlib import Path

    from windlass.cli import linking

    if name is None and linking.find_link(Path.cwd()) is None:
        return None
    return linking.chosen(session.api, name).id
