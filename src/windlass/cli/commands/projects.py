"""`windlass projects`: list, create, show, delete."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli.session import Session, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Project

HEADS = ("PROJECT", "FRAMEWORK", "LATEST", "WHEN", "URL")


@click.group(
    invoke_without_command=True,
    help="List, create, show, delete projects. Alone: list.",
    epilog="\b\nExamples:\n  windlass projects\n  windlass projects create shop\n"
    "  windlass projects delete shop",
)
@standard
@click.pass_context
def projects(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        _list(ctx.find_object(Session) or Session())


@projects.command("list", help="List projects.", epilog="\b\nExample:\n  windlass projects list")
@standard
@click.pass_obj
def list_projects(session: Session) -> None:
    _list(session)


@projects.command(
    help="Create an empty project.",
    epilog="\b\nExamples:\n  windlass projects create shop\n"
    "  windlass projects create shop --git https://example.com/me/shop.git --root apps/web",
)
@click.argument("name")
@click.option("--git", metavar="URL", help="The repository it is built from.")
@click.option("--branch", metavar="B", help="The branch to build.")
@click.option("--root", metavar="DIR", help="The directory of the repository that holds it.")
@click.option("--install", metavar="COMMAND", help="Instead of the detected install command.")
@click.option("--build", metavar="COMMAND", help="Instead of the detected build command.")
@click.option("--output", metavar="DIR", help="Where the build puts the site.")
@click.option("--start", metavar="COMMAND", help="Starts the server; it must listen on $PORT.")
@standard
@click.pass_obj
def create(
    session: Session,
    name: str,
    git: str | None,
    branch: str | None,
    root: str | None,
    install: str | None,
    build: str | None,
    output: str | None,
    start: str | None,
) -> None:
    from windlass.cli import linking

    linking.slug_of(name)
    made = session.api.create_project(
        name,
        repository_url=git,
        repository_branch=branch,
        root_directory=root,
        install_command=install,
        build_command=build,
        output_directory=output,
        start_command=start,
    )
    session.say(
        f"Created the project {made.slug}. Deploy with: windlass deploy --project {made.slug}"
    )
    session.result(made.as_received)


@projects.command(
    help="Show a project. Default: the linked one.",
    epilog="\b\nExamples:\n  windlass projects show\n  windlass projects show shop --json",
)
@click.argument("name", required=False)
@standard
@click.pass_obj
def show(session: Session, name: str | None) -> None:
    from windlass.cli import linking
    from windlass.cli.commands.look import show_project

    project = linking.chosen(session.api, name)
    show_project(session, project)
    session.result(project.as_received)


@projects.command(
    help="Delete a project, its deployments and its site.",
    epilog="\b\nExamples:\n  windlass projects delete shop\n  windlass projects delete shop --yes",
)
@click.argument("name")
@click.option("--yes", "-y", is_flag=True, help="Do not ask for the name again.")
@standard
@click.pass_obj
def delete(session: Session, name: str, yes: bool) -> None:
    from windlass.cli import linking
    from windlass.cli.errors import Failed, NeedsAnswer

    project = linking.named(session.api, name)
    if not yes:
        what = f"This takes {project.slug} offline and deletes its deployments."
        if not session.is_interactive:
            raise NeedsAnswer(question=what)
        typed = click.prompt(f"{what} Type its name to go on", err=True)
        if typed.strip() not in {project.slug, project.name}:
            raise Failed(reason="Nothing was deleted.")
    session.api.delete_project(project.id)
    linked = linking.find_link(Path.cwd())
    if linked and linked.link.project_id == project.id:
        linked.file.unlink(missing_ok=True)
    session.say(f"Deleted the project {project.slug}.")
    session.result(project.as_received)


def _list(session: Session) -> None:
    nothing = "No projects yet. `windlass deploy` in a folder makes the first."
    session.listing(session.api.projects(), HEADS, _row, nothing=nothing)


def _row(project: "Project") -> tuple[str, ...]:
    from windlass.cli.times import ago

    latest = project.latest_deployment
    return (
        project.slug,
        project.framework or "",
        latest.status if latest else "",
        ago(latest.created_at) if latest else "",
        (project.url or "") if project.answers else "",
    )
