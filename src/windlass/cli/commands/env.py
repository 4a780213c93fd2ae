"""`windlass env`: the project's environment variables."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli.errors import CliError
from windlass.cli.session import Session, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Variable

TARGETS = ("production", "preview", "development")
HEADS = ("KEY", "VALUE", "TARGETS")


class NoSuchVariable(CliError):
    """The project {project} has no variable {keys}."""

    fix = "`windlass env list` shows what it has."


class FileExists(CliError):
    """{path} exists already."""

    fix = "Say --force to replace it, or name another file."


class NoValue(CliError):
    """{key} has no value: there is no terminal to ask on, and standard input is empty."""

    fix = "Write KEY=VALUE, or pipe the value: printf %s VALUE | windlass env set KEY"


_target = click.option(
    "--target",
    "targets",
    multiple=True,
    type=click.Choice(TARGETS),
    help="Only for these; may be repeated.",
)


@click.group(
    invoke_without_command=True,
    help="List, set, unset and pull environment variables. Alone: list.",
    epilog="\b\nExamples:\n  windlass env\n  windlass env set GREETING=hello\n"
    "  windlass env set API_KEY --secret\n  windlass env pull",
)
@project_option
@standard
@click.pass_context
def env(ctx: click.Context, project: str | None) -> None:
    if ctx.invoked_subcommand is None:
        _list(ctx.find_object(Session) or Session(), project, ())
    elif project:
        raise click.UsageError(f"Write --project after `env {ctx.invoked_subcommand}`.")


@env.command(
    "list",
    help="List variables. Secret values are never shown.",
    epilog="\b\nExamples:\n  windlass env list\n  windlass env list --target preview",
)
@project_option
@_target
@standard
@click.pass_obj
def list_variables(session: Session, project: str | None, targets: tuple[str, ...]) -> None:
    _list(session, project, targets)


@env.command(
    "set",
    help="Set variables, for production and preview unless --target says otherwise.\n\n"
    "The value of a bare KEY is asked for, or read from standard input.",
    epilog="\b\nExamples:\n  windlass env set GREETING=hello LOCALE=en\n"
    "  windlass env set API_KEY --secret --target production\n"
    "  windlass env set TLS_KEY --secret < key.pem",
)
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
@project_option
@click.option("--secret", is_flag=True, help="Never show the value again; mask it in logs.")
@_target
@standard
@click.pass_obj
def set_variables(
    session: Session,
    pairs: tuple[str, ...],
    project: str | None,
    secret: bool,
    targets: tuple[str, ...],
) -> None:
    from windlass.cli import linking
    from windlass.cli.api import as_json_list

    if sum("=" not in pair for pair in pairs) > 1 and not session.is_interactive:
        raise click.UsageError("Only one KEY can take its value from standard input.")
    found = linking.chosen(session.api, project)
    values = [_key_and_value(session, pair, secret=secret) for pair in pairs]
    stored = [
        variable
        for key, value in values
        for variable in session.api.set_variable(
            found.id, key, value, secret=secret, targets=targets
        )
    ]
    names = ", ".join(key for key, _ in values)
    session.say(f"Set {names} of {found.slug}. The next deployment uses it.")
    session.result(as_json_list(stored))


@env.command(
    "unset",
    help="Remove variables.",
    epilog="\b\nExamples:\n  windlass env unset GREETING\n"
    "  windlass env unset API_KEY --target preview",
)
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@project_option
@_target
@standard
@click.pass_obj
def unset_variables(
    session: Session, keys: tuple[str, ...], project: str | None, targets: tuple[str, ...]
) -> None:
    from windlass.cli import linking
    from windlass.cli.api import as_json_list

    found = linking.chosen(session.api, project)
    wanted = set(targets or TARGETS)
    chosen = [
        variable
        for variable in session.api.variables(found.id)
        if variable.key in keys and variable.target in wanted
    ]
    if unknown := sorted(set(keys) - {variable.key for variable in chosen}):
        raise NoSuchVariable(project=found.slug, keys=", ".join(unknown))
    for variable in chosen:
        session.api.delete_variable(found.id, variable.id)
    session.say(f"Unset {', '.join(sorted(set(keys)))} of {found.slug}.")
    session.result(as_json_list(chosen))


@env.command(
    help="Print the development variables as a .env file, or write them to one.\n\n"
    "Secret ones stay on the server.",
    epilog="\b\nExamples:\n  windlass env pull\n  windlass env pull --file .env.local\n"
    "  windlass env pull --target preview --file .env.preview --force",
)
@project_option
@click.option("--target", type=click.Choice(TARGETS), default="development", show_default=True)
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write there, readable by you alone, instead of printing.",
)
@click.option("--force", is_flag=True, help="Replace the file when it exists.")
@standard
@click.pass_obj
def pull(
    session: Session, project: str | None, target: str, file: Path | None, force: bool
) -> None:
    from windlass.cli import dotenv, linking
    from windlass.cli.api import as_json_list
    from windlass.cli.credentials import replace

    found = linking.chosen(session.api, project)
    if file is not None and file.exists() and not force:
        raise FileExists(path=file)
    variables = [
        variable for variable in session.api.variables(found.id) if variable.target == target
    ]
    text = dotenv.render(variables)
    if file is not None:
        replace(file, text.encode(), mode=0o600)
        secrets = sum(variable.value is None for variable in variables)
        left_out = f"; {secrets} secret ones stay on the server" if secrets else ""
        session.say(f"Wrote {len(variables) - secrets} variables to {file}{left_out}.")
    elif not session.json:
        click.echo(text, nl=False)
    if not variables:
        session.warn(
            f"{found.slug} has no variables for {target}. "
            f"Set one with: windlass env set KEY=VALUE --target {target}"
        )
    session.result(as_json_list(variables))


def _list(session: Session, project: str | None, targets: tuple[str, ...]) -> None:
    from windlass.cli import linking
    from windlass.cli.api import as_json_list

    found = linking.chosen(session.api, project)
    wanted = targets or TARGETS
    variables = [one for one in session.api.variables(found.id) if one.target in wanted]
    if variables:
        session.table(HEADS, _rows(variables))
    else:
        session.say(f"{found.slug} has no variables. Set one with: windlass env set KEY=VALUE")
    session.result(as_json_list(variables))


def _rows(variables: "Sequence[Variable]") -> list[tuple[str, str, str]]:
    """One row for targets that share a value."""
    rows: dict[tuple[str, str], list[str]] = {}
    for one in sorted(variables, key=lambda one: one.key):
        shown = "(secret)" if one.value is None else one.value
        rows.setdefault((one.key, shown), []).append(one.target)
    return [(key, value, ", ".join(targets)) for (key, value), targets in rows.items()]


def _key_and_value(session: Session, pair: str, *, secret: bool) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if equals:
        return key, value
    if session.is_interactive:
        return key, click.prompt(f"Value of {key}", hide_input=secret, err=True)
    if sys.stdin.isatty():
        raise NoValue(key=key)
    piped = sys.stdin.read().removesuffix("\n")
    if not piped:
        raise NoValue(key=key)
    return key, piped
