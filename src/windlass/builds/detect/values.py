"""JavaScript expressions as values, as far as they are literal; a tolerant recursive descent.

Nothing runs. What is computed is UNKNOWN, what nests deeper than any real file is skipped.
"""

from typing import Final

import msgspec

from windlass.builds.detect.tokens import Token

_DEEPEST = 40
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_ENDS = frozenset([",", ";", ")", "]", "}"])
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "undefined": None}


class Unknown(msgspec.Struct, frozen=True):
    """A value that only running the file would tell."""


class Name(msgspec.Struct, frozen=True):
    text: str


class Call(msgspec.Struct, frozen=True):
    callee: str
    arguments: tuple["Value", ...]


class Function(msgspec.Struct, frozen=True):
    returns: tuple["Value", ...]


class Object(msgspec.Struct, frozen=True):
    entries: tuple[tuple[str | None, "Value"], ...]
    """In the order of the file; a key of None is a spread."""


class Items(msgspec.Struct, frozen=True):
    items: tuple["Value", ...]


Value = str | int | float | bool | None | Unknown | Name | Call | Function | Object | Items
UNKNOWN: Final = Unknown()
MISSING: Final = Name("")


def expression(tokens: list[Token], index: int, depth: int) -> tuple[Value, int]:
    """A value and the index after it. Operators make it UNKNOWN; a TypeScript `as X` does not."""
    value, index = _primary(tokens, index, depth)
    if index >= len(tokens):
        return value, index
    token = tokens[index]
    if token.kind == "name" and token.text in ("as", "satisfies"):
        return value, _skip(tokens, index)
    if token.mark in _ENDS or (token.line_start and token.kind != "punct"):
        return value, index
    return UNKNOWN, _skip(tokens, index)


def _primary(tokens: list[Token], index: int, depth: int) -> tuple[Value, int]:
    if index >= len(tokens) or depth > _DEEPEST:
        return UNKNOWN, _skip(tokens, index)
    token = tokens[index]
    match token.kind:
        case "string":
            return token.text, index + 1
        case "number":
            return _number(token.text), index + 1
        case "name":
            return _word(tokens, index, depth)
        case "punct" if token.text == "{":
            return _object(tokens, index + 1, depth + 1)
        case "punct" if token.text == "[":
            items, index = _listed(tokens, index + 1, "]", depth + 1)
            return Items(tuple(items)), index
        case "punct" if token.text == "(":
            return _parenthesis(tokens, index, depth + 1)
        case "punct" if token.text == "...":
            return expression(tokens, index + 1, depth + 1)
        case _:
            return UNKNOWN, _skip(tokens, index)


def _word(tokens: list[Token], index: int, depth: int) -> tuple[Value, int]:
    word, after = tokens[index].text, index + 1
    if word in ("async", "await", "new"):
        return _primary(tokens, after, depth + 1)
    if word == "function":
        while after < len(tokens) and tokens[after].mark != "(":
            after += 1
        return _body(tokens, matching(tokens, after), depth + 1)
    if word in _WORDS:
        return _WORDS[word], after
    if after < len(tokens) and tokens[after].mark == "=>":
        return _arrow(tokens, after + 1, depth + 1)
    return _chain(tokens, index, depth)


def _chain(tokens: list[Token], index: int, depth: int) -> tuple[Value, int]:
    """`a.b.c` is a Name; `a.b(x)(y).c(z)` is a Call of `a.b` with all the arguments."""
    name, arguments, called, index = tokens[index].text, list[Value](), False, index + 1
    while index < len(tokens):
        text = tokens[index].mark
        if text in (".", "?.") and index + 1 < len(tokens) and tokens[index + 1].kind == "name":
            name = name if called else f"{name}.{tokens[index + 1].text}"
            index += 2
        elif text == "<" and _type_arguments_end(tokens, index):
            index = _type_arguments_end(tokens, index)
        elif text == "(":
            more, index = _listed(tokens, index + 1, ")", depth + 1)
            arguments, called = [*arguments, *more], True
        else:
            break
    return (Call(name, tuple(arguments)) if called else Name(name)), index


