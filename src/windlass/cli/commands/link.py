"""`windlass link`: the folder remembers its project."""

from pathlib import Path

import click

from windlass.cli.session import Session, project_option, standard

EPILOG = """\b
Without --project: the project that has the folder's name.
The link is .windlass/project.json; commands look for it in the folders above, too.

\b
Examples:
  windlass link --project shop
  windlass link site --project shop
  windlass link --remove"""


@click.command(epilog=EPILOG, help="Tie a folder to a project.")
@click.argument(
    "folder",
    required=False,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@project_option
@click.option("--remove", is_flag=True, help="Remove the folder's link instead.")
@standard
@click.pass_obj
def link(session: Session, folder: Path | None, project: str | None, remove: bool) -> None:
    from windlass.cli import linking

    place = (folder or Path()).resolve()
    if remove:
        if project:
            raise click.UsageError("--project and --remove exclude each other.")
        linking.link_file(place).unlink(missing_ok=True)
        session.say("This folder is not linked any more.")
        session.result(b'{"linked":false}')
        return
    found = linking.named(session.api, project or linking.slug_of(place.name))
    linking.write_link(place, found, server=session.api.url)
    session.say(f"Linked {place} to the project {found.slug}.")
    session.result(found.as_received)
