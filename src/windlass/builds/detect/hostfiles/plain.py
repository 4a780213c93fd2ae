"""`_redirects` and `_headers`: the two plain text files, as Netlify and Cloudflare read them."""

import re

from windlass.builds.detect.hostfiles import patterns
from windlass.builds.detect.hostfiles.report import Reader, Refused
from windlass.core.languages import N_
from windlass.core.rules import Condition, HeaderRule, Rule

REDIRECTS, HEADERS = "_redirects", "_headers"
# What the edge writes itself: lengths, encodings and tags belong to the bytes it sends.
_OURS = frozenset(
    [
        *("connection", "content-encoding", "content-length", "content-range", "date", "etag"),
        *("keep-alive", "transfer-encoding", "upgrade", "vary", "x-windlass-deployment"),
    ]
)
_STATUS = re.compile(r"([1-5]\d\d)(!?)")
_URL = re.compile(r"https?://([^/?#:]+)(?::\d+)?(/.*)?")
_REDIRECTS = (301, 302, 303, 307, 308)
_ANSWERS = (200, 403, 404, 410, 451)
_MOST_LINES = 20_000


def redirects(text: str, reader: Reader) -> None:
    """Each line: from, query parameters, to, status, conditions."""
    made = 0
    for number, line in _lines(text, reader):
        words = re.sub(r"(^|\s)#.*", "", line).split()
        if not words:
            continue
        try:
            reader.rules.append(_redirect(words))
            made += 1
        except Refused as refused:
            reader.impossible(
                f"line {number}",
                N_("`{rule}` is left out: {reason}").format(
                    rule=" ".join(words)[:120], reason=refused
                ),
            )
    reader.count("redirects", made)


def headers(text: str, reader: Reader) -> None:
    """A path at the start of a line, its headers indented below it."""
    path: patterns.Path | None = None
    host = ""
    made: dict[tuple[str, str], HeaderRule] = {}
    for number, line in _lines(text, reader):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        try:
            if not line[0].isspace():
                path = None
                url = _URL.fullmatch(content)
                host = url[1] if url else ""
                path = patterns.netlify((url[2] or "/") if url else content)
                if host:
                    raise Refused(N_("headers for one host name alone"))
            elif path is not None and not host:
                header = header_of(path, *_pair(content))
                key = (repr(path.place), header.name.lower())
                if key in made:
                    joined = f"{made[key].value}, {header.value}"
                    header = HeaderRule(path.place, header.name, joined)
                made[key] = header
        except Refused as refused:
            reader.impossible(
                f"line {number}",
                N_("`{rule}` is left out: {reason}").format(rule=content[:120], reason=refused),
            )
    reader.headers += made.values()
    reader.count("headers", len(made))


def netlify_rule(
    source: str,
    destination: str,
    status: int,
    *,
    force: bool,
    query: dict[str, str],
    conditions: tuple[Condition, ...] = (),
) -> Rule:
    """One redirect of Netlify's, from either of its files. Raises Refused."""
    url = _URL.fullmatch(source)
    wanted = list(conditions)
    if url:
        wanted.append(Condition("host", pattern=re.escape(url[1].lower())))
        source = url[2] or "/"
    path = patterns.netlify(source)
    groups = dict(path.groups)
    for key, value in query.items():
        wanted.append(_parameter(key, value, groups))
    if status not in (*_REDIRECTS, *_ANSWERS):
        raise Refused(N_("status {status} is none that a rule can have").format(status=status))
    if destination.startswith("/.netlify/"):
        raise Refused(N_("Netlify's functions and services are not here"))
    is_redirect = status in _REDIRECTS
    if not is_redirect and not destination.startswith("/"):
        raise Refused(N_("the edge does not fetch from other hosts in the name of a site"))
    return rule_of(
        path,
        patterns.target(destination, groups),
        status,
        before_files=force,
        keep_query=not query,
        conditions=tuple(wanted),
    )


def rule_of(
    path: patterns.Path,
    target: str,
    status: int,
    *,
    before_files: bool,
    keep_query: bool = True,
    conditions: tuple[Condition, ...] = (),
) -> Rule:
    """Raises Refused when it is no rule."""
    try:
        return Rule(
            path.place,
            "redirect" if status in _REDIRECTS else "rewrite",
            target,
            status,  # pyright: ignore[reportArgumentType]
            before_files,
            keep_query,
            conditions,
        )
    except ValueError as error:
        raise Refused(str(error)) from error


def header_of(path: patterns.Path, name: str, value: str) -> HeaderRule:
    """Raises Refused for what no site may set."""
    if name.lower() in _OURS:
        raise Refused(N_("`{name}` belongs to the server").format(name=name))
    if name.lower() == "basic-auth":
        raise Refused(N_("a password for a path"))
    try:
        return HeaderRule(path.place, name, value)
    except ValueError as error:
        raise Refused(str(error)) from error


def _redirect(words: list[str]) -> Rule:
    source, rest = words[0], words[1:]
    query: dict[str, str] = {}
    while rest and "=" in rest[0] and not rest[0].startswith(("/", "http")):
        key, _, value = rest.pop(0).partition("=")
        query[key] = value
    if not rest:
        raise Refused(N_("it names no destination"))
    destination, rest = rest[0], rest[1:]
    status, force = 301, False
    if rest and (match := _STATUS.fullmatch(rest[0])):
        status, force = int(match[1]), bool(match[2])
        rest = rest[1:]
    return netlify_rule(
        source,
        destination,
        status,
        force=force,
        query=query,
        conditions=tuple(each for word in rest for each in asked(*_named(word))),
    )


def asked(name: str, value: str) -> tuple[Condition, ...]:
    """Netlify's conditions. Raises Refused for what is not known of a visitor here."""
    if name.lower() == "cookie" and value and "," not in value:
        return (Condition("cookie", value),)
    if name.lower() in ("country", "language", "role"):
        raise Refused(N_("the {kind} of a visitor is not known here").format(kind=name.lower()))
    raise Refused(N_("`{name}` is not understood").format(name=name))


def _named(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


def _parameter(key: str, value: str, groups: dict[str, str]) -> Condition:
    if not value.startswith(":"):
        return Condition("query", key, pattern=re.escape(value))
    if not re.fullmatch(r":[A-Za-z_]\w*", value):
        raise Refused(N_("`{value}` is no name").format(value=value))
    groups[f"?{value[1:]}"] = f"h_{value[1:]}"
    return Condition("query", key, pattern=f"(?P<h_{value[1:]}>.+)")


def _pair(content: str) -> tuple[str, str]:
    name, colon, value = content.partition(":")
    if not colon:
        raise Refused(N_("it is not `Name: value`"))
    return name.strip(), value.strip()


def _lines(text: str, reader: Reader) -> list[tuple[int, str]]:
    lines = text.split("\n")
    if len(lines) > _MOST_LINES:
        reader.impossible(
            N_("the rest"), N_("only the first {number} lines are read").format(number=_MOST_LINES)
        )
    return list(enumerate(lines[:_MOST_LINES], 1))
