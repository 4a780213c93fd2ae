"""`windlass login`, `logout` and `whoami`."""

import sys
from typing import TYPE_CHECKING

import click

from windlass.cli.errors import CliError, Failed
from windlass.cli.session import Session, plain, standard

if TYPE_CHECKING:
    from windlass.cli.credentials import SignIn
    from windlass.cli.schemas import Account

LOGIN = """\b
Shows a code and an address. Open the address in a browser where you are signed in, on this machine
or another one, compare the code, and allow it. The command line then has an API token of its own.
On the machine that runs Windlass you are signed in already.
The token is stored in WINDLASS_HOME/cli.json, readable by you alone. In scripts set
WINDLASS_URL and WINDLASS_TOKEN instead.

\b
Examples:
  windlass login https://panel.example.com
  windlass login https://panel.example.com --no-browser
  windlass login https://panel.example.com --token < token.txt"""


class UnknownToken(CliError):
    """{url} does not know this token, or it has ended."""

    fix = "Make one in the panel (Account, API tokens), or sign in by a code: windlass login {url}"


@click.command(epilog=LOGIN, help="Sign in to a Windlass server.")
@click.argument("url")
@click.option("--token", "token_stdin", is_flag=True, help="Read a token from standard input.")
@click.option("--no-browser", is_flag=True, help="Only show the address, open nothing.")
@click.option("--insecure", is_flag=True, help="Allow http:// to another machine.")
@standard
@click.pass_obj
def login(session: Session, url: str, token_stdin: bool, no_browser: bool, insecure: bool) -> None:
    from windlass.cli import credentials, device
    from windlass.cli.api import Api
    from windlass.cli.client import clean_address

    address = clean_address(url)
    credentials.refuse_plain_http(address, allowed=insecure, flag="--insecure")
    earlier = _earlier(address)
    if token_stdin:
        sign_in = credentials.SignIn(url=address, token=_typed(), insecure=insecure)
        account = _account(sign_in)
        credentials.store(sign_in)
    else:
        with Api(address) as api:
            made = device.sign_in(session, api, opens_browser=not no_browser)
        token = made.token or ""
        sign_in = credentials.SignIn(url=address, token=token, token_id=made.id, insecure=insecure)
        # First of all: a token that exists and that nobody has could not be revoked by `logout`.
        credentials.store(sign_in)
        account = _account(sign_in)
    if earlier is not None and earlier.token != sign_in.token:
        _revoke(session, earlier)
    session.say(f"Signed in to {address} as {plain(account.email or account.id)}.")
    session.result(account.as_received)


@click.command(
    help="Sign out: revoke the token and forget the server.",
    epilog="\b\nA token that was given with --token is only forgotten.\n\n"
    "\b\nExample:\n  windlass logout",
)
@standard
@click.pass_obj
def logout(session: Session) -> None:
    from windlass.cli import credentials

    found = credentials.from_login()
    if found is None:
        session.say("You are not signed in with `windlass login`.")
        session.result(b'{"signedOut":false}')
        return
    credentials.forget()
    _revoke(session, found)
    session.say(f"Signed out of {found.url}.")
    session.result(b'{"signedOut":true}')


@click.command(
    help="Show the server and the account in use.",
    epilog="\b\nExamples:\n  windlass whoami\n  windlass whoami --json",
)
@standard
@click.pass_obj
def whoami(session: Session) -> None:
    from windlass.cli import credentials

    account = session.api.me()
    how = {
        "environment": "by WINDLASS_TOKEN",
        "login": "by `windlass login`",
        "this machine": "on this machine",
    }[credentials.find().how]
    session.say(f"{plain(account.email or account.id)} at {session.api.url} (signed in {how})")
    session.result(account.as_received)


def _earlier(address: str) -> "SignIn | None":
    """What is stored for the same server: nobody could revoke it once it is written over."""
    from windlass.cli import credentials

    try:
        found = credentials.from_login()
    except CliError:
        return None
    return found if found is not None and found.url == address else None


def _revoke(session: Session, sign_in: "SignIn") -> None:
    """A token that a login made; one that was typed in belongs to whoever made it."""
    from windlass.cli.api import Api

    if not sign_in.token_id:
        return
    try:
        with Api(sign_in.url, sign_in.token, timeout_seconds=10) as api:
            api.delete_own_token()
    except CliError as error:
        session.warn(f"The token could not be revoked: {error.message}")


def _account(sign_in: "SignIn") -> "Account":
    """Whose token it is. Raises UnknownToken."""
    from windlass.cli.api import Api
    from windlass.cli.client import ApiError

    try:
        with Api(sign_in.url, sign_in.token) as api:
            return api.me()
    except ApiError as error:
        if error.status == 401:
            raise UnknownToken(url=sign_in.url) from error
        raise


def _typed() -> str:
    """A token from a pipe, or typed without being shown."""
    if sys.stdin.isatty():
        return str(click.prompt("Token", hide_input=True, err=True)).strip()
    token = sys.stdin.readline().strip()
    if not token:
        raise Failed(reason="Standard input holds no token.")
    return token
