"""`windlass charts fix`: mends what has one answer, and leaves every other byte as it is."""

import codecs
import difflib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli import manifests
from windlass.cli.manifests import CannotCheck
from windlass.cli.session import Session, plain, standard

if TYPE_CHECKING:
    from windlass.charts.fixes import Mended

EPILOG = """\b
Shows what would change; --write changes the files. Comments, order and quotes stay. What needs
somebody's decision, such as how much memory, is left for you. With `-` and --write, what was mended
is said on standard error and the manifests come out.

\b
Examples:
  windlass charts fix k8s/
  windlass charts fix k8s/ --write
  kustomize build . | windlass charts fix - --write | kubectl apply -f -
  windlass charts fix k8s/web.yaml --rule privilege-escalation --write"""


@click.command("fix", epilog=EPILOG, help="Mend findings that have one answer.")
@click.argument("paths", nargs=-1, required=True)
@manifests.chosen
@click.option("--write", is_flag=True, help="Change the files instead of showing how.")
@standard
@click.pass_context
def command(ctx: click.Context, paths: tuple[str, ...], write: bool, **given: object) -> None:
    from windlass.charts import fixes
    from windlass.charts.checks import engine
    from windlass.charts.reports.plain import line

    session = ctx.find_object(Session) or Session()
    options, extra = manifests.options_of(given)
    is_filter = write and paths == ("-",)
    if "-" in paths and write and not is_filter:
        raise CannotCheck(reason="Standard input is mended alone: give `-` and nothing else.")
    files = manifests.collect(paths).texts
    try:
        done = fixes.mend(files, options, extra=extra)
    except engine.UnknownRule as error:
        raise CannotCheck(reason=error) from error
    if is_filter:
        click.echo(done.texts["stdin"], nl=False)
        for one in done.mended:
            session.warn(plain(f"mended: {line(one)}"))
    else:
        _tell(session, files, done, write=write)
    for one in done.report.findings:
        if one.rule == engine.UNREADABLE:
            session.warn(plain(line(one)))
    ctx.exit(0 if done.report.is_complete else 2)


def _tell(session: Session, files: dict[str, str], done: "Mended", *, write: bool) -> None:
    """Shows the difference, or makes it, and says what was mended."""
    from windlass.charts.reports.plain import line
    from windlass.charts.reports.structured import as_table

    changed = {file: text for file, text in done.texts.items() if text != files[file]}
    if write:
        _written(files, changed)
    for file, text in () if write else changed.items():
        for each in _difference(file, files[file], text):
            session.say(each)
    for one in done.mended:
        session.say(plain(f"{'mended' if write else 'would mend'}: {line(one)}"))
    count = len(done.mended)
    what = f"{count} finding{'' if count == 1 else 's'} in {len(changed)} of {len(files)} files"
    session.say(f"Mended {what}." if write else f"Can mend {what}: add --write.")
    result = {
        "written": write,
        "files": list(changed),
        "mended": [as_table(one) for one in done.mended],
        "left": [as_table(one) for one in done.report.findings],
    }
    session.result(json.dumps({"ok": True, "data": result}).encode())


def _written(before: dict[str, str], changed: dict[str, str]) -> None:
    """Writes all files or none: what cannot be written is known before the first one is."""
    marks: dict[str, bytes] = {}
    for file, text in before.items():
        if file not in changed:
            continue
        try:
            now = Path(file).read_bytes()
            marks[file] = codecs.BOM_UTF8 if now.startswith(codecs.BOM_UTF8) else b""
        except OSError as error:
            raise CannotCheck(reason=f"{file}: {error.strerror}") from error
        if now.removeprefix(codecs.BOM_UTF8) != text.encode():
            raise CannotCheck(reason=f"{file} has just been changed by somebody else.")
        if not os.access(file, os.W_OK):
            raise CannotCheck(reason=f"{file} may not be written. Nothing was changed.")
    for file, text in changed.items():
        try:
            Path(file).write_bytes(marks[file] + text.encode())
        except OSError as error:
            raise CannotCheck(reason=f"{file}: {error.strerror}") from error


def _difference(file: str, before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"a/{file}", f"b/{file}", lineterm=""
    )
    return [plain(line) for line in lines]
