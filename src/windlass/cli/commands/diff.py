"""`windlass diff`: what differs between two deployments of a project."""

from typing import TYPE_CHECKING

import click

from windlass.cli.session import Session, plain, project_option, standard

if TYPE_CHECKING:
    from windlass.cli.schemas import Change, Diff

EPILOG = """\b
Without A and B: from the live deployment to the newest ready one; when that is the live one, from
the ready one made before it. With A alone: from the ready one made before A to A.
Of variables only names are shown, never values.

\b
Examples:
  windlass diff
  windlass diff depl_01jc...
  windlass diff depl_01jc... depl_01jd... --files 1000"""

_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "unknown": ("?", "yellow")}
_CHANGED = ("~", "yellow")


@click.command(epilog=EPILOG, help="Show what differs between two deployments.")
@click.argument("a", required=False)
@click.argument("b", required=False)
@project_option
@click.option("--files", "most", type=click.IntRange(0), default=50, show_default=True)
@standard
@click.pass_obj
def diff(session: Session, a: str | None, b: str | None, project: str | None, most: int) -> None:
    before, after = _sides(session, a, b, project)
    found = session.api.diff(after, before=before)
    if found.compared_with is None:
        session.say(f"{after} is the first: there is nothing to compare it with.")
    else:
        session.say(f"From {found.compared_with} to {after}", bold=True)
        _show(session, found, most)
    session.result(found.as_received)


def _sides(
    session: Session, a: str | None, b: str | None, project: str | None
) -> tuple[str | None, str]:
    from windlass.cli import choosing, linking

    if a is not None:
        return (a, b) if b is not None else (None, a)
    chosen = linking.chosen(session.api, project)
    newest = choosing.newest_ready(session.api, chosen)
    live = chosen.active_deployment_id
    return (None if live == newest.id else live), newest.id


def _show(session: Session, found: "Diff", most: int) -> None:
    parts = {
        "Source": found.commits,
        "Configuration": found.config,
        "Variables": found.variables,
        "Files": found.files,
    }
    for title, changes in parts.items():
        if not changes:
            continue
        session.say(f"{title} ({len(changes)})", bold=True)
        shown = changes[:most] if title == "Files" else changes
        for change in shown:
            sign, colour = _SIGNS.get(change.kind, _CHANGED)
            values = _sizes(change) if title == "Files" else _values(change)
            session.say(f"  {sign} {plain(change.name)}{values}", fg=colour)
        if len(shown) < len(changes):
            session.say(f"  and {len(changes) - len(shown)} more")
    if not found.variables_known:
        session.say("What variables one of the two ran with was not kept.")
    if not any(parts.values()):
        session.say("Nothing differs.")


def _values(change: "Change") -> str:
    said = [plain(str(value)) for value in (change.before, change.after) if value is not None]
    return f"  {' → '.join(said)}" if said else ""


def _sizes(change: "Change") -> str:
    from windlass.cli.amounts import size_text

    given = [value for value in (change.before, change.after) if isinstance(value, int | float)]
    return f"  {' → '.join(size_text(value) for value in given)}" if given else ""
