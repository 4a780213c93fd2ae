"""The form of a project's processes: one row for each, with what was said and what is detected.

`processes.N.name`, `.command`, `.memory_mb`, `.cpus`, `.grace_seconds`, `.restart`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from windlass.core.process import WEB, Restart, Said
from windlass.web import forms

FIELDS = ("command", "memory_mb", "cpus", "grace_seconds", "restart")
OF_WEB = ("health_path", "start_timeout_seconds", "drain_seconds")
RESTARTS: tuple[Restart, ...] = ("always", "on-failure", "never")
_FIELD = re.compile(r"processes\.(\d{1,2})\.name\Z")
_MOST_ROWS = 32


class Limits(Protocol):
    """What a plan says of one process; `builds.plan.ProcessSettings` fits."""

    @property
    def memory_mb(self) -> int | None: ...
    @property
    def cpus(self) -> float | None: ...
    @property
    def grace_seconds(self) -> float | None: ...
    @property
    def restart(self) -> Restart: ...


class Plan(Protocol):
    """What is detected; `builds.plan.Plan` fits."""

    @property
    def kind(self) -> str: ...
    @property
    def processes(self) -> Mapping[str, str]: ...
    @property
    def process_settings(self) -> Mapping[str, Limits]: ...
    @property
    def health_path(self) -> str: ...
    @property
    def start_timeout_seconds(self) -> float | None: ...
    @property
    def drain_seconds(self) -> float | None: ...


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A process in the form, as text. `is_detected`: files name it, so its name stays."""

    name: str = ""
    is_detected: bool = False
    command: str = ""
    memory_mb: str = ""
    cpus: str = ""
    grace_seconds: str = ""
    restart: str = "always"

    @property
    def is_web(self) -> bool:
        return self.name == WEB


def rows(said: Sequence[Said], plan: Plan | None) -> list[Row]:
    """What the form shows: what the project says, else what is detected; `web` first."""
    detected = {row.name: row for row in _detected(plan)}
    own = {each.name: each for each in said}
    return [
        _over(own.get(name), detected.get(name, Row(name=name)))
        for name in dict.fromkeys([*detected, *own])
    ]


def _detected(plan: Plan | None) -> list[Row]:
    if plan is None:
        return [Row(name=WEB, is_detected=True)]
    if plan.kind == "static":
        return []
    names = ([WEB] if plan.kind == "server" else []) + list(plan.processes)
    found: list[Row] = []
    for name in names:
        limits = plan.process_settings.get(name)
        values = {
            field: _text(getattr(limits, field, None)) for field in FIELDS if field != "command"
        }
        values["restart"] = values["restart"] or "always"
        command = plan.processes.get(name, "")
        found.append(Row(name=name, is_detected=True, command=command, **values))
    return found


def _over(said: Said | None, row: Row) -> Row:
    given = {field: getattr(said, field, None) for field in FIELDS}
    texts = {field: _text(value) for field, value in given.items() if value is not None}
    return msgspec.structs.replace(row, **texts)


def typed(form: Mapping[str, object]) -> list[Row]:
    """The rows as they were typed, to show them again beside their errors."""
    found: list[Row] = []
    for number in _numbers(form):
        values = {
            field: forms.text(form, f"processes.{number}.{field}") or ""
            for field in ("name", *FIELDS)
        }
        values["restart"] = values["restart"] or "always"
        is_detected = forms.checked(form, f"processes.{number}.detected")
        found.append(Row(is_detected=is_detected, **values))
    while found and found[-1] == Row():
        found.pop()
    return found


def chosen(form: Mapping[str, object], plan: Plan | None) -> list[dict[str, object]]:
    """What differs from what is detected, as the API takes it: a struct still has to check it.

    The command of a detected process that was emptied is "": it shall not run.
    """
    detected = {row.name: row for row in _detected(plan)}
    found: list[dict[str, object]] = []
    for _, row in _kept(form):
        known = detected.get(row.name)
        said: dict[str, object] = {"name": row.name}
        for field in FIELDS:
            text = getattr(row, field)
            if text == getattr(known or Row(), field):
                continue
            if text or (field == "command" and known and not row.is_web):
                said[_camel(field)] = _value(field, text)
        found.append(said)
    return found


def renamed(form: Mapping[str, object]) -> dict[str, str]:
    """The fields of the API's list by the rows they were typed in, for errors."""
    return {
        f"processes.{place}.{field}": f"processes.{number}.{field}"
        for place, (number, _) in enumerate(_kept(form))
        for field in ("name", *FIELDS)
    }


def _kept(form: Mapping[str, object]) -> list[tuple[int, Row]]:
    """One's own process is removed by emptying its command."""
    return [
        (number, row)
        for number, row in enumerate(typed(form))
        if row.is_detected or row.command or row.is_web
    ]


def readiness(form: Mapping[str, object], plan: Plan | None) -> dict[str, object]:
    """What was typed of it where that differs from what is detected."""
    path = forms.text(form, "health_path")
    said: dict[str, object] = {"health_path": path}
    said |= {name: _decimal(form.get(name)) for name in OF_WEB[1:]}
    return {name: None if value == _detects(plan, name) else value for name, value in said.items()}


def values(settings: object, plan: Plan | None) -> dict[str, str]:
    """What the form shows of readiness: the project's own, else what is detected."""
    found: dict[str, str] = {}
    for name in OF_WEB:
        own = getattr(settings, name, None)
        found[name] = _text(own if own is not None else _detects(plan, name))
    return found


def _detects(plan: Plan | None, name: str) -> object:
    return getattr(plan, name, None) if plan and plan.kind == "server" else None


def _numbers(form: Mapping[str, object]) -> list[int]:
    found = sorted(int(match[1]) for name in form if (match := _FIELD.match(name)))
    return found[:_MOST_ROWS]


def _value(field: str, text: str) -> object:
    if field in ("command", "restart"):
        return text
    number = _decimal(text)
    is_whole = field == "memory_mb" and isinstance(number, float) and number.is_integer()
    return int(number) if is_whole and isinstance(number, float) else number


def _decimal(text: object) -> float | str | None:
    """A number, also with a comma; what is none stays text, for the struct to refuse."""
    if not isinstance(text, str) or not text.strip():
        return None
    plain = text.strip().replace(",", ".")
    return float(plain) if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", plain) else text


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
