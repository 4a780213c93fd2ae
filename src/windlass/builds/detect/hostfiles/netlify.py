"""`netlify.toml`: build settings, redirects and headers."""

from collections.abc import Callable
from typing import cast

from windlass.builds.detect.hostfiles import patterns
from windlass.builds.detect.hostfiles.plain import asked, header_of, netlify_rule
from windlass.builds.detect.hostfiles.report import Reader, Refused
from windlass.builds.detect.source import Table, table, texts
from windlass.core.languages import N_
from windlass.core.rules import HeaderRule, Rule

_FUNCTIONS = N_("a project is one site or one server here, not single functions")
_CANNOT = {
    "context": N_("settings for single contexts; give variables to production or previews instead"),
    "functions": _FUNCTIONS,
    "edge_functions": _FUNCTIONS,
    "plugins": N_("plugins of theirs do not run here"),
    "images": N_("pictures are served as they are"),
    "template": "",
    "dev": "",
}
_CANNOT_BUILD = {
    "ignore": N_("every deployment that is asked for is made"),
    "functions": _FUNCTIONS,
    "edge_functions": _FUNCTIONS,
    "processing": N_("files are served as the build made them"),
}


def netlify(content: Table, reader: Reader) -> None:
    does: dict[str, Callable[[str, object], None]] = {
        "build": lambda key, value: _build(reader, table(value)),
        "redirects": lambda key, value: _redirects(reader, value),
        "headers": lambda key, value: _headers(reader, value),
    }
    reader.each(content, does, _CANNOT)


def _build(reader: Reader, build: Table) -> None:
    base = str(build.get("base") or "").strip("/")
    published = build.get("publish")
    if base and isinstance(published, str):
        # Both spellings are about: from the base, and from the top with the base in front.
        published = published.strip("/").removeprefix(f"{base}/")
    does: dict[str, Callable[[str, object], None]] = {
        "base": lambda key, value: reader.directory("root_directory", key, value),
        "publish": lambda key, _: reader.directory("output_directory", key, published),
        "command": lambda key, value: reader.command("build_command", key, value),
        "environment": lambda key, value: reader.environment(key, value),
    }
    reader.each(build, does, _CANNOT_BUILD, prefix="build.")


def _redirects(reader: Reader, value: object) -> None:
    made = 0
    for number, item in enumerate(_tables(value)):
        try:
            reader.rules.append(_redirect(item))
            made += 1
        except Refused as refused:
            reader.impossible(
                f"redirects[{number}]",
                N_("`{rule}` is left out: {reason}").format(
                    rule=str(item.get("from"))[:120], reason=refused
                ),
            )
    reader.count("redirects", made)


def _redirect(item: Table) -> Rule:
    source, destination = item.get("from"), item.get("to")
    if not isinstance(source, str) or not isinstance(destination, str):
        raise Refused(N_("it needs `from` and `to`"))
    if item.get("signed") or item.get("headers"):
        raise Refused(N_("headers and signatures for other hosts"))
    status = item.get("status", 301)
    if not isinstance(status, int):
        raise Refused(N_("the status is no number"))
    conditions = [
        each
        for name, value in table(item.get("conditions")).items()
        for each in asked(name, ",".join(texts(value)) if isinstance(value, list) else str(value))
    ]
    return netlify_rule(
        source,
        destination,
        status,
        force=item.get("force") is True,
        query={key: str(value) for key, value in table(item.get("query")).items()},
        conditions=tuple(conditions),
    )


def _headers(reader: Reader, value: object) -> None:
    made: list[HeaderRule] = []
    for number, item in enumerate(_tables(value)):
        try:
            path = patterns.netlify(str(item.get("for")))
            for name, given in table(item.get("values")).items():
                lines = texts(given) if isinstance(given, list) else str(given).split("\n")
                joined = ", ".join(line.strip().rstrip(",") for line in lines if line.strip())
                made.append(header_of(path, name, joined))
        except Refused as refused:
            reader.impossible(
                f"headers[{number}]",
                N_("`{rule}` is left out: {reason}").format(
                    rule=str(item.get("for"))[:120], reason=refused
                ),
            )
    reader.headers += made
    reader.count("headers", len(made))


def _tables(value: object) -> list[Table]:
    return [table(each) for each in cast(list[object], value)] if isinstance(value, list) else []
