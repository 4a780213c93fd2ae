"""Sign in by a code that somebody allows in a browser, on this machine or another (RFC 8628)."""

import os
import platform
import sys
import time
from collections.abc import Callable

import click

from windlass import __version__
from windlass.cli.api import Api
from windlass.cli.client import ApiError, ConnectionLost, Unreachable
from windlass.cli.errors import CliError
from windlass.cli.schemas import DeviceCode, Token
from windlass.cli.session import Session, plain

_SLOWER_SECONDS = 5


class SignInRefused(CliError):
    """The sign-in was refused in the browser."""


class CodeExpired(CliError):
    """Nobody allowed the sign-in in time."""

    fix = "Begin again: windlass login {url}"


def sign_in(
    session: Session,
    api: Api,
    *,
    opens_browser: bool,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Token:
    """Shows the code, and waits until it is allowed. Raises SignInRefused, CodeExpired."""
    host = plain(platform.node()) or "a machine"
    asked = api.ask_device_code(f"windlass {__version__} on {host}"[:100])
    _show(session, asked, opens_browser=opens_browser)
    interval, end, trouble = asked.interval, clock() + asked.expires_in, ""
    while clock() < end:
        pause(interval)
        try:
            return api.collect_device_token(asked.device_code)
        except (ConnectionLost, Unreachable) as error:
            # Somebody may be reading the page: a broken connection is no answer.
            if trouble != error.message:
                trouble = error.message
                session.warn(f"{trouble} Still trying.")
        except ApiError as error:
            match error.details.get("reason"):
                case "AUTHORIZATION_PENDING":
                    pass
                case "SLOW_DOWN":
                    interval += _SLOWER_SECONDS
                case "ACCESS_DENIED":
                    raise SignInRefused from error
                case "EXPIRED_TOKEN":
                    break
                case _ if error.status in {429, 502, 503, 504}:
                    interval += _SLOWER_SECONDS
                case _:
                    raise
    raise CodeExpired(url=api.url)


def _show(session: Session, asked: DeviceCode, *, opens_browser: bool) -> None:
    link = plain(asked.verification_uri_complete)
    session.say("Open this address in a browser where you are signed in:")
    session.say(f"  {plain(asked.verification_uri)}")
    session.say(f"Your code: {plain(asked.user_code)}", bold=True)
    if opens_browser and _has_browser(session) and link.startswith(("http://", "https://")):
        session.say("The browser opens. Compare the code there, and allow the sign-in.")
        click.launch(link)
    else:
        session.say("Type the code there, and allow the sign-in.")


def _has_browser(session: Session) -> bool:
    """A screen of our own; over SSH the browser would open where nobody sits."""
    if not session.is_interactive or os.environ.get("SSH_CONNECTION"):
        return False
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
