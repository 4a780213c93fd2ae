"""The `windlass` program. It must start fast: only click and the table are imported here."""

import os
import sys

import click

from windlass import __version__
from windlass.cli import signals
from windlass.cli.lazy import INTERRUPTED, LazyGroup
from windlass.cli.table import COMMANDS

EPILOG = """\b
Examples:
  windlass deploy                    put this folder online
  windlass deploy --git URL          the same from a Git repository
  windlass logs -f                   follow the newest deployment
  windlass rollback                  go back to the previous one

\b
`windlass COMMAND --help` shows the options and more examples.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"windlass {__version__}")
        ctx.exit()


cli = LazyGroup(
    name="windlass",
    table=COMMANDS,
    help="Takes code to production on machines you own.",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_print_version,
            help="Show the version and exit.",
        )
    ],
)


def main() -> None:
    """The entry point of the installed program."""
    try:
        cli(prog_name="windlass")
    except SystemExit as end:
        if end.code == INTERRUPTED and signals.were_caught():
            # Upload threads may be in the middle of a request: an interrupt does not wait for them.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(INTERRUPTED)
        raise
