"""`windlass open`, `status` and `doctor`: look at the site, the project, the machines."""

import shutil
import sys
from typing import TYPE_CHECKING

import click

from windlass.cli.errors import CliError, Failed
from windlass.cli.session import Session, plain, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Deployment, Project


@click.command(
    "open",
    help="Open the project's site in the browser.",
    epilog="\b\nWithout a terminal only the address is printed.\n\n"
    "\b\nExamples:\n  windlass open\n  windlass open depl_01jc...\n  windlass open --panel",
)
@click.argument("deployment", required=False)
@project_option
@click.option("--panel", is_flag=True, help="Open Windlass's own pages instead.")
@standard
@click.pass_obj
def open_site(session: Session, deployment: str | None, project: str | None, panel: bool) -> None:
    from windlass.cli import linking

    if panel:
        found, url = session.api.status(), session.api.url
    elif deployment:
        found = session.api.deployment(deployment)
        url = found.url
    else:
        found = linking.chosen(session.api, project)
        url = found.url
    if not url:
        raise Failed(reason="There is nothing online to open yet: windlass deploy")
    session.say(url)
    if sys.stdout.isatty() and not session.json and url.startswith(("http://", "https://")):
        click.launch(url)
    session.result(found.as_received)


@click.command(
    help="Show what is live and what is running.",
    epilog="\b\nWithout --project: the linked project; outside of a linked folder, the server.\n\n"
    "\b\nExamples:\n  windlass status\n  windlass status --project shop --json",
)
@project_option
@standard
@click.pass_obj
def status(session: Session, project: str | None) -> None:
    from pathlib import Path

    from windlass.cli import linking

    if project is None and linking.find_link(Path.cwd()) is None:
        server = session.api.status()
        session.say(f"Windlass {plain(server.version)} at {session.api.url}")
        if server.projects is not None:
            session.say(f"{server.projects} projects; `windlass projects` lists them.")
        session.result(server.as_received)
        return
    found = linking.chosen(session.api, project)
    show_project(session, found)
    session.result(found.as_received)


@click.command(
    help="Check this machine and the server, and say what to do about each fault.",
    epilog="\b\nExit code 1 when something is wrong.\n\n"
    "\b\nExamples:\n  windlass doctor\n  windlass doctor --json",
)
@standard
@click.pass_obj
def doctor(session: Session) -> None:
    from windlass.cli.api import as_json_list

    _local_findings(session)
    try:
        url = session.api.url
    except CliError as error:
        _mark(session, ok=False, text=error.message, fix=error.advice)
        raise Failed(reason="There is no server to check.") from error
    findings = session.api.doctor()
    _mark(session, ok=True, text=f"server: {url} answers")
    for finding in findings:
        text = f"{finding.name}: {finding.detail}" if finding.detail else finding.name
        _mark(session, ok=finding.ok, text=text, fix=finding.fix)
    session.result(as_json_list(findings))
    wrong = [finding.name for finding in findings if not finding.ok]
    if wrong:
        raise Failed(reason=f"Something is wrong: {', '.join(map(plain, wrong))}.")
    session.say("All is well.")


def show_project(session: Session, project: "Project") -> None:
    """The project's live deployment, its newest one, and its address on a line of its own."""
    from windlass.cli import choosing

    session.say(plain(project.slug), bold=True)
    live = choosing.live(session.api, project)
    newest = project.latest_deployment
    session.say(f"  live    {_line(live) if live else 'nothing yet: windlass deploy --prod'}")
    if newest and (live is None or newest.id != live.id):
        session.say(f"  newest  {_line(newest)}")
    if project.repository_url:
        session.say(f"  from    {plain(project.repository_url)}")
    if project.url and live and project.answers:
        session.say(project.url)


def _line(deployment: "Deployment") -> str:
    from windlass.cli.times import ago

    words = [deployment.id, deployment.status, deployment.kind, ago(deployment.created_at)]
    message = plain(deployment.commit_message or "")[:60]
    why = plain(deployment.error_message or "") if deployment.status == "error" else message
    return "  ".join(word for word in (*words, why) if word)


def _local_findings(session: Session) -> None:
    from windlass import __version__
    from windlass.cli import credentials

    version = ".".join(map(str, sys.version_info[:3]))
    _mark(session, ok=True, text=f"command line: windlass {__version__}, Python {version}")
    has_git = shutil.which("git") is not None
    fix = None if has_git else "Install git to send branch and commit along."
    _mark(session, ok=has_git, text="git" if has_git else "git is missing", fix=fix)
    path = credentials.login_file()
    if path.exists() and path.stat().st_mode & 0o077:
        _mark(session, ok=False, text=f"{path} is readable by others", fix=f"chmod 600 {path}")


def _mark(session: Session, *, ok: bool, text: str, fix: str | None = None) -> None:
    session.say(f"{'ok ' if ok else 'BAD'}  {plain(text)}", fg="green" if ok else "red")
    if fix and not ok:
        session.say(f"     {plain(fix)}")
