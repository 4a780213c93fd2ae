"""JavaScript and TypeScript cut into tokens, so that comments and strings fool nobody.

Tolerant: what it cannot make sense of becomes punctuation, it never fails and takes linear time.
"""

import re
from typing import NamedTuple


class Token(NamedTuple):
    kind: str
    """name, string, number, template (one with `${}` in it), regex or punct"""
    text: str
    line_start: bool
    """First on its line: a statement may end before it without a semicolon."""

    @property
    def mark(self) -> str:
        """The punctuation that it is; empty for all else (a string may hold a bracket)."""
        return self.text if self.kind == "punct" else ""


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\f\v\u00a0\ufeff]+|//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<newline>\n)
      | (?P<name>[A-Za-z_$][\w$]*)
      | (?P<number>\d[\w.]*)
      | (?P<string>"(?:[^"\\\n]|\\.)*(?:"|(?=\n)|\\?\Z)|'(?:[^'\\\n]|\\.)*(?:'|(?=\n)|\\?\Z))
      | (?P<backtick>`)
      | (?P<punct>=>|\.\.\.|\?\?|\?\.|&&|\|\||[=!]==?|.)""",
    re.VERBOSE | re.DOTALL,
)
_BEFORE_REGEX = frozenset(["return", "typeof", "case", "in", "of", "delete", "void", "throw"])
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "v": "\v", "\n": ""}
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.S)


def tokenize(text: str) -> list[Token]:
    tokens: list[Token] = []
    position, fresh, no_regex_before = 0, True, 0
    while position < len(text):
        if text[position] == "/" and position >= no_regex_before and _regex_may_start(tokens):
            closed, end = _regex(text, position)
            if closed:
                tokens.append(Token("regex", text[position:end], fresh))
                position, fresh = end, False
                continue
            no_regex_before = end
        found = _TOKEN.match(text, position)
        if found is None:
            break
        kind, content = str(found.lastgroup), found.group()
        position = found.end()
        if kind == "newline" or (kind == "space" and "\n" in content):
            fresh = True
        elif kind == "backtick":
            content, position = _template(text, position)
            kind = "template" if "${" in content else "string"
            tokens.append(Token(kind, _unescape(content), fresh))
            fresh = False
        elif kind != "space":
            if kind == "string":
                content = _unescape(content[1:].removesuffix(content[0]))
            tokens.append(Token(kind, content, fresh))
            fresh = False
    return tokens


def _regex_may_start(tokens: list[Token]) -> bool:
    """A slash after a value divides; after an operator or an opening bracket it starts a regex."""
    if not tokens:
        return True
    last = tokens[-1]
    if last.kind == "punct":
        return last.text not in (")", "]", "}")
    return last.kind == "name" and last.text in _BEFORE_REGEX


def _regex(text: str, start: int) -> tuple[bool, int]:
    """Whether a regular expression (not a comment) stands here, and its or the line's end."""
    in_class, position = False, start + 1
    if text[position : position + 1] in ("/", "*", ""):
        return False, start + 1
    while position < len(text) and text[position] != "\n":
        char = text[position]
        if char == "\\":
            position += 1
        elif char == "/" and not in_class:
            return True, position + 1
        elif char in "[]":
            in_class = char == "["
        position += 1
    return False, position


def _template(text: str, start: int) -> tuple[str, int]:
    """The raw content up to the closing backtick and where to go on; `${…}` may nest templates."""
    position, depths = start, [0]
    while position < len(text):
        char = text[position]
        inside_code = depths[-1] > 0
        if char == "\\":
            position += 1
        elif char == "`":
            if inside_code:
                depths.append(0)
            else:
                depths.pop()
                if not depths:
                    return text[start:position], position + 1
        elif text.startswith("${", position) and not inside_code:
            depths[-1] = 1
            position += 1
        elif inside_code and char in "{}":
            depths[-1] += 1 if char == "{" else -1
        position += 1
    return text[start:], len(text)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0xD800 or 0xDFFF < number < 0x110000 else "\ufffd"
    return _ESCAPES.get(found[4], found[4])
