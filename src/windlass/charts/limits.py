"""Limits on values, as JSON Schema names them: patterns, ranges, sizes, not types."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import cast

from windlass.charts import validate
from windlass.charts.validate import Check, Errors, named, wrong

LONGEST = 20_000
"""Texts longer than this are not matched against a pattern by Python's own engine."""


def together(checks: list[Check]) -> Check:
    def check(value: object) -> Errors:
        return [error for one in checks for error in one(value) or ()] or None

    return check


@lru_cache(2_000)
def pattern(text: str) -> "Callable[[str], object] | None":
    """The search of RE2, or of Python where that is not installed; None if it reads it not."""
    try:
        import re2
    except ImportError:
        try:
            # RE2 allows flags anywhere, Python only at the very start.
            match = re.match(r"\^\(\?([ims]+)\)", text)
            moved = f"(?{match[1]})^{text[match.end() :]}" if match else text
            return re.compile(moved).search
        except re.error:
            return None
    try:
        return re2.compile(text).search
    except re2.error:
        return None


def _pattern(text: object) -> Check:
    search = pattern(str(text))

    def check(value: object) -> Errors:
        if not isinstance(value, str) or search is None or len(value) > LONGEST or search(value):
            return None
        return wrong("pattern", "text of the wrong form", f"text that matches {text}")

    return check


def _at_least(limit: object) -> Check:
    return _compared(limit, lambda value, bound: value >= bound, "at least")


def _at_most(limit: object) -> Check:
    return _compared(limit, lambda value, bound: value <= bound, "at most")


def _compared(limit: object, fits: Callable[[float, float], bool], words: str) -> Check:
    bound = cast(float, limit)

    def check(value: object) -> Errors:
        if isinstance(value, bool) or not isinstance(value, int | float) or fits(value, bound):
            return None
        return wrong("range", f"{named(value)} is out of range", f"{words} {bound}")

    return check


def _sized(kind: type, is_least: bool, unit: str) -> Callable[[object], Check]:
    def make(limit: object) -> Check:
        bound = cast(int, limit)
        words = f"at {'least' if is_least else 'most'} {bound} {unit}"

        def check(value: object) -> Errors:
            if not isinstance(value, kind):
                return None
            size = len(cast(str, value))
            if size >= bound if is_least else size <= bound:
                return None
            return wrong("size", f"there are {size} {unit}", words)

        return check

    return make


LIMITS: dict[str, Callable[[object], Check]] = {
    "enum": lambda words: validate.one_of(cast(list[object], words)),
    "pattern": _pattern,
    "minimum": _at_least,
    "maximum": _at_most,
    "minLength": _sized(str, True, "characters"),
    "maxLength": _sized(str, False, "characters"),
    "minItems": _sized(list, True, "items"),
    "maxItems": _sized(list, False, "items"),
    "minProperties": _sized(dict, True, "fields"),
    "maxProperties": _sized(dict, False, "fields"),
}


def limited(check: Check, limits: Mapping[str, object]) -> Check:
    """The check, and these limits as well."""
    return together([check, *(LIMITS[word](limit) for word, limit in limits.items())])
