"""From what a browser posts to what the services take, and from their errors back to the fields."""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from windlass.core.errors import AppError, ValidationFailed
from windlass.core.languages import N_, gettext, retold

_ROW = re.compile(r"env\.(\d{1,4})\.(key|value|secret)\Z")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_LINE = re.compile(
    r"""(?:export\s+)?(?P<key>[^\s=#]+)\s*=\s*
    (?:"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>[^']*)'|(?P<bare>.*?))
    \s*(?:(?<=[\s"'])\#.*)?\Z""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\"": '"', r"\$": "$", r"\\": "\\"}

PLAN_FIELDS = (
    "root_directory",
    "framework",
    "install_command",
    "build_command",
    "output_directory",
    "start_command",
    "release_command",
)
_MAY_BE_NONE = set(PLAN_FIELDS) - {"root_directory", "framework"}


class Variable(msgspec.Struct, frozen=True):
    """A row of the environment form."""

    key: str
    value: str
    secret: bool = False


class Plan(Protocol):
    """What the form shows of a plan; `builds.plan.Plan` fits."""

    @property
    def framework(self) -> str: ...
    @property
    def root_directory(self) -> str: ...
    @property
    def install_command(self) -> str | None: ...
    @property
    def build_command(self) -> str | None: ...
    @property
    def output_directory(self) -> str | None: ...
    @property
    def start_command(self) -> str | None: ...
    @property
    def release_command(self) -> str | None: ...
    @property
    def build_network(self) -> bool: ...


def text(form: Mapping[str, object], name: str) -> str | None:
    """A field without the blanks around it; an empty one is None."""
    value = form.get(name)
    return (value.strip() or None) if isinstance(value, str) else None


def checked(form: Mapping[str, object], name: str) -> bool:
    """Whether a box is ticked, a choice is `true`."""
    return form.get(name) == "true"


def number(form: Mapping[str, object], name: str) -> int | str | None:
    """A field with a whole number; what is none stays text, for the struct to refuse."""
    value = text(form, name)
    is_number = value is not None and value.isascii() and value.isdecimal() and len(value) < 16
    return int(value) if is_number and value is not None else value


def values(form: Mapping[str, object]) -> dict[str, str | bool]:
    """What was typed, to show it again beside its errors. Passwords are never shown again."""
    return {
        name: (value == "true" if value in {"true", "false"} else value)
        for name, value in form.items()
        if isinstance(value, str) and "password" not in name
    }


def errors(error: AppError) -> dict[str, str]:
    """The messages by field as templates take them; `form` is for what no field is to blame for."""
    found: dict[str, str] = {}
    if "fields" in error.facts:
        for problem in _problems(error.facts.get("fields")):
            found.setdefault(_snake(problem.field) or "form", retold(problem.message))
    return found or {"form": error.message}


def setting_values(settings: object, plan: Plan | None) -> dict[str, str | bool]:
    """What the form of an existing project shows: its own settings, else what is detected."""
    shown = plan_values(plan)
    for name in PLAN_FIELDS:
        if (value := getattr(settings, name, None)) is not None:
            shown[name] = value
    for name in ("build_network", "supersede_running"):
        shown[name] = bool(getattr(settings, name, False))
    for name in ("keep_releases", "watch_minutes"):
        shown[name] = str(getattr(settings, name, None) or "")
    return shown


def plan_values(plan: Plan | None, **others: str | bool) -> dict[str, str | bool]:
    """What the form shows for a plan that was detected just now."""
    shown: dict[str, str | bool] = {name: getattr(plan, name, None) or "" for name in PLAN_FIELDS}
    shown["build_network"] = plan.build_network if plan else False
    return shown | others


def overrides(form: Mapping[str, object], plan: Plan | None) -> dict[str, str | None]:
    """Only what differs from the plan: the rest stays detected, at each deployment anew.

    A detected command or output that was emptied is "": there shall be none.
    """
    chosen: dict[str, str | None] = {}
    for name in PLAN_FIELDS:
        typed, detected = text(form, name), getattr(plan, name, None) or None
        emptied = "" if detected and name in _MAY_BE_NONE else None
        chosen[name] = None if typed == detected else typed or emptied
    return chosen


def variables(form: Mapping[str, object]) -> list[Variable]:
    """The rows and the pasted block as one list; a later key replaces an earlier one.

    Raises ValidationFailed with `env.N.key` or `env_block` as the field.
    """
    rows: dict[int, dict[str, str]] = {}
    for name, value in form.items():
        if (found := _ROW.match(name)) and isinstance(value, str):
            rows.setdefault(int(found[1]), {})[found[2]] = value
    wrong: list[dict[str, str]] = []
    chosen: dict[str, Variable] = {}
    for number, row in sorted(rows.items()):
        key = row.get("key", "").strip()
        if not key and not row.get("value"):
            continue
        if problem := _key_problem(key):
            wrong.append({"field": f"env.{number}.key", "message": problem})
        chosen[key] = Variable(key, row.get("value", ""), row.get("secret") == "true")
    block = form.get("env_block")
    try:
        pasted = parse_env(block if isinstance(block, str) else "")
    except ValueError as error:
        wrong.append({"field": "env_block", "message": str(error)})
        pasted = []
    if wrong:
        raise ValidationFailed(fields=wrong)
    return list((chosen | {row.key: row for row in pasted}).values())


def renamed_in_row(form: Mapping[str, object], key: str) -> dict[str, str]:
    """The fields `key` and `value` of one variable, by the row that it was typed in."""
    row = next((n for n, row in enumerate(rows(form)) if row.key.strip() == key), None)
    if row is None:
        return dict.fromkeys(("key", "value"), "env_block")
    return {"key": f"env.{row}.key", "value": f"env.{row}.value"}


def rows(form: Mapping[str, object]) -> list[Variable]:
    """The rows as they were typed, to show them again beside their errors."""
    numbers = sorted({int(found[1]) for name in form if (found := _ROW.match(name))})
    typed = [
        Variable(
            str(form.get(f"env.{number}.key", "")),
            str(form.get(f"env.{number}.value", "")),
            form.get(f"env.{number}.secret") == "true",
        )
        for number in numbers
    ]
    while typed and not typed[-1].key and not typed[-1].value:
        typed.pop()
    return typed


def parse_env(block: str) -> list[Variable]:
    """The lines of a .env file: comments, `export`, quotes, values over several lines in quotes.

    Raises ValueError that names the line.
    """
    found: list[Variable] = []
    lines = iter(enumerate(block.splitlines(), start=1))
    for number, line in lines:
        statement = line.strip()
        if not statement or statement.startswith("#"):
            continue
        while _is_open(statement):
            following = next(lines, None)
            if following is None:
                raise ValueError(
                    gettext("Line {number}: the quote is not closed").format(number=number)
                )
            statement += "\n" + following[1]
        match = _LINE.match(statement)
        if match is None:
            raise ValueError(gettext("Line {number} is not KEY=value").format(number=number))
        if problem := _key_problem(match["key"]):
            raise ValueError(
                gettext("Line {number}: {problem}").format(number=number, problem=retold(problem))
            )
        found.append(Variable(match["key"], _value(match)))
    return found


def _is_open(statement: str) -> bool:
    """A quoted value whose closing quote is on a later line."""
    _, _, value = statement.partition("=")
    value = value.lstrip()
    if value[:1] not in {'"', "'"}:
        return False
    body = re.sub(r"\\.", "", value[1:]) if value[0] == '"' else value[1:]
    return value[0] not in body


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return re.sub(r"\\.", lambda escape: _ESCAPES.get(escape[0], escape[0]), match["double"])
    return match["single"] if match["single"] is not None else match["bare"]


def _key_problem(key: str) -> str:
    if not key:
        return N_("A value needs a key")
    if not _KEY.match(key):
        return N_("{key} is not a name: letters, digits and underscores, no digit first").format(
            key=key[:40]
        )
    return ""


class _Problem(msgspec.Struct):
    field: str
    message: str


def _problems(fields: object) -> Iterable[_Problem]:
    return msgspec.convert(fields or [], list[_Problem])


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
