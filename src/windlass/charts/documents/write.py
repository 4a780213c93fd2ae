"""Data → YAML that Go, and every other reader, understands exactly as it was meant.

A string stands without quotes only if no reader could take it for something else; everything else
is quoted. Texts of several lines become block scalars where that keeps every character.
"""

import math
import re
from collections.abc import Iterable, Mapping
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


def dump(*documents: object) -> str:
    """The documents, joined with `---`. Mappings keep their order; keys must be strings."""
    return "---\n".join(_top(document) for document in documents)


def _top(document: object) -> str:
    if isinstance(document, Mapping | list | tuple) and document:
        return "\n".join(block(document, 0)) + "\n"
    return f"{inline(document)}\n"


def block(value: object, indent: int) -> list[str]:
    """The lines of a collection that is not empty, at this indentation."""
    pad = " " * indent
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, one in cast(Mapping[str, object], value).items():
            lines += entry(key, one, indent)
        return lines
    for one in cast(Iterable[object], value):
        if isinstance(one, Mapping | list | tuple) and one:
            inner = block(one, indent + 2)
            lines.append(f"{pad}- {inner[0][indent + 2 :]}")
            lines += inner[1:]
        elif (text := literal(one, indent + 2)) is not None:
            lines.append(f"{pad}- {text[0]}")
            lines += text[1:]
        else:
            lines.append(f"{pad}- {inline(one)}")
    return lines


def entry(key: str, value: object, indent: int) -> list[str]:
    """The lines of one key and its value."""
    pad = " " * indent
    # A reader looks for the colon only so far; `? ` says that a key comes.
    head = [f"{pad}? {scalar(key)}"] if len(key) > _LONGEST_KEY else []
    start = f"{pad}:" if head else f"{pad}{scalar(key)}:"
    if isinstance(value, Mapping | list | tuple) and value:
        return [*head, start, *block(cast(object, value), indent + 2)]
    if (lines := literal(value, indent + 2)) is not None:
        return [*head, f"{start} {lines[0]}", *lines[1:]]
    return [*head, f"{start} {inline(value)}"]


def inline(value: object) -> str:
    """The value on one line: a scalar, or a collection in brackets."""
    if isinstance(value, Mapping):
        table = cast(Mapping[str, object], value)
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
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            if not math.isfinite(value):
                raise TypeError("a number must be finite")
            return repr(value)
        case str():
            return value if is_plain(value) else quoted(value)
        case _:
            raise TypeError(f"{type(value).__name__} is nothing that YAML of Kubernetes holds")


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
