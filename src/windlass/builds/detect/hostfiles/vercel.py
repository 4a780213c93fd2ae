"""`vercel.json`: rules of addresses, commands, the folder; what runs only there is named."""

from collections.abc import Callable
from typing import cast

from windlass.builds.detect.hostfiles import patterns
from windlass.builds.detect.hostfiles.patterns import Path
from windlass.builds.detect.hostfiles.plain import header_of, rule_of
from windlass.builds.detect.hostfiles.report import Reader, Refused
from windlass.builds.detect.source import Table, table
from windlass.core.languages import N_
from windlass.core.rules import Condition, HeaderRule, Kind, Rule

_KINDS: dict[str, Kind] = {"header": "header", "cookie": "cookie", "query": "query", "host": "host"}
_STATUSES = (301, 302, 303, 307, 308)
_CANNOT = {
    **dict.fromkeys(("$schema", "version", "name", "devCommand", "alias", "scope"), ""),
    "crons": N_("jobs by the clock are not run here yet"),
    "functions": N_("a project is one site or one server here, not single functions"),
    "images": N_("pictures are served as they are"),
    "regions": N_("there is one place: this machine"),
    "functionFailoverRegions": N_("there is one place: this machine"),
    "git": N_("branches are chosen in the project's settings"),
    "github": N_("branches are chosen in the project's settings"),
    "ignoreCommand": N_("every deployment that is asked for is made"),
    "routes": N_("the old form of rules; write redirects, rewrites and headers"),
    "builds": N_("the old form of builds; the plan is detected"),
    "public": N_("who sees the source is decided by roles"),
}


def vercel(content: Table, reader: Reader) -> None:
    does: dict[str, Callable[[str, object], None]] = {
        "redirects": lambda key, value: _many(reader, key, value, _redirect),
        "rewrites": lambda key, value: _many(reader, key, value, _rewrite),
        "headers": lambda key, value: _many(reader, key, value, _headers),
        "cleanUrls": lambda key, value: _clean_urls(reader, key, value),
        "trailingSlash": lambda key, value: _trailing_slash(reader, key, value),
        "buildCommand": lambda key, value: reader.command("build_command", key, value),
        "installCommand": lambda key, value: reader.command("install_command", key, value),
        "outputDirectory": lambda key, value: reader.directory("output_directory", key, value),
        "framework": lambda key, _: reader.adapted(
            key, N_("the framework is detected here; another is chosen in windlass.toml")
        ),
        "env": lambda key, value: _env(reader, key, value),
        "build": lambda key, value: _env(reader, f"{key}.env", table(value).get("env")),
    }
    reader.each(content, does, _CANNOT)


def _many(
    reader: Reader, key: str, value: object, read: Callable[[Table], list[Rule] | list[HeaderRule]]
) -> None:
    items = cast(list[object], value) if isinstance(value, list) else [value]
    made = 0
    for number, item in enumerate(items):
        try:
            found = read(table(item))
        except Refused as refused:
            shown = table(item).get("source")
            reader.impossible(
                f"{key}[{number}]",
                N_("`{rule}` is left out: {reason}").format(rule=str(shown)[:120], reason=refused),
            )
            continue
        made += 1
        for each in found:
            if isinstance(each, Rule):
                reader.rules.append(each)
            else:
                reader.headers.append(each)
    reader.count(key, made)


def _redirect(item: Table) -> list[Rule]:
    path, groups, conditions = _source(item)
    status = item.get("statusCode")
    if status is None:
        status = 307 if item.get("permanent") is False else 308
    if status not in _STATUSES:
        raise Refused(N_("status {status} is no redirect").format(status=status))
    target = patterns.target(_destination(item), groups)
    return [rule_of(path, target, status, before_files=True, conditions=conditions)]


def _rewrite(item: Table) -> list[Rule]:
    path, groups, conditions = _source(item)
    destination = _destination(item)
    if not destination.startswith("/"):
        raise Refused(N_("the edge does not fetch from other hosts in the name of a site"))
    target = patterns.target(destination, groups)
    return [rule_of(path, target, 200, before_files=False, conditions=conditions)]


def _headers(item: Table) -> list[HeaderRule]:
    path, _, conditions = _source(item)
    if conditions:
        raise Refused(N_("headers under a condition"))
    given = item.get("headers")
    pairs = [table(each) for each in cast(list[object], given)] if isinstance(given, list) else []
    if not pairs:
        raise Refused(N_("it names no headers"))
    return [header_of(path, str(pair.get("key")), str(pair.get("value"))) for pair in pairs]


def _source(item: Table) -> tuple[Path, dict[str, str], tuple[Condition, ...]]:
    source = item.get("source")
    if not isinstance(source, str):
        raise Refused(N_("it has no source"))
    path = patterns.vercel(source)
    groups = dict(path.groups)
    conditions = [
        _condition(table(each), groups, is_absent=is_absent)
        for name, is_absent in (("has", False), ("missing", True))
        for each in _listed(item.get(name))
    ]
    return path, groups, tuple(conditions)


def _condition(item: Table, groups: dict[str, str], *, is_absent: bool) -> Condition:
    kind = _KINDS.get(str(item.get("type")))
    if kind is None:
        raise Refused(N_("a condition on {kind}").format(kind=repr(str(item.get("type"))[:40])))
    key, value = str(item.get("key", "")), item.get("value")
    if value is None and kind != "host":
        if key.isidentifier() and key.isascii() and not is_absent:
            groups.setdefault(f"?{key}", f"h_{key}")
            return Condition(kind, key, pattern=f"(?P<h_{key}>.*)")
        return Condition(kind, key, is_absent=is_absent)
    if not isinstance(value, str):
        raise Refused(N_("a condition with other operators than a value"))
    pattern, names = patterns.condition(value)
    groups.update({f"?{name}": group for name, group in names.items()})
    return Condition(kind, key, pattern=pattern, is_absent=is_absent)


def _destination(item: Table) -> str:
    destination = item.get("destination")
    if not isinstance(destination, str):
        raise Refused(N_("it has no destination"))
    return destination


def _clean_urls(reader: Reader, key: str, value: object) -> None:
    if isinstance(value, bool):
        reader.wish(clean_urls=value)
        reader.exact(key, str(value).lower())
    else:
        reader.impossible(key, N_("it is neither true nor false"))


def _trailing_slash(reader: Reader, key: str, value: object) -> None:
    if isinstance(value, bool):
        reader.trailing_slash = value
        reader.exact(key, str(value).lower())
    else:
        reader.impossible(key, N_("it is neither true nor false"))


def _env(reader: Reader, key: str, value: object) -> None:
    values = table(value)
    for name in [name for name, text in values.items() if str(text).startswith("@")]:
        reader.impossible(f"{key}.{name[:60]}", N_("a secret of theirs; set it as a variable here"))
        reader.variable(name)
    kept = {name: text for name, text in values.items() if not str(text).startswith("@")}
    reader.environment(key, kept)


def _listed(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else []
