"""Plans, findings and ends of releases in words."""

import time
from collections.abc import Sequence

import click

from windlass.cli.client import ApiError, ConnectionLost, NotWindlass, Unreachable
from windlass.cli.release_schemas import (
    DocumentResult,
    FieldChange,
    Release,
    ReleaseFinding,
    ReleasePlan,
)
from windlass.cli.session import Session, plain

_SIGNS = {
    "create": ("+", "green"),
    "change": ("~", "yellow"),
    "recreate": ("±", "yellow"),
    "prune": ("-", "red"),
    "conflict": ("!", "red"),
    "immutable": ("!", "red"),
    "refused": ("!", "red"),
    "later": ("?", "cyan"),
}
_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
_LOOK_SECONDS = 1.0
_PATIENCE_LOOKS = 120
_MOST_CHANGES = 50


def findings(session: Session, found: Sequence[ReleaseFinding]) -> None:
    for one in found:
        if one.skipped is not None:
            continue
        where = f"{one.kind}/{one.name}" if one.kind else "manifest"
        said = f"{one.severity}: {where}, line {one.line}: {plain(one.message)} ({one.rule})"
        session.say(said, fg=_COLOURS.get(one.severity, "white"))
        if one.hint:
            session.say(f"  {plain(one.hint)}")


def plan(session: Session, found: ReleasePlan) -> None:
    findings(session, found.findings)
    for one in (*found.documents, *found.prunes):
        sign, colour = _SIGNS.get(one.action, (" ", "white"))
        session.say(f"{sign} {plain(one.kind)}/{plain(one.name)}: {one.action}", fg=colour)
        if one.message:
            session.say(f"    {plain(one.message)}")
        for owner in one.conflicts:
            session.say(f"    decided by others: {plain(owner)}")
        for field in one.immutable:
            session.say(f"    cannot be changed: {plain(field)}")
        if one.action not in ("create", "prune"):
            changes(session, one.changes)
        for warning in one.warnings:
            session.warn(plain(warning))
    if found.needs_namespace:
        session.warn("the namespace is not there; --create-namespace makes it")
    if found.is_refused:
        session.say("It would be refused: mend the errors first.", fg="red")


def changes(session: Session, found: Sequence[FieldChange]) -> None:
    for one in found[:_MOST_CHANGES]:
        session.say(f"    {plain(one.path)}: {_value(one.before)} → {_value(one.after)}")
    if len(found) > _MOST_CHANGES:
        session.say(f"    … and {len(found) - _MOST_CHANGES} more")


def _value(value: object) -> str:
    import msgspec

    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return plain(text if len(text) <= 120 else f"{text[:119]}…")


def end(session: Session, found: Release, *, wait: bool = True) -> None:
    """Follow it to its end; one that is not good is exit code 1."""
    session.say(f"{found.namespace}/{found.name}, revision {found.revision}: {_state(found)}")
    if wait:
        found = _followed(session, found)
    if found.status in ("PARTIAL", "FAILED"):
        results(session, found)
    session.result(found.as_received)
    if found.status in ("PARTIAL", "FAILED"):
        click.get_current_context().exit(1)


def _followed(session: Session, found: Release) -> Release:
    """Whoever is away for a moment is asked again."""
    told, away = _state(found), 0
    while found.is_moving:
        time.sleep(_LOOK_SECONDS)
        try:
            found = session.api.release(found.id)
        except (Unreachable, ConnectionLost, NotWindlass, ApiError) as error:
            away += 1
            if away > _PATIENCE_LOOKS or (isinstance(error, ApiError) and error.status < 500):
                raise
            continue
        away = 0
        if _state(found) != told:
            told = _state(found)
            session.say(told, fg=_end_colour(found))
    return found


def _state(found: Release) -> str:
    reason = f": {found.reason}" if found.reason else ""
    lines = "\n".join(plain(line) for line in reason.splitlines())
    return f"{found.status.lower().replace('_', ' ')}{lines}"


def _end_colour(found: Release) -> str:
    if found.status in ("DEPLOYED", "DELETED"):
        return "green"
    return "red" if found.status in ("PARTIAL", "FAILED") else "white"


def results(session: Session, found: Release) -> None:
    for one in found.newest.results if found.newest else ():
        session.say(f"  {_result(one)}")
        if one.hint:
            session.say(f"    {plain(one.hint)}")


def _result(one: DocumentResult) -> str:
    said = one.message or one.state_message
    state = f", {one.state}" if one.state else ""
    about = f": {plain(said)}" if said else ""
    return f"{plain(one.kind)}/{plain(one.name)}: {one.outcome}{state}{about}"
