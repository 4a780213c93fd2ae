"""Path patterns of other hosts, as places and targets of our rules.

Two dialects: `:name` and a `*` (Netlify, and whoever reads `_redirects`), and path-to-regexp
(Vercel: `:name`, modifiers, groups, regular expressions in brackets). A negative lookahead, which
RE2 has not, is taken apart where everything before it is plain text: so it is commonly written.
"""

import re
from urllib.parse import quote, unquote

import msgspec

from windlass.builds.detect.hostfiles.report import Refused
from windlass.core import linear
from windlass.core.languages import N_
from windlass.core.rules import Place, placeholders

_LONGEST = 2_000
_SEGMENT = r"[^/#?]+?"
_TOKEN = re.compile(
    r"""(?P<name>:[A-Za-z_0-9]+) | (?P<escaped>\\.) | (?P<modifier>[*+?])
      | (?P<open>\{) | (?P<close>\}) | (?P<regex>\() | (?P<char>.)""",
    re.VERBOSE | re.DOTALL,
)
_INSIDE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?:|\(\?!|\(\?|\(|\)|\||[^\\\[\](|)]+")
_IN_TARGET = re.compile(r"(/?):([A-Za-z_]\w*)([*+]?)|\$(\d)|\$([A-Za-z_]\w*)")
_NETLIFY = re.compile(r":([A-Za-z_]\w*)|(\*)|([^:*]+|:)")


class Path(msgspec.Struct, frozen=True):
    """A place, and how a target may name what it captures."""

    place: Place
    groups: dict[str, str]


class _Key(msgspec.Struct, frozen=True):
    """A part of a path-to-regexp pattern that is more than text."""

    name: str
    prefix: str
    suffix: str
    regex: str
    modifier: str


def netlify(source: str) -> Path:
    """`/a/:name/*`: a name is one segment, the star the rest. Raises Refused."""
    path = _checked(source)
    if path.count("*") > 1:
        raise Refused(N_("it has more than one `*`"))
    text, literal, groups, is_open = "", "", dict[str, str](), True
    for name, star, plain in _NETLIFY.findall(path):
        if plain:
            plain = unquote(plain)
            literal += plain if is_open else ""
            text += re.escape(plain)
            continue
        is_open = False
        if star:
            groups["splat"] = "splat"
            at_end = path.endswith("/*") and path != "/*"
            if at_end:
                # `/blog/*` is about `/blog`, too.
                text = f"{text.removesuffix('/')}(?:/(?P<splat>.*))?"
                literal = literal.removesuffix("/") if literal.endswith("/") else literal
            else:
                text += "(?P<splat>.*)"
        else:
            if name in groups:
                raise Refused(N_("it names `:{name}` twice").format(name=name))
            groups[name] = f"g{len(groups) + 1}"
            text += f"(?P<{groups[name]}>[^/]+)"
    if not groups:
        return Path(Place(unquote(path), either_slash=True), {})
    if not path.endswith("*"):
        text = f"{text.removesuffix('/')}/?"
    return Path(_compiled(Place(literal, pattern=text)), groups)


def vercel(source: str) -> Path:
    """The path-to-regexp dialect, as strict about the last slash as it is there. Raises Refused."""
    parts = _parts(_checked(source))
    groups: dict[str, str] = {}
    text, literal, excluded, is_open = "", "", None, True
    for part in parts:
        if isinstance(part, str):
            text += re.escape(part)
            literal += part if is_open else ""
            continue
        regex = part.regex
        if regex.startswith("(?!"):
            if not is_open or part.modifier:
                raise Refused(N_("a negative lookahead is possible after plain text only"))
            regex, negative = _lookahead(regex)
            excluded = f"{re.escape(literal + part.prefix)}(?:{negative})"
        if regex:
            group = f"g{len(groups) + 1}"
            if part.name in groups:
                raise Refused(N_("it names `:{name}` twice").format(name=part.name))
            groups[part.name] = group
        else:
            group = ""
        if is_open and not part.modifier:
            literal += part.prefix
        is_open = False
        text += _key(part, regex, group)
    if not any(isinstance(part, _Key) for part in parts):
        return Path(Place(literal), {})
    return Path(_compiled(Place(literal, pattern=text, excluded=excluded)), groups)


def target(text: str, groups: dict[str, str]) -> str:
    """A destination with our placeholders. Raises Refused for a name that nothing captures."""
    numbered = [group for name, group in groups.items() if not name.startswith("?")]

    def placeholder(match: re.Match[str]) -> str:
        slash, name, modifier, number, dollar = match.groups()
        if number:
            if not 0 < int(number) <= len(numbered):
                raise Refused(N_("nothing captures `${number}`").format(number=number))
            return f"${{{numbered[int(number) - 1]}}}"
        name = name or dollar
        group = groups.get(name) or groups.get(f"?{name}")
        if group is None:
            raise Refused(N_("nothing captures `:{name}`").format(name=name))
        if slash and modifier == "*":
            return f"${{/{group}}}"
        return f"{slash or ''}${{{group}}}"

    if len(text) > _LONGEST:
        raise Refused(N_("the destination is too long"))
    if re.search(r"[\x00-\x20\x7f\\]", text.strip()):
        raise Refused(N_("the destination holds a space, a backslash or a control character"))
    scheme = re.match(r"https?://[^/?#]*", text)
    start = scheme.end() if scheme else 0
    if scheme and (":" in re.sub(r"\A\w+:|:\d+\Z", "", scheme[0]) or "$" in scheme[0]):
        raise Refused(N_("a captured value cannot be part of the host name"))
    made = _IN_TARGET.sub(placeholder, text.strip()[start:])
    made = quote(made, safe="%/:?#[]@!$&'()*+,;=-._~{}|^`\"<>")
    if not placeholders(made) and ("{" in made or "}" in made):
        raise Refused(N_("the destination holds braces"))
    return text[:start] + made


def condition(pattern: str, prefix: str = "h_") -> tuple[str, dict[str, str]]:
    """The expression of a condition with its groups renamed. Raises Refused."""
    names: dict[str, str] = {}

    def renamed(match: re.Match[str]) -> str:
        names[match[1]] = f"{prefix}{match[1]}"
        return f"(?P<{names[match[1]]}>"

    made = re.sub(r"\(\?P?<([A-Za-z_]\w*)>", renamed, pattern[:_LONGEST])
    _check(made)
    return made, names


def _checked(source: str) -> str:
    if not source.startswith("/"):
        raise Refused(N_("it does not start with a slash"))
    if len(source) > _LONGEST:
        raise Refused(N_("it is too long"))
    if any(ord(char) < 32 for char in source):
        raise Refused(N_("it holds control characters"))
    return source


def _compiled(place: Place) -> Place:
    for pattern in (place.pattern, place.excluded):
        if pattern is not None:
            _check(pattern)
    return place


def _check(pattern: str) -> None:
    try:
        linear.compile(pattern)
    except ValueError as error:
        reason = str(error)
        if "perl operator" in reason or "escape sequence" in reason:
            reason = N_(
                "lookaround and references back would need unbounded time ({problem})"
            ).format(problem=reason)
        else:
            reason = N_("it is no pattern ({problem})").format(problem=reason)
        raise Refused(reason) from error


def _parts(source: str) -> list[str | _Key]:
    """The pattern's text and keys, in order."""
    tokens = _tokens(source)
    parts: list[str | _Key] = []
    text, unnamed, place = "", 0, 0

    def take(kind: str) -> str:
        nonlocal place
        if place < len(tokens) and tokens[place][0] == kind:
            place += 1
            return tokens[place - 1][1]
        return ""

    def take_text() -> str:
        found = ""
        while piece := take("char") or take("escaped"):
            found += piece
        return found

    def finish(name: str, regex: str, prefix: str, suffix: str) -> None:
        nonlocal text, unnamed
        if text:
            parts.append(unquote(text))
            text = ""
        if not name and regex:
            name, unnamed = f"${unnamed}", unnamed + 1
        regex = regex or (_SEGMENT if name else "")
        parts.append(_Key(name.lstrip(":"), prefix, suffix, regex, take("modifier")))

    while place < len(tokens):
        char = take("char")
        name, regex = take("name"), take("regex")
        if name or regex:
            if char not in ("/", "."):
                text, char = text + char, ""
            finish(name, regex, char, "")
        elif char or (char := take("escaped")):
            text += char
        elif take("open"):
            prefix = take_text()
            name, regex = take("name"), take("regex")
            suffix = take_text()
            if not take("close"):
                raise Refused(N_("a brace is not closed"))
            finish(name, regex, prefix, suffix)
        else:
            raise Refused(
                N_("`{text}` stands where nothing can be repeated").format(text=tokens[place][1])
            )
    if text:
        parts.append(unquote(text))
    return parts


def _tokens(source: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(source):
        match = _TOKEN.match(source, place)
        if match is None:
            raise Refused(N_("it cannot be read"))
        kind = match.lastgroup or "char"
        value, place = match[0], match.end()
        if kind == "regex":
            value, place = _group(source, place)
        tokens.append((kind, value[1:] if kind == "escaped" else value))
    return tokens


def _group(source: str, start: int) -> tuple[str, int]:
    """The expression in brackets that were just opened, and where it ends."""
    depth, place = 1, start
    while place < len(source):
        match = _INSIDE.match(source, place)
        if match is None:
            break
        piece, place = match[0], match.end()
        if piece == "(":
            raise Refused(N_("it has a capturing group inside another; write `(?:…)`"))
        depth += 1 if piece.startswith("(") else -1 if piece == ")" else 0
        if depth == 0:
            found = source[start : place - 1]
            if not found:
                raise Refused(N_("it has empty brackets"))
            if found.startswith("?"):
                raise Refused(N_("brackets of a path cannot begin with `?`; put two around it"))
            return found, place
    raise Refused(N_("a bracket is not closed"))


def _lookahead(regex: str) -> tuple[str, str]:
    """`(?!a)(?!b).*` is `.*` without what begins with a or b."""
    negatives: list[str] = []
    while regex.startswith("(?!"):
        inner, end = _group(regex, 3)
        negatives.append(inner)
        regex = regex[end:]
    depth = 0
    for piece in _INSIDE.findall(regex):
        depth += 1 if piece.startswith("(") else -1 if piece == ")" else 0
        if piece == "|" and depth == 0:
            raise Refused(N_("a lookahead before alternatives"))
    return regex, "|".join(negatives)


def _key(part: _Key, regex: str, group: str) -> str:
    prefix, suffix = re.escape(part.prefix), re.escape(part.suffix)
    if not regex:
        return f"(?:{prefix}{suffix}){part.modifier}"
    if part.modifier in ("*", "+"):
        optional = "?" if part.modifier == "*" else ""
        if not prefix and not suffix:
            return f"(?P<{group}>(?:{regex}){part.modifier})"
        again = f"(?:{suffix}{prefix}(?:{regex}))*"
        return f"(?:{prefix}(?P<{group}>(?:{regex}){again}){suffix}){optional}"
    return f"(?:{prefix}(?P<{group}>{regex}){suffix}){part.modifier}"
