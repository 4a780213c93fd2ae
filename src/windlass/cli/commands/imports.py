"""`windlass import`: what becomes of the files of other hosts, shown without changing anything."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli.session import Session, plain, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import HostFiles

EPILOG = """\b
Reads vercel.json, netlify.toml, _redirects, _headers, railway.json, render.yaml, fly.toml,
app.json, Procfile and .env.example. Each setting is exact (the same here), adapted (nearly; the
line says what differs) or impossible (the line says why).

\b
Examples:
  windlass import
  windlass import --root apps/web
  windlass import --toml > windlass.toml"""

_COLOURS = {"exact": "green", "adapted": "yellow", "impossible": "red"}


@click.command(name="import", epilog=EPILOG, help="Show what files of other hosts become here.")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--git", metavar="URL", help="Look at a repository instead of a folder.")
@click.option("--branch", metavar="B", help="The branch of --git.")
@click.option("--root", metavar="DIR", help="Look at this directory of it.")
@click.option("--toml", is_flag=True, help="Print the settings as a windlass.toml, nothing else.")
@click.option("--yes", "-y", is_flag=True, help="Read even a home directory.")
@standard
@click.pass_obj
def import_files(
    session: Session,
    path: Path | None,
    git: str | None,
    branch: str | None,
    root: str | None,
    toml: bool,
    yes: bool,
) -> None:
    from windlass.cli import sources

    origin = sources.of_options(path, git, branch, yes=yes)
    # What is said to people goes to stderr then, as with --json.
    session.json = session.json or toml
    sent = sources.send(session, origin).source
    source = session.api.source(sent.id, root_directory=root)
    found = source.imports
    if toml:
        click.echo(found.toml if found else "", nl=False)
        return
    if found is None:
        session.say("There are no files of other hosts here.")
    else:
        show(session, found)
    session.result(json.dumps(json.loads(source.as_received)["imports"]).encode())


def show(session: Session, found: "HostFiles") -> None:
    """File by file, each setting with what becomes of it."""
    width = max(len(row.key) for row in found.rows)
    for file in found.files:
        session.say(plain(file), bold=True)
        for row in [row for row in found.rows if row.file == file]:
            line = f"  {row.verdict:<10}  {plain(row.key):<{min(width, 32)}}  {plain(row.detail)}"
            session.say(line.rstrip(), fg=_COLOURS.get(row.verdict, "white"))
    wanted = [each for each in found.variables if each.value is None]
    if wanted:
        session.say("Variables to set (`windlass env set NAME=value`):", bold=True)
    for each in wanted:
        session.say(f"  {plain(each.name)}  {plain(each.detail)}".rstrip())
    counts = {word: sum(row.verdict == word for row in found.rows) for word in _COLOURS}
    session.say(", ".join(f"{count} {word}" for word, count in counts.items()) + ".")
