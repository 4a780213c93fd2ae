"""Data → YAML that Go, and every other reader, understands exactly as it was meant.

A string stands without quotes only if no reader could take it for something else; everything else
is quoted. Texts of several lines become block scalars where that keeps every character.
"""

import math
import re
from functools import lru_cache
from typing import cast

_PLAIN = re.compile(
    r"[A-Za-z_/](?:[A-Za-z0-9_./@+=,%()&*-]|:(?=[A-Za-z0-9_/.@-])| (?=[A-Za-z0-9_/(]))*"
)
_SIMPLE = re.compile(r"[A-Za-z0-9_./-]+")
_AMOUNT = re.compile(r"[1-9][0-9]*(?:m|ms|s|h|Ki|Mi|Gi|Ti)")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_LITERAL = re.compile(
    r"[^\s\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff]"
    r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]*"
)
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]')
_NAMES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_LONGEST_KEY = 120
_COLLECTIONS = (dict, list, tuple)


def dump(*documents: object) -> str:
    """The documents, joined with `---`. Mappings keep their order; keys must be strings."""
    return "---\n".join(_top(document) for document in documents)


def _top(document: object) -> str:
    if isinstance(document, _COLLECTIONS) and document:
        return "\n".join(block(document, 0)) + "\n"
    return f"{inline(document)}\n"


def block(value: object, indent: int) -> list[str]:
    """The lines of a collection that is not empty, at this indentation."""
    lines: list[str] = []
    if isinstance(value, dict):
        for key, one in cast(dict[str, object], value).items():
            _entry(lines, key, one, indent)
    else:
        for one in cast(list[object], value):
            _item(lines, one, indent)
    return lines


def entry(key: str, value: object, indent: int) -> list[str]:
    """The lines of one key and its value."""
    lines: list[str] = []
    _entry(lines, key, value, indent)
    return lines


def _entry(lines: list[str], key: str, value: object, indent: int) -> None:
    start = f"{' ' * indent}{_key(key)}:"
    if len(key) > _LONGEST_KEY:
        # A reader looks for the colon only so far; `? ` says that a key comes.
        lines.append(f"{' ' * indent}? {_key(key)}")
        start = f"{' ' * indent}:"
    if isinstance(value, _COLLECTIONS) and value:
        lines.append(start)
        lines += block(value, indent + 2)
    elif (text := literal(value, indent + 2)) is not None:
        lines.append(f"{start} {text[0]}")
        lines += text[1:]
    else:
        lines.append(f"{start} {inline(value)}")


def _item(lines: list[str], value: object, indent: int) -> None:
    start = f"{' ' * indent}- "
    if isinstance(value, _COLLECTIONS) and value:
        inner = block(value, indent + 2)
        inner[0] = start + inner[0][indent + 2 :]
        lines += inner
    elif (text := literal(value, indent + 2)) is not None:
        lines.append(start + text[0])
        lines += text[1:]
    else:
        lines.append(start + inline(value))


@lru_cache(2_000)
def _key(key: str) -> str:
    """A key on one line. The same few come again and again."""
    return scalar(key)


def inline(value: object) -> str:
    """The value on one line: a scalar, or a collection in brackets."""
    if isinstance(value, dict):
        table = cast(dict[str, object], value)
        return "{" + ", ".join(f"{flow(k)}: {flow(v)}" for k, v in table.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(one) for one in cast(list[object], value)) + "]"
    return scalar(value)


def flow(value: object) -> str:
    """The value inside brackets, where only simple words stand without quotes."""
    if isinstance(value, str) and not (_SIMPLE.fullmatch(value) and is_plain(value)):
        return quoted(value)
    return inline(value)


def scalar(value: object) -> str:
    """One value on one line."""
    if isinstance(value, str):
        return value if is_plain(value) else quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    raise TypeError(f"{value!r:.40} is nothing that YAML of Kubernetes holds")


def is_plain(text: str) -> bool:
    """Whether no reader of YAML 1.1 or 1.2 takes it for anything but this text."""
    if _PLAIN.fullmatch(text):
        return text.lower() not in _WORDS
    return _AMOUNT.fullmatch(text) is not None


def quoted(text: str) -> str:
    """The text in double quotes."""
    return '"' + _ESCAPED.sub(lambda found: _escape(found[0]), text) + '"'


def _escape(character: str) -> str:
    if name := _NAMES.get(character):
        return name
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def literal(value: object, indent: int) -> list[str] | None:
    """The header and the lines of a block scalar; None when it is no text of several lines, or
    when a character of it would be lost."""
    if not isinstance(value, str) or "\n" not in value:
        return None
    if value.endswith("\n\n") or not _LITERAL.fullmatch(value):
        return None
    pad = " " * indent
    lines = value.removesuffix("\n").split("\n")
    header = "|" if value.endswith("\n") else "|-"
    return [header, *(f"{pad}{line}" if line else "" for line in lines)]
