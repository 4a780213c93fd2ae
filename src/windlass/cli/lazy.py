"""A command group that imports a command when it runs, and turns every end into an exit code."""

import difflib
import errno
import importlib
import importlib.util
import os
import sys
import traceback
from contextlib import nullcontext
from typing import Any, NoReturn, cast

import click

from windlass.cli import signals
from windlass.cli.errors import CliError, ServerPartMissing
from windlass.cli.session import Session
from windlass.cli.table import Row

INTERRUPTED = 130
_SERVER_ONLY = "litestar"


class LazyGroup(click.Group):
    """The table decides what exists. Exit codes: 0 done, 1 failed, 2 usage, 130 interrupted."""

    table: dict[str, Row]

    def __init__(self, *, table: dict[str, Row], **settings: Any) -> None:
        super().__init__(**settings)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        row = self.table.get(cmd_name)
        if row is None:
            return None
        if _is_only_completing(ctx, cmd_name):
            return click.Command(cmd_name, short_help=row.help)
        return load(cmd_name, row)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.table and not name.startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(name, self.table, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"There is no command `{name}`.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.table))
        for section in dict.fromkeys(row.section for row in self.table.values()):
            rows = [(n.ljust(width), r.help) for n, r in self.table.items() if r.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        return super().make_context(info_name, args, parent, **{"obj": Session(), **extra})

    def invoke(self, ctx: click.Context) -> Any:
        session = cast(Session, ctx.obj)
        try:
            # A server has its own signal handlers and its own clean-up.
            with nullcontext() if self._runs_server(ctx) else signals.caught():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except click.Abort:
            # Ctrl-C and Ctrl-D at a prompt both arrive as Abort.
            click.echo("\nStopped.", err=True)
            ctx.exit(INTERRUPTED)
        except CliError as error:
            session.show_error(error)
            ctx.exit(error.exit_code)
        except OSError as error:
            _leave_for(error, session, ctx)
        finally:
            session.close()

    def _runs_server(self, ctx: click.Context) -> bool:
        row = self.table.get(next(iter(_words(ctx)), ""))
        return row is not None and row.needs_server


def load(name: str, row: Row) -> click.Command:
    """The click command of a row. Raises ServerPartMissing when its package is not installed."""
    module_name, _, attribute = row.target.partition(":")
    if row.needs_server and importlib.util.find_spec(_SERVER_ONLY) is None:
        # Some of these modules need nothing more themselves; what they start does.
        raise ServerPartMissing(command=name, missing=f"no module named {_SERVER_ONLY!r}")
    try:
        command = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        if not row.needs_server:
            raise
        raise ServerPartMissing(command=name, missing=error) from error
    return cast(click.Command, command)


def _is_only_completing(ctx: click.Context, name: str) -> bool:
    """While the shell completes `windlass de<Tab>`, names and one-line helps are enough."""
    return ctx.resilient_parsing and name not in _words(ctx)


def _words(ctx: click.Context) -> list[str]:
    """The command's name and what follows it, before click has taken them apart."""
    return ctx._protected_args + ctx.args  # pyright: ignore[reportPrivateUsage]


def _leave_for(error: OSError, session: Session, ctx: click.Context) -> NoReturn:
    if error.errno == errno.EPIPE:
        # `windlass logs | head`: the reader has left, and a flush at exit would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        ctx.exit(1)
    if session.debug:
        traceback.print_exc()
    where = f"{error.filename}: " if error.filename else ""
    click.echo(f"Error: {where}{error.strerror or error}", err=True)
    ctx.exit(1)
