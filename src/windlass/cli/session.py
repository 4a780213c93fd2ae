"""What every command shares: how it may speak, and the server it speaks to (opened when needed)."""

import contextlib
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from windlass.cli.errors import CliError, Failed, NeedsAnswer

if TYPE_CHECKING:
    from windlass.cli.api import Api
    from windlass.cli.schemas import Resource

Found = TypeVar("Found", bound="Resource")
Function = TypeVar("Function", bound=Callable[..., None])

# Colours (SGR) may pass to a terminal; everything else that moves or retitles it may not.
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Session:
    """One run of the program: its flags, its output, its connection."""

    def __init__(self, *, timeout_seconds: float = 60.0) -> None:
        self._timeout_seconds = timeout_seconds
        self.json = False
        self.verbose = False
        self.debug = False
        self._has_result = False
        self._api: Api | None = None

    @property
    def api(self) -> "Api":
        """The client for the server in use. Raises NotSignedIn when there is none."""
        if self._api is None:
            from windlass.cli import credentials
            from windlass.cli.api import Api

            found = credentials.find()
            self._api = Api(found.url, found.token, timeout_seconds=self._timeout_seconds)
        return self._api

    def close(self) -> None:
        if self._api is not None:
            self._api.close()

    @property
    def is_interactive(self) -> bool:
        """Somebody is there to answer a question."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.json

    @property
    def has_colour(self) -> bool:
        out = sys.stderr if self.json else sys.stdout
        return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def say(self, text: str = "", **style: str | bool) -> None:
        """A line for people. With --json it goes to stderr: stdout then holds the object alone."""
        shown = click.style(text, **style) if style and self.has_colour else text  # pyright: ignore[reportArgumentType]
        click.echo(shown, err=self.json, color=self.has_colour)

    def warn(self, text: str) -> None:
        click.echo(f"Warning: {text}", err=True)

    def result(self, received: bytes) -> None:
        """With --json: the API's own JSON on one line, the last one of stdout."""
        if self.json:
            self._has_result = True
            click.echo(json.dumps(json.loads(received), ensure_ascii=False, separators=(",", ":")))

    def show_error(self, error: CliError) -> None:
        if self.debug:
            traceback.print_exception(error)
        first, *rest = error.lines(verbose=self.verbose)
        colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        click.echo(click.style(plain(first), fg="red") if colour else plain(first), err=True)
        for line in rest:
            click.echo(plain(line), err=True)
        if self.json and not self._has_result:
            shown = {"code": error.code, "message": error.message, "details": error.details}
            click.echo(json.dumps({"ok": False, "error": shown}, default=str))

    def confirm(self, question: str, *, yes: bool, otherwise: str) -> None:
        """Asks. A no ends the command with `otherwise`; without a terminal only --yes is an answer.

        Raises Failed or NeedsAnswer.
        """
        if yes:
            return
        if not self.is_interactive:
            raise NeedsAnswer(question=question)
        if not click.confirm(question, default=False, err=True):
            raise Failed(reason=otherwise)

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Columns aligned with spaces, so that `awk` and people can both read them."""
        lines = [[plain(cell) or "-" for cell in row] for row in rows]
        widths = [max(map(_width, column)) for column in zip(heads, *lines, strict=True)]
        self.say(_aligned(heads, widths), bold=True)
        for line in lines:
            self.say(_aligned(line, widths))

    def listing(
        self,
        found: Sequence[Found],
        heads: Sequence[str],
        row: Callable[[Found], Sequence[str]],
        *,
        nothing: str,
    ) -> None:
        """What the API listed: a table, or the words when there is nothing; all of it as JSON."""
        from windlass.cli.api import as_json_list

        if found:
            self.table(heads, map(row, found))
        else:
            self.say(nothing)
        self.result(as_json_list(found))


def plain(text: str) -> str:
    """Text from elsewhere without escape sequences and control characters, on one line."""
    return _CONTROL.sub("", _ESCAPE.sub("", text.replace("\n", " ")))


def coloured(text: str) -> str:
    """The same, but colours stay and are switched off at the end."""
    kept = "".join(
        part if _COLOUR.fullmatch(part) else _CONTROL.sub("", _ESCAPE.sub("", part))
        for part in re.split(r"(\x1b\[[0-9;:]*m)", text)
    )
    return f"{kept}\x1b[0m" if "\x1b" in kept else kept


def standard(function: Function) -> Function:
    """The options that every command has."""
    for option in (
        _flag("--debug", "debug", "Show Python's traceback of an error."),
        _flag("-v", "verbose", "Say more, such as the request id of an error.", "--verbose"),
        _flag("--json", "json", "Print the API's answer as JSON on the last line."),
    ):
        function = option(function)
    return function


def project_option(function: Function) -> Function:
    """--project NAME, completed from the server."""
    return click.option(
        "--project",
        metavar="NAME",
        help="The project's slug, name or id. Default: the one this folder is linked to.",
        shell_complete=_complete_project,
    )(function)


def _flag(name: str, attribute: str, text: str, *more: str) -> Callable[[Function], Function]:
    def keep(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted and isinstance(session := ctx.find_root().obj, Session):
            setattr(session, attribute, True)

    return click.option(
        name, *more, is_flag=True, expose_value=False, is_eager=True, callback=keep, help=text
    )


def _complete_project(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    with contextlib.suppress(CliError, OSError):
        names = [project.slug for project in Session(timeout_seconds=1.5).api.projects(limit=100)]
        return [name for name in names if name.startswith(incomplete)]
    return []


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)
    )
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    """Columns on screen: East Asian wide characters take two."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
