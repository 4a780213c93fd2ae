"""`windlass audit`: who did what, when and from where; on the screen or as a file."""

import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli.errors import CliError
from windlass.cli.session import Session, standard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.cli.client import Params
    from windlass.cli.schemas import AuditEntry

HEADS = ("WHEN (UTC)", "WHO", "WHAT", "WHERE", "FROM")
_AGO = re.compile(r"(\d{1,5})\s*(min|h|d|w)\Z")
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
EPILOG = """\b
You see what you did, what was done to your account, and what happened in your projects and in the
teams that you administer. Administrators of the platform see all of it with --all.
--since and --until take a time such as 2026-11-21 or 2026-11-21T09:30Z, or how long ago: 90min,
24h, 7d.

\b
Examples:
  windlass audit
  windlass audit --team harbour --since 7d
  windlass audit --action auth.SignedIn -n 100
  windlass audit --since 2026-11-01 --export november.csv
  windlass audit --all --export - --format json | jq"""


class NoSuchTime(CliError):
    """{text} is not a time."""

    fix = "Write 2026-11-21, 2026-11-21T09:30Z, or how long ago: 90min, 24h, 7d."


class FileThere(CliError):
    """{path} exists already."""

    fix = "Name another file, or remove that one."


@click.command(epilog=EPILOG, help="Show who did what, or export it.")
@click.option("--project", metavar="NAME", help="Only about this project.")
@click.option("--team", metavar="NAME", help="Only about this team.")
@click.option("--by", metavar="USER", help="Only what this user did: an id, or `me`.")
@click.option("--user", metavar="USER", help="Only about this user: an id, or `me`.")
@click.option("--type", "area", metavar="AREA", help="Only of an area, such as auth or teams.")
@click.option("--action", metavar="NAME", help="Only this, such as auth.SignedIn.")
@click.option("--search", metavar="TEXT", help="Only what holds this text.")
@click.option("--since", metavar="TIME", help="Only from then on.")
@click.option("--until", metavar="TIME", help="Only before then.")
@click.option("--limit", "-n", type=click.IntRange(1), default=20, help="How many. Default: 20.")
@click.option("--all", "everything", is_flag=True, help="Of everybody, for administrators.")
@click.option("--export", metavar="FILE", help="Write a file instead; - is standard output.")
@click.option("--format", type=click.Choice(["json", "csv"]), help="Of the file. Default: its end.")
@standard
@click.pass_obj
def audit(
    session: Session,
    project: str | None,
    team: str | None,
    by: str | None,
    user: str | None,
    area: str | None,
    action: str | None,
    search: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    everything: bool,
    export: str | None,
    format: str | None,
) -> None:
    filters: Params = {
        "project": _project(session, project),
        "team": _team(session, team),
        "actor": _user(session, by),
        "user": _user(session, user),
        "type": area,
        "action": action,
        "search": search,
        "from": moment(since),
        "to": moment(until),
    }
    if export is not None:
        kind = format or ("csv" if export.endswith(".csv") else "json")
        _export(session, filters, export, kind, everything=everything)
        return
    if format:
        raise click.UsageError("--format is for --export.")
    found = session.api.audit(filters, limit=limit, everything=everything)
    session.listing(found, HEADS, _row, nothing="Nothing happened that fits.")


def moment(text: str | None, *, now: datetime | None = None) -> str | None:
    """A time as the API takes it, from what people type. Raises NoSuchTime."""
    if text is None:
        return None
    if found := _AGO.match(text.strip().lower()):
        back = timedelta(**{_UNITS[found[2]]: int(found[1])})
        return ((now or datetime.now(UTC)) - back).isoformat(timespec="seconds")
    try:
        then = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise NoSuchTime(text=text) from error
    return (then if then.tzinfo else then.replace(tzinfo=UTC)).isoformat()


def _row(entry: "AuditEntry") -> tuple[str, ...]:
    return (
        f"{entry.created_at:%Y-%m-%d %H:%M:%S}" if entry.created_at else "",
        entry.actor.label if entry.actor else "Windlass",
        entry.sentence,
        " ".join(place.label for place in (entry.project, entry.team) if place),
        entry.address or "",
    )


def _export(
    session: Session, filters: "Params", target: str, kind: str, *, everything: bool
) -> None:
    with session.api.audit_file(filters, format=kind, everything=everything) as pieces:
        if target == "-":
            sys.stdout.flush()
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        size = _write(Path(target), pieces)
    session.say(f"Wrote {target} ({size} bytes).")
    session.result(b'{"bytes":%d}' % size)


def _write(path: Path, pieces: "Iterator[bytes]") -> int:
    """A file for its owner alone; a half one is removed again."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        file = os.fdopen(os.open(path, flags, 0o600), "wb")
    except FileExistsError as error:
        raise FileThere(path=path) from error
    size = 0
    try:
        with file:
            for piece in pieces:
                size += file.write(piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size


def _project(session: Session, name: str | None) -> str | None:
    from windlass.cli import linking

    return linking.named(session.api, name).id if name else None


def _team(session: Session, name: str | None) -> str | None:
    if name is None or name.startswith("team_"):
        return name
    from windlass.cli.commands.teams import named

    return named(session, name).id


def _user(session: Session, name: str | None) -> str | None:
    return session.api.me().id if name == "me" else name
