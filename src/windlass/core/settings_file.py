"""The file of settings: the names of the variables in TOML, `[builds]` for `WINDLASS_BUILDS__`."""

import re
import tomllib
from pathlib import Path
from typing import cast

from windlass.core.environment import Given

_TABLE = re.compile(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")


def read(path: Path, prefix: str, errors: list[str]) -> dict[str, Given]:
    """Every value by its variable; what cannot be read is said in `errors`, with the place."""
    try:
        text = path.read_text()
        found = tomllib.loads(text)
    except (OSError, ValueError) as error:
        errors.append(f"{path}: {getattr(error, 'strerror', '') or error}")
        return {}
    lines = _lines(text)
    values: dict[str, Given] = {}
    for key, value in _flat(found, ""):
        variable = prefix + key.upper().replace(".", "__")
        called = f"{path}:{lines.get(key, 1)}: {key}"
        if key != key.lower():
            # Only one spelling: the variable of this name is another one's.
            variable += " "
        values[variable] = Given(_joined(value), called)
    return values


def _flat(table: dict[str, object], prefix: str) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _flat(cast(dict[str, object], value), f"{prefix}{key}.")
        else:
            found.append((prefix + key, value))
    return found


def _joined(value: object) -> object:
    """A list where the environment has commas."""
    if isinstance(value, list):
        items = cast(list[object], value)
        if all(isinstance(item, str) for item in items):
            return ",".join(cast(list[str], items))
    return value


def _lines(text: str) -> dict[str, int]:
    """Where each key stands; the standard library does not say."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = header[1] + "."
        elif key := _KEY.match(line):
            found.setdefault(table + key[1], number)
    return found
