"""`windlass plan`: what the server would do with a folder, shown before anything is built."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli.session import Session, plain, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Plan

EPILOG = """\b
Examples:
  windlass plan
  windlass plan --root apps/web
  windlass plan --git https://example.com/me/shop.git"""

_ROWS = (
    ("Install", "install_command"),
    ("Build", "build_command"),
    ("Output", "output_directory"),
    ("Release", "release_command"),
    ("Start", "start_command"),
)


@click.command(epilog=EPILOG, help="Show how a folder would be built, without deploying.")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--git", metavar="URL", help="Look at a repository instead of a folder.")
@click.option("--branch", metavar="B", help="The branch of --git.")
@click.option("--root", metavar="DIR", help="Look at this directory of it.")
@click.option("--yes", "-y", is_flag=True, help="Read even a home directory.")
@standard
@click.pass_obj
def plan(
    session: Session,
    path: Path | None,
    git: str | None,
    branch: str | None,
    root: str | None,
    yes: bool,
) -> None:
    from windlass.cli import sources
    from windlass.cli.errors import Failed

    sent = sources.send(session, sources.of_options(path, git, branch, yes=yes)).source
    source = session.api.source(sent.id, root_directory=root)
    if source.plan is None:
        session.result(source.as_received)
        raise Failed(reason=sources.problem(source.plan_error))
    show(session, source.plan)
    session.result(source.as_received)


def show(session: Session, plan: "Plan") -> None:
    """The plan as a short table, with what it rests on."""
    words = {"static": "static files", "server": "a server", "worker": "workers, no web process"}
    kind = words.get(plan.kind, plan.kind)
    session.say(f"{plain(plan.label or plan.framework)}: {plain(kind)}", bold=True)
    rows = [(label, getattr(plan, field)) for label, field in _ROWS]
    if plan.root_directory not in {"", "."}:
        rows.insert(0, ("Root", plan.root_directory))
    for label, value in rows:
        if value:
            session.say(f"  {label:<9}{plain(value)}")
    for evidence in plan.evidence:
        session.say(f"  Because  {plain(evidence)}", dim=True)
    for warning in plan.warnings:
        session.warn(plain(warning))
