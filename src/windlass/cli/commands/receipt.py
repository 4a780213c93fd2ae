"""`windlass receipt`: what visitors got around a switch of production."""

from typing import TYPE_CHECKING

import click

from windlass.cli.session import Session, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Figures

EPILOG = """\b
Without DEPLOYMENT: the live one. Counted are the requests that each side answered within the time
after the switch, and the old one's before it; failed are those with status 500 and above and those
that were cut. p50 and p95 are until an answer began.

\b
Examples:
  windlass receipt
  windlass receipt depl_01jc... --json"""

_HEADS = ("VERSION", "REQUESTS", "FAILED", "P50", "P95")
_OUTCOMES = {
    "counting": "It is still being counted.",
    "stayed": "It stayed live.",
    "replaced": "Another version was made live before the time was over.",
    "returned": "Errors rose: production went back by itself.",
}


@click.command(epilog=EPILOG, help="Show what visitors got around a switch of production.")
@click.argument("deployment", required=False)
@project_option
@standard
@click.pass_obj
def receipt(session: Session, deployment: str | None, project: str | None) -> None:
    from windlass.cli import choosing, linking
    from windlass.cli.errors import NoDeployment

    chosen = deployment
    if chosen is None:
        where = linking.chosen(session.api, project)
        live = choosing.live(session.api, where)
        if live is None:
            raise NoDeployment(project=where.slug, kind="that is live")
        chosen = live.id
    found = session.api.receipt(chosen)
    took = found.switch_milliseconds
    session.say(
        f"{found.host} was switched to {found.deployment_id}"
        + (f" in {took:.1f} ms" if took is not None else "")
        + (f", from {found.previous_deployment_id}." if found.previous_deployment_id else ".")
    )
    sides = (("old, before", found.before), ("old, after", found.old), ("new", found.new))
    session.table(_HEADS, [_row(name, side) for name, side in sides])
    session.say(_OUTCOMES.get(found.outcome, found.outcome))
    if found.is_partial:
        session.say("The edge was started anew meanwhile: some requests are not counted.")
    session.result(found.as_received)


def _row(name: str, side: "Figures") -> tuple[str, ...]:
    times = (side.p50_milliseconds, side.p95_milliseconds)
    shown = ["" if time is None else f"{time:g} ms" for time in times]
    return (name, str(side.requests), str(side.failed), *shown)