def _type_arguments_end(tokens: list[Token], index: int) -> int:
    """Past the `<Type>` of `call<Type>(…)`; 0 when this is a comparison."""
    for ahead in range(index + 1, min(index + 24, len(tokens) - 1)):
        if tokens[ahead].mark == ">" and tokens[ahead + 1].mark == "(":
            return ahead + 1
    return 0


def _parenthesis(tokens: list[Token], index: int, depth: int) -> tuple[Value, int]:
    closing = matching(tokens, index)
    ahead = closing
    if ahead < len(tokens) and tokens[ahead].mark == ":":
        while ahead < len(tokens) and tokens[ahead].mark not in ("=>", ";", "=", ","):
            ahead += 1
    if ahead < len(tokens) and tokens[ahead].mark == "=>":
        return _arrow(tokens, ahead + 1, depth)
    value, _ = expression(tokens, index + 1, depth)
    return value, closing


def _arrow(tokens: list[Token], index: int, depth: int) -> tuple[Value, int]:
    if index < len(tokens) and tokens[index].mark == "{":
        return _body(tokens, index, depth)
    value, index = expression(tokens, index, depth)
    return Function((value,)), index


def _body(tokens: list[Token], index: int, depth: int) -> tuple[Value, int]:
    """What the block that opens at or after `index` returns."""
    while index < len(tokens) and tokens[index].mark != "{":
        index += 1
    end, returns, inner = matching(tokens, index), list[Value](), index
    while inner < end:
        if tokens[inner].kind == "name" and tokens[inner].text == "return" and len(returns) < 8:
            value, inner = expression(tokens, inner + 1, depth + 8)
            returns.append(value)
        inner += 1
    return Function(tuple(returns)), end


def _object(tokens: list[Token], index: int, depth: int) -> tuple[Value, int]:
    entries: list[tuple[str | None, Value]] = []
    while index < len(tokens) and tokens[index].mark != "}":
        token, start = tokens[index], index
        after = tokens[index + 1] if index + 1 < len(tokens) else token
        if token.mark == "...":
            value, index = expression(tokens, index + 1, depth)
            entries.append((None, value))
        elif token.kind in ("name", "string", "number") and after.mark == ":":
            value, index = expression(tokens, index + 2, depth)
            entries.append((token.text, value))
        elif token.kind == "name" and after.mark in (",", "}"):
            entries.append((token.text, Name(token.text)))
            index += 1
        else:
            # A method, an accessor or a computed key: up to the end of this entry.
            named = after if token.text in ("get", "async") and after.kind == "name" else token
            index = _skip(tokens, index)
            entries.append((named.text, UNKNOWN))
        if (index < len(tokens) and tokens[index].mark == ",") or index == start:
            index += 1
    return Object(tuple(entries)), index + 1


def _listed(tokens: list[Token], index: int, closing: str, depth: int) -> tuple[list[Value], int]:
    values: list[Value] = []
    while index < len(tokens) and tokens[index].mark != closing:
        start = index
        value, index = expression(tokens, index, depth)
        values.append(value)
        if index < len(tokens) and (tokens[index].mark == "," or index == start):
            index += 1
    return values, index + 1


def _skip(tokens: list[Token], index: int) -> int:
    """Past the rest of an expression: to the next comma, semicolon or closing bracket outside."""
    while index < len(tokens):
        token = tokens[index]
        if token.mark in _CLOSING:
            index = matching(tokens, index)
            continue
        if token.mark in _ENDS:
            return index
        index += 1
    return index


def matching(tokens: list[Token], index: int) -> int:
    """The index after the bracket that closes the one at `index`."""
    depth = 0
    for after in range(index, len(tokens)):
        token = tokens[after]
        if token.kind == "punct":
            depth += (token.mark in _CLOSING) - (token.mark in _CLOSING.values())
            if depth <= 0:
                return after + 1
    return len(tokens)


def _number(text: str) -> Value:
    try:
        return int(text.replace("_", ""))
    except ValueError:
        return UNKNOWN
