"""What a plain scalar means to Go's YAML reader (sigs.k8s.io/yaml), which Kubernetes uses.

It is YAML 1.1 without base 60 and without dates, and with Go's own number syntax: `0o644`, `0b11`
and `1_000` are integers, `08` is a float because it is no octal number, and every whole float
becomes an integer on its way through JSON.
"""

import math
import re

_WORDS: dict[str, object] = {
    **dict.fromkeys(
        ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True
    ),
    **dict.fromkeys(
        ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False
    ),
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], math.nan),
    **dict.fromkeys([".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"], math.inf),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], -math.inf),
}
HINTS = frozenset(["", *"+-.0123456789yYnNtTfFoO~"])
"""What a scalar begins with that may mean something else than its text."""
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)"
    r"|(?P<dec>0|[1-9][0-9]*))"
)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_POINT_FIRST = re.compile(r"\.[0-9](_?[0-9])*([eE][-+]?[0-9](_?[0-9])*)?")
_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1
# The API server reads numbers beyond these as floats.


def plain(text: str) -> object:
    """The value of an unquoted scalar. Infinity and NaN come back as floats: JSON has neither."""
    if text[:1] not in HINTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "yYnNtTfFoO~":
        return text
    digits = text.replace("_", "")
    if text[0] == ".":
        return as_json(float(digits), otherwise=text) if _POINT_FIRST.fullmatch(text) else text
    if (integer := _integer(digits)) is not None:
        return integer if _LOWEST <= integer <= _HIGHEST else float(integer)
    if _FLOAT.fullmatch(digits):
        return as_json(float(digits), otherwise=text)
    return text


def as_json(number: float, *, otherwise: object) -> object:
    """A float as it arrives after Go wrote it as JSON; `otherwise` if it was out of range."""
    if math.isinf(number):
        return otherwise
    return int(number) if number.is_integer() and abs(number) < _HIGHEST else number


def _integer(text: str) -> int | None:
    match = _INTEGER.fullmatch(text)
    if match is None or match.lastgroup is None:
        return None
    value = int(match[match.lastgroup], _BASES[match.lastgroup])
    return -value if match["sign"] == "-" else value
