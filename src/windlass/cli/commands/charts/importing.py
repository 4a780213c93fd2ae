"""`windlass charts import`: a form from a compose file, and what became of each of its lines."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from windlass.cli.manifests import CannotCheck
from windlass.cli.session import Session, plain, standard

if TYPE_CHECKING:
    from windlass.charts.compose import Converted

EPILOG = """\b
Each line is exact, adapted or impossible, and says why. Secrets in variables go into a Secret.
Exit codes: 0 a form was made, 1 with --strict and something is impossible, 2 no compose file.

\b
Examples:
  windlass charts import compose.yaml -o app.yaml
  windlass charts import compose.yaml --strict | windlass charts generate -"""


@click.command("import", epilog=EPILOG, help="Make a form of a compose file.")
@click.argument("file", type=click.File("rb"))
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write it into this file.")
@click.option("--strict", is_flag=True, help="Fail when something of it is impossible.")
@standard
@click.pass_context
def command(ctx: click.Context, file: BinaryIO, output: str | None, strict: bool) -> None:
    from windlass.charts.compose import Verdict, convert
    from windlass.charts.documents import Unreadable, dump

    session = ctx.find_object(Session) or Session()
    name = getattr(file, "name", "<stdin>")
    try:
        made = convert(file.read(), name)
    except Unreadable as error:
        raise CannotCheck(reason=error) from error
    if output is not None:
        Path(output).write_text(dump(made.form), encoding="utf-8")
    elif not session.json:
        click.echo(dump(made.form), nl=False)
    for line in _report(made, name):
        click.echo(line, err=True)
    result = {"form": made.form, "notes": [_as_table(one) for one in made.notes]}
    session.result(json.dumps({"ok": True, "data": result}).encode())
    ctx.exit(int(strict and made.count(Verdict.impossible) > 0))


def _report(made: "Converted", name: str) -> list[str]:
    from windlass.charts.compose import Verdict

    told = [one for one in made.notes if one.verdict is not Verdict.exact]
    lines = [
        plain(
            f"{name}:{one.line}: {one.verdict.value}: {one.path}: {one.message}"
            f"{'. ' + one.hint if one.hint else ''}"
        )
        for one in told
    ]
    counts = ", ".join(f"{made.count(one)} {one.value}" for one in Verdict)
    return [*lines, counts]


def _as_table(one: object) -> object:
    import msgspec

    return msgspec.to_builtins(one)
