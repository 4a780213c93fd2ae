"""`windlass charts render`: what Helm makes of a chart, without a cluster and without a network."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli import helm_charts
from windlass.cli.session import Session, standard

if TYPE_CHECKING:
    from windlass.charts.helm.rendered import Piece

EPILOG = """\b
Helm runs in a process of its own with little memory and time, and can neither open files nor
connect. Links that leave the chart's folder are refused. `lookup` finds nothing.

\b
Exit codes: 0 rendered, 2 it cannot be.

\b
Examples:
  windlass charts render ./shop -f prod.yaml --set image.tag=v2
  windlass charts render shop-1.2.3.tgz --kubernetes 1.33 --crds
  windlass charts render ./shop --json | jq .data.values"""


@click.command("render", epilog=EPILOG, help="Render a Helm chart into manifests.")
@click.argument("chart", type=click.Path(exists=True, path_type=Path))
@click.option("--release", default="release", show_default=True, help="The release's name.")
@click.option("-n", "--namespace", default="default", show_default=True)
@helm_charts.given_values
@click.option("--kubernetes", metavar="VERSION", default="", help="The cluster's version.")
@click.option("--api-versions", metavar="NAME", multiple=True, help="What the cluster has, too.")
@click.option("--upgrade", is_flag=True, help="As an upgrade, not as an installation.")
@click.option("--crds", is_flag=True, help="Print what is below crds/ as well.")
@click.option("--tests", is_flag=True, help="Print what only `helm test` runs as well.")
@standard
@click.pass_context
def command(
    ctx: click.Context,
    chart: Path,
    release: str,
    namespace: str,
    kubernetes: str,
    api_versions: tuple[str, ...],
    upgrade: bool,
    crds: bool,
    tests: bool,
    **given: object,
) -> None:
    from windlass.charts.helm.rendered import Part

    session = ctx.find_object(Session) or Session()
    rendered = helm_charts.render(
        chart,
        helm_charts.values_of(given),
        release=release,
        namespace=namespace,
        kubernetes=kubernetes,
        api_versions=api_versions,
        is_upgrade=upgrade,
    )
    found = rendered.found
    for note in rendered.notes:
        session.warn(note)
    parts = [Part.manifest, Part.hook]
    parts = [Part.crd] * crds + parts + [Part.test] * tests
    if session.json:
        told = {part.value + "s": [_told(one) for one in found.of(part)] for part in Part}
        told |= {"notes": found.notes, "values": rendered.made.values}
        session.result(json.dumps({"ok": True, "data": told}).encode())
        return
    for part in parts:
        for one in found.of(part):
            click.echo(_shown(one), nl=False)
    left = [part for part in Part if part not in parts and found.of(part)]
    for part in left:
        click.echo(f"{len(found.of(part))} {part.value}s are left out (--{part.value}s).", err=True)


def _shown(one: "Piece") -> str:
    hook = f"# Hook: {', '.join(one.hooks)}\n" if one.hooks else ""
    return f"---\n# Source: {one.file}\n{hook}{one.text}"


def _told(one: "Piece") -> dict[str, object]:
    return {
        "file": one.file,
        "kind": one.kind,
        "name": one.name,
        "hooks": list(one.hooks),
        "weight": one.weight,
        "text": one.text,
    }
