"""`windlass charts generate`: the manifests of a form, printed or written into files."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from windlass.cli.errors import CliError
from windlass.cli.session import Session, standard

if TYPE_CHECKING:
    from windlass.charts.documents import Problem

EPILOG = """\b
A form needs a name and an image for each workload; what it leaves out gets safe values, and the
objects that workloads need (account, service, route, network policy, …) are made by themselves.

\b
Examples:
  windlass charts generate app.yaml | kubectl apply -f -
  windlass charts generate app.yaml --output k8s"""

_OURS = re.compile(r"[0-9]{3}-[a-z]+-.*\.yaml")


class FormBroken(CliError):
    """{file} is no form that manifests can be made of."""

    fix = "What a form holds: docs/concepts/charts.md"

    def __init__(self, *, file: str, problems: "list[Problem]") -> None:
        super().__init__(file=file)
        self.problems = problems

    def more(self, verbose: bool) -> list[str]:
        return [str(problem) for problem in self.problems]

    @property
    def details(self) -> dict[str, object]:
        shown = ("code", "message", "hint", "line", "column")
        found = [{name: getattr(one, name) for name in shown} for one in self.problems]
        return {**self.facts, "problems": found}


class FolderInUse(CliError):
    """{folder} holds files already."""

    fix = "Choose an empty folder, or replace what was generated there before with --force."


@click.command("generate", epilog=EPILOG, help="Make the manifests of a form.")
@click.argument("form", type=click.File("rb"))
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a file for each object into this folder, numbered in the order of applying.",
)
@click.option("--force", is_flag=True, help="Replace what was generated into that folder before.")
@standard
@click.pass_obj
def command(session: Session, form: BinaryIO, output: Path | None, force: bool) -> None:
    from windlass.charts import form as forms
    from windlass.charts.documents import Unreadable, dump
    from windlass.charts.generate import manifests

    name = getattr(form, "name", "<stdin>")
    try:
        made = manifests(forms.read(form.read(), name))
    except Unreadable as error:
        raise FormBroken(file=name, problems=error.problems) from error
    if output is None:
        if not session.json:
            click.echo(dump(*made), nl=False)
        session.result(json.dumps({"ok": True, "data": {"manifests": made}}).encode())
        return
    _make_room(output, force=force)
    files: list[str] = []
    for number, one in enumerate(made, 1):
        path = output / _file_name(number, one)
        path.write_text(dump(one), encoding="utf-8")
        files.append(str(path))
    session.say(f"{len(files)} files are in {output}.")
    session.result(json.dumps({"ok": True, "data": {"files": files}}).encode())


def _make_room(folder: Path, *, force: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    there = list(folder.iterdir())
    if there and not force:
        raise FolderInUse(folder=folder)
    for path in there:
        # Somebody's own files stay; an object that is not made any more does not.
        if _OURS.fullmatch(path.name):
            path.unlink()


def _file_name(number: int, manifest: dict[str, object]) -> str:
    """`007-deployment-web.yaml`: the order holds beyond nine files, no name leaves the folder."""
    metadata = manifest.get("metadata")
    name = str(metadata.get("name")) if isinstance(metadata, dict) else ""
    kind = re.sub(r"[^a-z]", "", str(manifest.get("kind", "")).lower()) or "object"
    return f"{number:03}-{kind}-{re.sub(r'[^a-z0-9-]+', '-', name.lower())[:100]}.yaml"
