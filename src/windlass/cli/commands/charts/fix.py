"""`windlass charts fix`: mends what has one answer, and leaves every other byte as it is."""

import difflib
from pathlib import Path

import click

from windlass.cli import manifests
from windlass.cli.manifests import CannotCheck
from windlass.cli.session import Session, plain, standard

EPILOG = """\b
Shows what would change; --write changes the files. Comments, order and quotes stay. What needs
somebody's decision, such as how much memory, is left for you.

\b
Examples:
  windlass charts fix k8s/
  windlass charts fix k8s/ --write
  windlass charts fix k8s/web.yaml --rule privilege-escalation --write"""


@click.command("fix", epilog=EPILOG, help="Mend findings that have one answer.")
@click.argument("paths", nargs=-1, required=True)
@manifests.chosen
@click.option("--write", is_flag=True, help="Change the files instead of showing how.")
@standard
@click.pass_obj
def command(session: Session, paths: tuple[str, ...], write: bool, **given: object) -> None:
    import json

    from windlass.charts import fixes
    from windlass.charts.checks import engine
    from windlass.charts.reports import plain as lines
    from windlass.charts.reports.structured import as_table

    options, extra = manifests.options_of(given)
    if "-" in paths and write:
        raise CannotCheck(reason="Standard input cannot be changed: leave out --write.")
    files = manifests.collect(paths)
    try:
        done = fixes.mend(files.texts, options, extra=extra)
    except engine.UnknownRule as error:
        raise CannotCheck(reason=error) from error
    changed = [file for file, text in done.texts.items() if text != files.texts[file]]
    for file in changed:
        if write:
            Path(file).write_bytes(done.texts[file].encode())
        else:
            for line in _difference(file, files.texts[file], done.texts[file]):
                session.say(line)
    for one in done.mended:
        session.say(plain(f"{'mended' if write else 'would mend'}: {lines.line(one)}"))
    count = len(done.mended)
    what = (
        f"{count} finding{'' if count == 1 else 's'} in {len(changed)} of {len(files.texts)} files"
    )
    session.say(f"Mended {what}." if write else f"Can mend {what}: add --write.")
    result = {
        "written": write,
        "files": changed,
        "mended": [as_table(one) for one in done.mended],
        "left": [as_table(one) for one in done.report.findings],
    }
    session.result(json.dumps({"ok": True, "data": result}).encode())


def _difference(file: str, before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"a/{file}", f"b/{file}", lineterm=""
    )
    return [plain(line) for line in lines]
