"""What users already have: the files that tell other hosts how to build and serve a project.

Each file has a small reader that fills a `Reader`: rules of addresses, settings, variables, and a
row for every key with what becomes of it here. Nothing is executed. Settings rank below
windlass.toml; of two files the first in `_FILES` has the word.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import asdict, replace

from windlass.builds.detect.hostfiles import plain
from windlass.builds.detect.hostfiles.addresses import Addresses
from windlass.builds.detect.hostfiles.fly import fly
from windlass.builds.detect.hostfiles.loops import circular
from windlass.builds.detect.hostfiles.netlify import netlify
from windlass.builds.detect.hostfiles.programs import app_json, railway
from windlass.builds.detect.hostfiles.render import render
from windlass.builds.detect.hostfiles.report import Reader, Report, Row, Wishes
from windlass.builds.detect.hostfiles.samples import samples
from windlass.builds.detect.hostfiles.vercel import vercel
from windlass.builds.detect.procfile import procfile
from windlass.builds.detect.source import Source, Table
from windlass.builds.errors import ManifestBroken
from windlass.builds.plan import MANIFEST_BYTES, Plan
from windlass.builds.windlass_toml import ProcessToml, over
from windlass.core.languages import N_
from windlass.core.rules import Matcher, Place, Rules

__all__ = [
    *("Reader", "Report", "Row", "Served", "Wishes"),  # pyright: ignore
    *("Addresses", "of_output", "read", "report", "together", "wished"),  # pyright: ignore
]

_PLAIN = ((plain.REDIRECTS, plain.redirects), (plain.HEADERS, plain.headers))
_FILES: tuple[tuple[str, Callable[[Table, Reader], None]], ...] = (
    ("vercel.json", vercel),
    ("netlify.toml", netlify),
    ("railway.json", railway),
    ("railway.toml", railway),
    ("render.yaml", render),
    ("fly.toml", fly),
    ("app.json", app_json),
)
# These describe a whole repository, so they lie at its top.
_AT_TOP = frozenset(["netlify.toml", "render.yaml"])
# Whoever has one of these counts on it: a broken one is no reason to serve without its rules.
_RELIED_ON = frozenset(["vercel.json", "netlify.toml"])
_PUBLISHED = ("public/", "static/", "")

Read = Callable[[str, int], bytes | None]


class Served(msgspec.Struct, frozen=True):
    """The rules of one site, ready to be served, and what was said about them."""

    rules: Rules | None
    rows: tuple[Row, ...]


def read(source: Source, top: Source, *, strict: bool = True) -> list[Reader]:
    """Every file of the application, then of the repository around it. With `strict` a broken one
    that is relied on raises ManifestBroken; otherwise its row says so."""
    readers: list[Reader] = []
    for name, parse in _FILES:
        place = source if source.has(name) else top if name in _AT_TOP else source
        if not place.has(name):
            continue
        reader = Reader(place.named(name))
        try:
            parse(_load(place, name), reader)
        except ManifestBroken as error:
            if strict and name in _RELIED_ON:
                raise
            reader.impossible(N_("the file"), str(error.facts.get("reason", error.message)))
        readers.append(reader)
    return readers


def wished(readers: Sequence[Reader]) -> Wishes:
    """The settings of all files as one: the first that says something is heard."""
    merged: dict[str, object] = {}
    env: dict[str, str] = {}
    processes: dict[str, str | ProcessToml] = {}
    for reader in readers:
        for name, value in asdict(reader.wishes).items():
            if value is not None and name not in ("env", "processes"):
                merged.setdefault(name, value)
        env = {**reader.wishes.env, **env}
        processes = over(processes, reader.wishes.processes)
    return replace(Wishes(env=env, processes=processes), **merged)


def of_output(read: Read, folder: str = "", *, above: str = "") -> list[Reader]:
    """`_redirects` and `_headers` of a folder of finished files. Folders end with a slash; what
    stands `above` is only told."""
    found: list[Reader] = []
    for name, parse in _PLAIN:
        content = read(folder + name, MANIFEST_BYTES + 1)
        if content is None:
            continue
        reader = Reader(above + folder + name)
        found.append(reader)
        if len(content) > MANIFEST_BYTES:
            reader.impossible(
                N_("the file"), N_("it is larger than {size} KiB").format(size=MANIFEST_BYTES >> 10)
            )
            continue
        try:
            parse(content.decode("utf-8-sig").replace("\r\n", "\n"), reader)
        except UnicodeDecodeError as error:
            reader.impossible(
                N_("the file"),
                N_("byte {position} is not UTF-8; save it as UTF-8").format(position=error.start),
            )
    return found


def together(
    readers: Sequence[Reader],
    paths: Sequence[str] = (),
    *,
    clean_urls: bool = True,
    is_server: bool = False,
) -> Served:
    """The rules of several files as one, without those that go round in circles.

    `paths` are the files of the site. A server knows its own addresses, so it gets no rewrites.
    """
    rows = [row for each in readers for row in each.rows]
    slashes = [each.trailing_slash for each in readers if each.trailing_slash is not None]
    if is_server:
        for each in readers:
            rewrites = sum(rule.action == "rewrite" for rule in each.rules)
            if rewrites:
                detail = N_("{number} not made: an app knows its own addresses").format(
                    number=rewrites
                )
                rows.append(_row(each.file, "rewrites", detail))
    rules = Rules(
        rules=tuple(
            rule
            for each in readers
            for rule in each.rules
            if not (is_server and rule.action == "rewrite")
        ),
        headers=tuple(header for each in readers for header in each.headers),
        trailing_slash=slashes[0] if slashes and not is_server else None,
    )
    file = readers[0].file if readers else ""
    try:
        slash = rules.trailing_slash
        addresses = Addresses(paths, clean=clean_urls, trailing_slash=slash)
        loops = circular(rules, addresses)
        rules = replace(rules, rules=tuple(each for each in rules.rules if each not in loops))
        Matcher(rules)
    except ValueError as error:
        rows.append(_row(file, N_("all rules"), str(error)))
        return Served(None, tuple(rows))
    for rule in loops:
        named = next((each.file for each in readers if rule in each.rules), file)
        detail = N_("{source} to {target} leads back to itself; it is left out").format(
            source=_shown(rule.place), target=rule.target
        )
        rows.append(_row(named, N_("redirect loop"), detail))
    return Served(None if rules == Rules() else rules, tuple(rows))


def report(source: Source, top: Source, plan: Plan | None) -> Report | None:
    """Everything that is there, and what becomes of it; None when there is nothing."""
    configured = read(source, top, strict=False)
    is_server = plan is not None and plan.kind != "static"
    finished: list[Reader] = [] if is_server else _published(source, plan)
    served = together(
        [*finished, *configured],
        source.files,
        clean_urls=plan is None or plan.clean_urls,
        is_server=is_server,
    )
    others = [reader for reader in (_processes(source), samples(source)) if reader is not None]
    rows = (*served.rows, *(row for each in others for row in each.rows))
    everything = [*finished, *configured, *others]
    if not rows:
        return None
    return Report(
        files=tuple(dict.fromkeys(row.file for row in rows)),
        rows=rows,
        variables=tuple(each for reader in everything for each in reader.variables),
        toml=wished(configured).toml(),
    )


def _published(source: Source, plan: Plan | None) -> list[Reader]:
    """The two plain files where they lie before the build: it copies them to its output."""
    folders = _PUBLISHED
    if plan is not None and plan.build_command is None and plan.output_directory:
        folders = (f"{plan.output_directory}/" if plan.output_directory != "." else "",)

    def content(path: str, limit: int) -> bytes | None:
        return source.raw(path, limit) if source.has(path) else None

    above = f"{source.root}/" if source.root != "." else ""
    for folder in folders:
        try:
            found = of_output(content, folder, above=above)
        except ManifestBroken as error:
            reader = Reader(source.named(folder or "."))
            reader.impossible("_redirects, _headers", str(error.facts.get("reason", "")))
            return [reader]
        if found:
            return found
    return []


def _processes(source: Source) -> Reader | None:
    if not source.has("Procfile"):
        return None
    reader = Reader(source.named("Procfile"))
    try:
        found = procfile(source)
    except ManifestBroken as error:
        reader.impossible(N_("the file"), str(error.facts.get("reason", error.message)))
        return reader
    if found and found.web:
        reader.exact("web", found.web)
    if found and found.release:
        reader.exact("release", found.release)
    for name, command in found.others.items() if found else ():
        reader.exact(name, command)
    return reader


def _load(source: Source, name: str) -> Table:
    if name.endswith(".json"):
        return source.json(name)
    return source.toml(name) if name.endswith(".toml") else source.yaml(name)


def _row(file: str, key: str, detail: str) -> Row:
    return Row(file=file, key=key, verdict="impossible", detail=detail)


def _shown(place: Place) -> str:
    return place.pattern if place.pattern is not None else place.literal
