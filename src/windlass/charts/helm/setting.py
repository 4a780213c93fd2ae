"""`--set`, `--set-string`, `--set-json` and `--set-literal` as Helm reads them: same keys, same
lists, same types, same mistakes refused.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import cast

from windlass.charts.helm.words import Refused

Values = dict[str, object]

MOST_INDEX = 65536
MOST_LEVELS = 30
_INTEGER = re.compile(r"[+-]?[0-9]+")
_LARGEST = 1 << 63
# Helm reads options of one kind after the other, in this order, whatever the order in the command.
ORDER = ("set-json", "set", "set-string", "set-literal")


class NotAnAssignment(Refused):
    """An expression that Helm cannot read either."""

    def __init__(self, text: str, why: str) -> None:
        shown = text if len(text) <= 80 else f"{text[:79]}…"
        super().__init__("values", f"`{shown}` cannot be read: {why}", "Write it as key=value")


def apply(values: Values, expressions: Iterable[tuple[str, str]]) -> Values:
    """Puts (option, expression) pairs into `values`, in Helm's order. Raises NotAnAssignment."""
    given = list(expressions)
    for kind in ORDER:
        for option, text in given:
            if option == kind:
                _READ[kind](text, values)
    return values


def typed(text: str) -> object:
    """What a value of `--set` is: true, false, null and whole numbers; all else is text."""
    folded = text.lower()
    if folded in ("true", "false"):
        return folded == "true"
    if text == "null":
        return None
    if text == "0":
        return 0
    if text and text[0] != "0" and _INTEGER.fullmatch(text):
        number = int(text)
        if -_LARGEST <= number < _LARGEST:
            return number
    return text


def _set(text: str, values: Values) -> None:
    _Assignments(text, typed).read_into(values)


def _set_string(text: str, values: Values) -> None:
    _Assignments(text, str).read_into(values)


def _set_json(text: str, values: Values) -> None:
    if text.strip().startswith("{"):
        whole = _json(text, text)
        merge(values, cast(Values, whole))
        return
    _Assignments(text, lambda _: "", is_json=True).read_into(values)


def _set_literal(text: str, values: Values) -> None:
    _Assignments(text, str, is_literal=True).read_into(values)


def merge(base: Values, over: Values) -> Values:
    """Puts `over` into `base`: tables are merged, all else is replaced."""
    for key, value in over.items():
        before = base.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            merge(cast(Values, before), cast(Values, value))
        else:
            base[key] = value
    return base


_READ: dict[str, Callable[[str, Values], None]] = {
    "set": _set,
    "set-string": _set_string,
    "set-json": _set_json,
    "set-literal": _set_literal,
}


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number")


# What only Python takes for JSON is none.
_DECODER = json.JSONDecoder(parse_constant=_no_number)


def _json(text: str, whole: str) -> object:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise NotAnAssignment(whole, f"it is no JSON: {error}") from None


class _End(Exception):
    """There is nothing more to read."""


