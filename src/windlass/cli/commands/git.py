"""`windlass git`: deploy with `git push windlass main`."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from windlass.cli.errors import CliError
from windlass.cli.session import Session, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Project

REMOTE = "windlass"
CONNECT = """\b
Adds the remote `windlass` to the repository of this folder, and lets Git ask this
program for the token: nothing secret is written into the repository. A project that
is not there yet is made, with the name of --project or of the folder.

\b
The branch of the project (main, unless it is set) goes to production, every other
branch becomes a preview. While Git waits it shows the log of the build; a build that
fails rejects the push.

\b
Examples:
  windlass git connect
  git push windlass main
  git push windlass feature
  git push -o production windlass hotfix"""


class NoRepositoryHere(CliError):
    """There is no Git repository in {folder}."""

    fix = "Make one with `git init`, or deploy the folder as it is with `windlass deploy`."


class GitFails(CliError):
    """Git does not do it: {reason}"""


@click.group(
    help="Deploy with `git push windlass main`.", epilog="\b\nExample:\n  windlass git connect"
)
@standard
def git() -> None:
    pass


@git.command(help="Let `git push windlass` deploy this repository.", epilog=CONNECT)
@project_option
@standard
@click.pass_obj
def connect(session: Session, project: str | None) -> None:
    from windlass.cli import linking

    folder = _repository()
    linked = linking.find_link(folder)
    if project is None and linked is not None:
        found = linking.chosen(session.api, None)
    else:
        name = project or folder.name
        found = linking.lookup(session.api, name) or _create(session, folder, name)
        linking.write_link(folder, found, server=session.api.url)
    # A project of somebody else may have the name of one's own; its id says which is meant.
    is_own = session.api.project_by_slug(found.slug).id == found.id
    url = f"{session.api.url}/git/{found.slug if is_own else found.id}.git"
    there = _git(folder, "remote").split()
    _git(folder, "remote", *(("set-url",) if REMOTE in there else ("add",)), REMOTE, url)
    program = shutil.which("windlass") or str(Path(sys.argv[0]).resolve())
    helper = f"credential.{session.api.url}.helper"
    _git(folder, "config", "--replace-all", helper, "")
    _git(folder, "config", "--add", helper, f"!{shlex.quote(program)} git credential")
    session.say(f"Connected {folder} to the project {found.slug}.")
    session.say(f"Deploy it with: git push {REMOTE} {found.repository_branch or 'main'}")
    session.result(found.as_received)


def _create(session: Session, folder: Path, name: str) -> "Project":
    """What is checked out now is what goes to production."""
    branch = _git(folder, "symbolic-ref", "--short", "HEAD").strip()
    return session.api.create_project(name, repository_branch=branch)


@git.command(hidden=True, help="What Git asks for a name and a password.")
@click.argument("operation")
@click.pass_obj
def credential(session: Session, operation: str) -> None:
    lines = (line.partition("=") for line in sys.stdin.read().splitlines())
    asked = {name: value for name, _, value in lines}
    if operation != "get":
        return
    from windlass.cli import credentials

    found = credentials.find()
    place = urlsplit(found.url)
    if (asked.get("protocol"), asked.get("host")) == (place.scheme, place.netloc):
        click.echo(f"username=windlass\npassword={found.token}")


def _repository() -> Path:
    try:
        return Path(_git(Path(), "rev-parse", "--show-toplevel").strip())
    except GitFails as error:
        raise NoRepositoryHere(folder=Path().resolve()) from error


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise GitFails(reason=error.strerror or error) from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise GitFails(reason=lines[-1])
    return done.stdout
