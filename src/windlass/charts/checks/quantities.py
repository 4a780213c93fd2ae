"""Amounts as Kubernetes writes them: 500m, 0.5, 512Mi, 1e3."""

import re
from decimal import Decimal

QUANTITY = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,3})?")
SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    **{f"{letter}i": Decimal(1024 ** (power + 1)) for power, letter in enumerate("KMGTPE")},
}


def amount(value: object) -> Decimal | None:
    """The number behind a quantity, or None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    found = QUANTITY.fullmatch(str(value))
    if found is None:
        return None
    number, suffix = Decimal(found[1]), found[2]
    if not suffix:
        return number
    return number * SUFFIXES[suffix] if suffix in SUFFIXES else number.scaleb(int(suffix[1:]))
