"""`windlass tokens`: list, create, rename, revoke."""

import re
from typing import TYPE_CHECKING

import click

from windlass.cli.errors import CliError
from windlass.cli.session import Session, plain, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Token

HEADS = ("NAME", "ID", "MAY DO", "LAST USED", "ENDS")
_DAYS = re.compile(r"([1-9]\d{0,3})\s*d?(?:ays?)?\Z")


class NoSuchToken(CliError):
    """There is no token {name}."""

    fix = "`windlass tokens` lists them."


class SeveralTokens(CliError):
    """Several tokens are called {name}."""

    fix = "Name one by its id; `windlass tokens` lists them."


def _days(ctx: click.Context, _: click.Parameter, value: str) -> int | None:
    text = value.strip().lower()
    if text == "never":
        return None
    if (found := _DAYS.match(text)) is None:
        raise click.BadParameter("say a number of days such as 30d, or never", ctx)
    return int(found[1])


@click.group(
    invoke_without_command=True,
    help="List, create, rename and revoke API tokens. Alone: list.",
    epilog="\b\nExamples:\n  windlass tokens\n  windlass tokens create ci --scope deploy:create\n"
    "  windlass tokens revoke ci",
)
@standard
@click.pass_context
def tokens(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        _list(ctx.find_object(Session) or Session())


@tokens.command("list", help="List tokens.", epilog="\b\nExample:\n  windlass tokens list")
@standard
@click.pass_obj
def list_tokens(session: Session) -> None:
    _list(session)


@tokens.command(
    help="Make a token; it is the last line of the output, this once.",
    epilog="\b\nWithout --scope it may do whatever you may do. Scopes are permissions such as\n"
    "project:read, deploy:read, deploy:create, deploy:rollback, team:read and account.\n\n"
    "\b\nExamples:\n  windlass tokens create laptop\n"
    "  windlass tokens create ci --scope project:read --scope deploy:create --expires 30d\n"
    "  windlass tokens create monitor --scope deploy:read --expires never --json",
)
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="Only this; repeatable.")
@click.option(
    "--expires",
    metavar="DAYS",
    callback=_days,
    default="90d",
    show_default=True,
    help="After how many days it ends, or never.",
)
@standard
@click.pass_obj
def create(session: Session, name: str, scopes: tuple[str, ...], expires: int | None) -> None:
    made = session.api.create_token(name, scopes=scopes, days=expires)
    end = f"It ends on {made.expires_at:%Y-%m-%d}" if made.expires_at else "It has no end"
    session.say(f"Made the token {plain(made.name)}. {end}. Copy it now: it is not shown again.")
    session.say(made.token or "")
    session.result(made.as_received)


@tokens.command(
    help="Give a token another name.",
    epilog="\b\nExample:\n  windlass tokens rename ci pipeline",
)
@click.argument("token")
@click.argument("name")
@standard
@click.pass_obj
def rename(session: Session, token: str, name: str) -> None:
    renamed = session.api.rename_token(_named(session, token).id, name)
    session.say(f"The token is called {plain(renamed.name)} now.")
    session.result(renamed.as_received)


@tokens.command(
    help="Revoke a token: what uses it stops working at once.",
    epilog="\b\nExamples:\n  windlass tokens revoke ci\n  windlass tokens revoke tok_01jc... --yes",
)
@click.argument("token")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@standard
@click.pass_obj
def revoke(session: Session, token: str, yes: bool) -> None:
    found = _named(session, token)
    session.confirm(
        f"Revoke the token {plain(found.name)}?", yes=yes, otherwise="Nothing was revoked."
    )
    session.api.delete_token(found.id)
    session.say(f"Revoked the token {plain(found.name)}.")
    session.result(found.as_received)


def _list(session: Session) -> None:
    nothing = "No tokens. `windlass tokens create NAME` makes one."
    session.listing(session.api.tokens(), HEADS, _row, nothing=nothing)


def _row(token: "Token") -> tuple[str, ...]:
    from windlass.cli.times import ago

    return (
        token.name,
        token.id,
        "everything" if token.scopes is None else " ".join(token.scopes),
        ago(token.last_used_at) or "never",
        _end(token),
    )


def _end(token: "Token") -> str:
    if token.expires_at is None:
        return "never"
    return "expired" if token.is_expired else f"{token.expires_at:%Y-%m-%d}"


def _named(session: Session, name: str) -> "Token":
    """A token by its id or its name."""
    found = [one for one in session.api.tokens() if name in {one.id, one.name}]
    if not found:
        raise NoSuchToken(name=name)
    if len(found) > 1:
        raise SeveralTokens(name=name)
    return found[0]
