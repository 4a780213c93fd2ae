"""`windlass charts form`: a form from manifests, which makes exactly these manifests again."""

import json
from pathlib import Path

import click

from windlass.cli import manifests
from windlass.cli.manifests import CannotCheck
from windlass.cli.session import Session, standard

EPILOG = """\b
The form says nothing that the manifests do not say (`defaults: none`): making manifests of it
gives the same objects again. What it has no field for stays in `extra`, other kinds as they are.

\b
Examples:
  windlass charts form k8s/ > app.yaml
  kubectl get deploy,svc -o yaml | windlass charts form - -o app.yaml"""


@click.command("form", epilog=EPILOG, help="Make a form of manifests.")
@click.argument("paths", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write it into this file.")
@standard
@click.pass_obj
def command(session: Session, paths: tuple[str, ...], output: str | None) -> None:
    import msgspec

    from windlass.charts.documents import dump, read, resources
    from windlass.charts.form import live, recover
    from windlass.charts.model import Manifest

    files = manifests.collect(paths)
    for chart in files.charts:
        session.warn(f"{chart} is a Helm chart: its templates are left out, render it first.")
    listed = [resources(read(text, file)) for file, text in files.texts.items()]
    if problems := [problem for one in listed for problem in one.problems]:
        raise CannotCheck(reason="\n".join(map(str, problems)))
    found = live.applied(one.data for each in listed for one in each.resources)
    if not found:
        raise CannotCheck(reason="There is no Kubernetes object in what was given.")
    app = recover.form(found)
    made = msgspec.to_builtins(app)
    kept = sum(isinstance(one, Manifest) for one in app.resources)
    if output is not None:
        Path(output).write_text(dump(made), encoding="utf-8")
        session.say(f"The form of {len(found)} objects is in {output}.")
    elif not session.json:
        click.echo(dump(made), nl=False)
    if kept:
        session.warn(f"{kept} of {len(found)} objects are in it as they are: it has no fields.")
    session.result(json.dumps({"ok": True, "data": {"form": made, "kept": kept}}).encode())
