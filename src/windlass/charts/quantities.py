"""Amounts as Kubernetes writes them: `500m`, `0.5`, `128Mi`, `1e3`, `2G`."""

import re
from decimal import Decimal

_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))"
    r"(?:(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([+-]?[0-9]{1,3}))?"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def parse(text: str | int | float) -> Decimal | None:
    """The amount in its unit (cores, bytes); None when it is no quantity."""
    match = _QUANTITY.fullmatch(str(text))
    if match is None or isinstance(text, bool):
        return None
    number, suffix, exponent = match.groups()
    value = Decimal(number)
    if suffix in _BINARY:
        return value * 1024 ** _BINARY[suffix]
    return value.scaleb(_DECIMAL[suffix] if suffix else int(exponent or 0))


def larger(one: str | int | float, other: str | int | float) -> str | int | float:
    """The larger of two amounts, as it was written."""
    first, second = parse(one), parse(other)
    return other if first is not None and second is not None and second > first else one
