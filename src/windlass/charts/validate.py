"""JSON → what is wrong with it. A schema is compiled once into nested functions; what is right
costs one call for each value and nothing else, paths are put together only for errors.

Two notations are compiled: the short one of our own pack (`packaging/schemas.py`) and OpenAPI as
CustomResourceDefinitions and a cluster's `/openapi/v3` have it. As in Kubernetes, `null` is as good
as absent, an unknown field is an error, and patterns are RE2's.
"""

import base64
import binascii
import difflib
import re
from collections.abc import Callable, Mapping
from typing import cast

import msgspec

Part = str | int
Node = object
INT32 = (-(1 << 31), (1 << 31) - 1)
INT64 = (-(1 << 63), (1 << 63) - 1)
QUANTITY = re.compile(
    r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?"
)
TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")


class Wrong(msgspec.Struct):
    """One violation. `path` grows from the inside out while the error travels up."""

    code: str
    message: str
    expected: str
    path: list[Part]

    def inside(self, part: Part) -> "Wrong":
        self.path.insert(0, part)
        return self


Errors = list[Wrong] | None
Check = Callable[[object], Errors]


def wrong(code: str, message: str, expected: str, *path: Part) -> list[Wrong]:
    return [Wrong(code, message, expected, list(path))]


def named(value: object) -> str:
    """What a value is, in words: never the value itself, which may be a secret."""
    match value:
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "nothing"


# -- single values ---------------------------------------------------------------------------------


def anything(value: object) -> Errors:
    return None


def string(value: object) -> Errors:
    if value.__class__ is str or value is None:
        return None
    hint = (
        "a string (put quotes around it)" if isinstance(value, bool | int | float) else "a string"
    )
    return wrong("type", f"{named(value)} where a string must be", hint)


def boolean(value: object) -> Errors:
    if value is True or value is False or value is None:
        return None
    return wrong("type", f"{named(value)} where a boolean must be", "true or false, without quotes")


def integer(lowest: int, highest: int) -> Check:
    def check(value: object) -> Errors:
        if value.__class__ is int:
            if lowest <= cast(int, value) <= highest:
                return None
            return wrong(
                "range", f"{value} is out of range", f"a number from {lowest} to {highest}"
            )
        if value is None:
            return None
        return wrong("type", f"{named(value)} where a whole number must be", "a whole number")

    return check


def number(value: object) -> Errors:
    if value.__class__ in (int, float) or value is None:
        return None
    return wrong("type", f"{named(value)} where a number must be", "a number, without quotes")


def quantity(value: object) -> Errors:
    if value is None or value.__class__ is int or value.__class__ is float:
        return None
    if isinstance(value, str) and QUANTITY.fullmatch(value):
        return None
    return wrong(
        "quantity", "no quantity that Kubernetes reads", "a quantity such as 250m, 0.5, 512Mi or 1G"
    )


def integer_or_string(value: object) -> Errors:
    if value is None or value.__class__ is int or value.__class__ is str:
        return None
    return wrong(
        "type", f"{named(value)} where a number or a string must be", "a whole number or a string"
    )


def time(value: object) -> Errors:
    if value is None or (isinstance(value, str) and TIME.fullmatch(value)):
        return None
    return wrong("time", "no point in time", "a time such as 2026-01-31T08:00:00Z")


def binary(value: object) -> Errors:
    if value is None:
        return None
    if not isinstance(value, str):
        return string(value)
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return wrong("base64", "it is no base64", "base64; plain text goes into `stringData`")
    return None


def one_of(words: list[object]) -> Check:
    allowed = frozenset(word for word in words if isinstance(word, str | int | float | bool))
    listed = ", ".join(map(str, words))

    def check(value: object) -> Errors:
        if value is None:
            return None
        if isinstance(value, str | int | float | bool) and value in allowed:
            return None
        near = difflib.get_close_matches(str(value), [str(word) for word in words], n=1)
        hint = f"; did you mean {near[0]}?" if near and isinstance(value, str) else ""
        return wrong("enum", f"a value that is not allowed here{hint}", f"one of: {listed}")

    return check


SIMPLE: dict[str, Check] = {
    "s": string,
    "b": boolean,
    "i": integer(*INT32),
    "l": integer(*INT64),
    "n": number,
    "q": quantity,
    "o": integer_or_string,
    "t": time,
    "y": binary,
    "*": anything,
}


# -- collections -----------------------------------------------------------------------------------


def items(check: Check) -> Check:
    def each(value: object) -> Errors:
        if value.__class__ is not list:
            if value is None:
                return None
            return wrong(
                "type",
                f"{named(value)} where a list must be",
                "a list (lines that begin with `- `)",
            )
        found: Errors = None
        for index, item in enumerate(cast(list[object], value)):
            if errors := check(item):
                found = [*(found or ()), *(error.inside(index) for error in errors)]
        return found

    return each


def mapping(check: Check) -> Check:
    def each(value: object) -> Errors:
        if value.__class__ is not dict:
            return _no_mapping(value)
        found: Errors = None
        for key, item in cast(dict[str, object], value).items():
            if errors := check(item):
                found = [*(found or ()), *(error.inside(key) for error in errors)]
        return found

    return each


def fields(checks: Mapping[str, Check], required: list[str], *, is_open: bool = False) -> Check:
    """An object: these fields and, unless it is open, no others."""
    get = checks.get

    def each(value: object) -> Errors:
        if value.__class__ is not dict:
            return _no_mapping(value)
        found: Errors = None
        table = cast(dict[str, object], value)
        for key, item in table.items():
            check = get(key)
            if check is None:
                if not is_open:
                    found = [*(found or ()), *_unknown(key, checks)]
            elif errors := check(item):
                found = [*(found or ()), *(error.inside(key) for error in errors)]
        for key in required:
            if table.get(key) is None:
                found = [
                    *(found or ()),
                    *wrong("required", f"`{key}` is missing", f"a field `{key}`"),
                ]
        return found

    return each


def _no_mapping(value: object) -> Errors:
    if value is None:
        return None
    return wrong(
        "type", f"{named(value)} where a mapping must be", "a mapping (lines of `name: value`)"
    )


def _unknown(key: str, known: Mapping[str, Check]) -> list[Wrong]:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    names = ", ".join(sorted(known)[:12]) + (", …" if len(known) > 12 else "")
    return wrong(
        "unknown-field",
        f"there is no field `{key}` here{hint}",
        f"one of: {names}" if known else "no field",
        key,
    )
