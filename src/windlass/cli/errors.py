"""An error the person at the terminal can act on: what happened in one line, then what to do.

The docstring of a subclass is its message, `fix` is the advice; both take the facts.
"""

import re
from typing import ClassVar

import click


class CliError(click.ClickException):
    """Something went wrong."""

    fix: ClassVar[str] = ""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(" ".join((type(self).__doc__ or "").split()).format(**facts))

    @property
    def code(self) -> str:
        """The class name as the API writes codes: FolderEmpty is FOLDER_EMPTY."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).upper()

    @property
    def details(self) -> dict[str, object]:
        return self.facts

    @property
    def advice(self) -> str:
        return self.fix.format(**self.facts)

    def lines(self, *, verbose: bool) -> list[str]:
        """What stderr shows: the message, then more about it, then the advice."""
        return [
            line for line in (f"Error: {self.message}", *self.more(verbose), self.advice) if line
        ]

    def more(self, verbose: bool) -> list[str]:
        return []


class ServerPartMissing(CliError):
    """`windlass {command}` is part of the server, which is not installed here ({missing})."""

    fix = 'Install it with: pip install "windlass[server]"'


class Failed(CliError):
    """{reason}"""


class NeedsAnswer(CliError):
    """{question}"""

    fix = "There is no terminal to ask on. Say yes with --yes."


class NotSignedIn(CliError):
    """You are not signed in to a Windlass server."""

    fix = "Start one on this machine with `windlass up`, or sign in with `windlass login URL`."


class OtherServer(CliError):
    """WINDLASS_URL names {wanted}, but you are signed in to {url}."""

    fix = "Set WINDLASS_TOKEN too, sign in with `windlass login {wanted}`, or unset WINDLASS_URL."


class PlainHttp(CliError):
    """{url} is not encrypted: passwords and tokens would be readable on the way."""

    fix = "Use https://, or say {flag} if the network in between is yours."


class BadAddress(CliError):
    """{url} is not the address of a Windlass server."""

    fix = "Write it as https://host or http://localhost:8000."


class MoreThanAddress(CliError):
    """{url} is more than the address of a server."""

    fix = "Leave out what follows the host: windlass login {address}"


class BadFile(CliError):
    """{path} cannot be read: {reason}."""

    fix = "Correct or remove the file."


class NoProject(CliError):
    """No project is given and this folder is not linked to one."""

    fix = "Say --project NAME, or tie this folder to a project with `windlass link`."


class UnknownProject(CliError):
    """There is no project {name} on {server}."""

    fix = "`windlass projects` lists them."


class StaleLink(CliError):
    """{path} links to the project {name}, which {server} does not have."""

    fix = "Link again with `windlass link --project NAME`, or remove that file."


class NoSlug(CliError):
    """The name {name!r} holds no letter or digit that a host name can use."""

    fix = "Choose one with --project NAME."


class NoDeployment(CliError):
    """The project {project} has no deployment {kind}."""

    fix = "`windlass deployments` lists what there is."
