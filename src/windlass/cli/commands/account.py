"""`windlass login`, `logout` and `whoami`."""

import contextlib
import platform
import sys

import click

from windlass.cli.errors import CliError, Failed
from windlass.cli.session import Session, plain, standard

LOGIN = """\b
On the machine that runs Windlass you are signed in already.
The token is stored in WINDLASS_HOME/cli.json, readable by you alone. In scripts set
WINDLASS_URL and WINDLASS_TOKEN instead.

\b
Examples:
  windlass login https://panel.example.com
  windlass login https://panel.example.com --token-stdin < token.txt"""


@click.command(epilog=LOGIN, help="Sign in to a Windlass server.")
@click.argument("url")
@click.option("--email", metavar="ADDRESS", help="Do not ask for the e-mail address.")
@click.option("--token-stdin", is_flag=True, help="Read a token from standard input instead.")
@click.option("--insecure", is_flag=True, help="Allow http:// to another machine.")
@standard
@click.pass_obj
def login(session: Session, url: str, email: str | None, token_stdin: bool, insecure: bool) -> None:
    from windlass.cli import credentials
    from windlass.cli.api import Api
    from windlass.cli.client import clean_address

    address = clean_address(url)
    credentials.refuse_plain_http(address, allowed=insecure, flag="--insecure")
    if token_stdin:
        token, token_id = sys.stdin.readline().strip(), ""
        if not token:
            raise Failed(reason="Standard input holds no token.")
    else:
        token, token_id = _new_token(address, email)
    with Api(address, token) as api:
        account = api.me()
    sign_in = credentials.SignIn(url=address, token=token, token_id=token_id, insecure=insecure)
    credentials.store(sign_in)
    session.say(f"Signed in to {address} as {plain(account.email or account.id)}.")
    session.result(account.as_received)


@click.command(
    help="Sign out: revoke the token and forget the server.",
    epilog="\b\nExample:\n  windlass logout",
)
@standard
@click.pass_obj
def logout(session: Session) -> None:
    from windlass.cli import credentials
    from windlass.cli.api import Api

    found = credentials.from_login()
    if found is None:
        session.say("You are not signed in with `windlass login`.")
        session.result(b'{"signedOut":false}')
        return
    credentials.forget()
    if found.token_id:
        try:
            with Api(found.url, found.token, timeout_seconds=10) as api:
                api.delete_token(found.token_id)
        except CliError as error:
            session.warn(f"The token could not be revoked: {error.message}")
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


def _new_token(address: str, email: str | None) -> tuple[str, str]:
    """Signs in with a password, keeps a token, and ends the session again."""
    from windlass.cli.api import Api
    from windlass.cli.client import ApiError

    chosen = email or click.prompt("E-mail", err=True)
    # Hiding needs a terminal; Python warns where there is none.
    password = click.prompt("Password", hide_input=sys.stdin.isatty(), err=True)
    with Api(address) as api:
        try:
            api.sign_in(chosen, password)
        except ApiError as error:
            if error.status != 401:
                raise
            # Its usual advice, to sign in, is what was just tried.
            raise Failed(reason=error.message) from error
        made = api.create_token(f"windlass on {platform.node() or 'a machine'}"[:100])
        # The session would end by itself; the token is what counts.
        with contextlib.suppress(CliError):
            api.sign_out()
    return made.token or "", made.id
