"""`windlass registries`: the project's logins where private images are fetched."""

import sys
from typing import TYPE_CHECKING

import click

from windlass.cli.errors import CliError
from windlass.cli.session import Session, plain, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import RegistryLogin

HEADS = ("REGISTRY", "USER", "SINCE")


class NoSuchLogin(CliError):
    """The project {project} has no login at {registry}."""

    fix = "`windlass registries` lists what it has."


class NoPassword(CliError):
    """There is no password: no terminal to ask on, and standard input is empty."""

    fix = "Pipe it: printf %s PASSWORD | windlass registries login REGISTRY --username NAME"


@click.group(
    invoke_without_command=True,
    help="Logins for private images: list, log in, log out. Alone: list.",
    epilog="\b\nExamples:\n  windlass registries\n"
    "  windlass registries login ghcr.io --username ada\n  windlass registries logout ghcr.io",
)
@project_option
@standard
@click.pass_context
def registries(ctx: click.Context, project: str | None) -> None:
    if ctx.invoked_subcommand is None:
        _list(ctx.find_object(Session) or Session(), project)


@registries.command(
    "list",
    help="List the project's logins. Passwords are never shown.",
    epilog="\b\nExample:\n  windlass registries list --project shop",
)
@project_option
@standard
@click.pass_obj
def list_logins(session: Session, project: str | None) -> None:
    _list(session, project)


@registries.command(
    help="Set the login at a registry. The password is asked for, or read from standard input.",
    epilog="\b\nThe project's next build uses it, for images of that registry alone.\n\n"
    "\b\nExamples:\n  windlass registries login ghcr.io --username ada\n"
    "  windlass registries login registry.example.com:5000 -u ci < token.txt",
)
@click.argument("registry")
@click.option("--username", "-u", required=True, help="The user, or the name of the token.")
@project_option
@standard
@click.pass_obj
def login(session: Session, registry: str, username: str, project: str | None) -> None:
    from windlass.cli import linking

    chosen = linking.chosen(session.api, project)
    made = session.api.set_registry_login(chosen.id, registry, username, _password(session))
    session.say(f"{chosen.slug} fetches images of {made.registry} as {plain(made.username)}.")
    session.result(made.as_received)


@registries.command(
    help="Forget the login at a registry.",
    epilog="\b\nExample:\n  windlass registries logout ghcr.io",
)
@click.argument("registry")
@project_option
@standard
@click.pass_obj
def logout(session: Session, registry: str, project: str | None) -> None:
    from windlass.cli import linking

    chosen = linking.chosen(session.api, project)
    found = session.api.registry_logins(chosen.id)
    login = next((each for each in found if each.registry == registry.lower()), None)
    if login is None:
        raise NoSuchLogin(project=chosen.slug, registry=registry)
    session.api.remove_registry_login(chosen.id, login.id)
    session.say(f"{chosen.slug} has no login at {login.registry} any more.")
    session.result(login.as_received)


def _password(session: Session) -> str:
    if session.is_interactive:
        return click.prompt("Password or token", hide_input=True, err=True)
    piped = "" if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n")
    if not piped:
        raise NoPassword()
    return piped


def _list(session: Session, project: str | None) -> None:
    from windlass.cli import linking

    found = session.api.registry_logins(linking.chosen(session.api, project).id)
    nothing = "No logins. Images that everybody may have need none."
    session.listing(found, HEADS, _row, nothing=nothing)


def _row(login: "RegistryLogin") -> tuple[str, ...]:
    from windlass.cli.times import ago

    return plain(login.registry), plain(login.username), ago(login.updated_at)