class _Assignments:
    """A walk over `a.b[0]=c,d={e,f}`: keys, list indexes, values, one after the other."""

    def __init__(
        self,
        text: str,
        value: Callable[[str], object],
        *,
        is_json: bool = False,
        is_literal: bool = False,
    ) -> None:
        self._text = text
        self._value = value
        self._is_json = is_json
        self._is_literal = is_literal
        self._at = 0
        self._items = 0
        """Of how many list items the key that is being read is a part."""

    def read_into(self, values: Values) -> None:
        while True:
            try:
                self._key(values, 0)
            except _End:
                return

    def _wrong(self, why: str) -> NotAnAssignment:
        return NotAnAssignment(self._text, why)

    def _until(self, stops: str) -> tuple[str, str]:
        """What stands before the next of `stops`, and which one; "" at the end of the text."""
        taken: list[str] = []
        while self._at < len(self._text):
            letter = self._text[self._at]
            self._at += 1
            if letter in stops:
                return "".join(taken), letter
            if letter == "\\" and not self._is_literal:
                if self._at >= len(self._text):
                    break
                letter = self._text[self._at]
                self._at += 1
            taken.append(letter)
        return "".join(taken), ""

    def _key(self, values: Values, level: int) -> None:
        key, last = self._until("=[." if self._is_literal else "=[,.")
        if last == "":
            if not key:
                raise _End
            raise self._wrong(f"{key!r} has no value")
        if last == ",":
            raise self._wrong(f"{key!r} has no value")
        if last == "[":
            self._list(values, key, level)
        elif last == ".":
            self._table(values, key, level)
        elif self._is_json:
            self._assign(values, key, self._json_value())
        else:
            found = self._read_value()
            self._assign(values, key, found)

    @staticmethod
    def _assign(values: Values, key: str, value: object) -> None:
        if key:
            values[key] = value

    def _list(self, values: Values, key: str, level: int) -> None:
        index = self._index()
        before = values.get(key, [])
        if not isinstance(before, list):
            raise self._wrong(f"{key!r} is no list")
        self._assign(values, key, self._item(cast(list[object], before), index, level))

    def _table(self, values: Values, key: str, level: int) -> None:
        if level + 1 > MOST_LEVELS:
            raise self._wrong(f"it has more than {MOST_LEVELS} levels")
        inner = values.get(key, {})
        if not isinstance(inner, dict):
            raise self._wrong(f"{key!r} is no table")
        table = cast(Values, inner)
        try:
            self._key(table, level + 1)
        finally:
            if table:
                self._assign(values, key, table)
        if not table:
            raise self._wrong(f"{key!r} has no value")

    def _index(self) -> int:
        digits, last = self._until("]")
        if last == "":
            raise self._wrong("a [ is never closed")
        if not _INTEGER.fullmatch(digits):
            raise self._wrong(f"[{digits}] is no place in a list")
        index = int(digits)
        if not 0 <= index <= MOST_INDEX:
            raise self._wrong(f"[{digits}] is outside of what Helm allows (0 to {MOST_INDEX})")
        return index

    def _item(self, items: list[object], index: int, level: int) -> list[object]:
        rest, last = self._until("[.=")
        if rest:
            raise self._wrong(f"{rest!r} stands behind a list's ]")
        if last == "":
            raise self._wrong(f"[{index}] has no value")
        before = items[index] if index < len(items) else None
        if last == "=":
            value = self._json_value() if self._is_json else self._read_value()
        elif last == "[":
            if before is not None and not isinstance(before, list):
                raise self._wrong(f"[{index}] is no list")
            inner = cast(list[object], before or [])
            value = self._item(inner, self._index(), level)
        else:
            value = cast(Values, before) if isinstance(before, dict) else {}
            self._items += 1
            try:
                self._key(value, level)
            except _End:
                raise self._wrong(f"[{index}] has no value") from None
            self._items -= 1
        if len(items) <= index:
            items = items + [None] * (index + 1 - len(items))
        items[index] = value
        return items

    def _read_value(self) -> object:
        if self._is_literal:
            rest, self._at = self._text[self._at :], len(self._text)
            return rest
        if self._items and self._at >= len(self._text):
            raise self._wrong("Helm loses an empty value at the end of a list's item")
        if self._text[self._at : self._at + 1] != "{":
            return self._value(self._until(",")[0])
        self._at += 1
        items: list[object] = []
        while True:
            item, last = self._until(",}")
            if last == "":
                raise self._wrong("the list never ends with a }")
            items.append(self._value(item))
            if last == "}":
                if self._text[self._at : self._at + 1] == ",":
                    self._at += 1
                return items

    def _json_value(self) -> object:
        start = self._at
        while start < len(self._text) and self._text[start].isspace():
            start += 1
        if start == len(self._text):
            return None
        try:
            value, end = _DECODER.raw_decode(self._text, start)
        except (ValueError, RecursionError) as error:
            raise self._wrong(f"it is no JSON: {error}") from None
        while end < len(self._text) and self._text[end].isspace():
            end += 1
        if end < len(self._text) and self._text[end] != ",":
            raise self._wrong("something stands behind the JSON")
        self._at = end + 1
        return value
