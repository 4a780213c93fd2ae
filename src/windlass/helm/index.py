"""A repository's index.yaml: which versions of one chart there are, and where.

Indexes reach 20 MB, of which one chart is a hundredth: its part is cut out before it is read.
"""

import re
from typing import Any, cast

import msgspec
import yaml

from windlass.helm.errors import HelmFailed
from windlass.helm.versions import Range

# An index in another form than Helm writes it is read as a whole, up to here.
_MOST_WHOLE = 4 << 20


class Entry(msgspec.Struct, frozen=True):
    """One version of a chart."""

    version: str
    url: str
    """As the index has it: whole, or below the repository's own address."""
    digest: str = ""
    """Of the packed chart, in hexadecimal digits; not every repository has it."""
    deprecated: bool = False


def entries(text: str, chart: str) -> list[Entry]:
    """The versions of a chart. Raises HelmFailed when this is no index, or it has no such chart."""
    found = _entries(text, chart)
    if not isinstance(found, list) or not found:
        raise HelmFailed("chart-unknown", f"The repository has no chart {chart}")
    made: list[Entry] = []
    for one in cast(list[Any], found):
        if not isinstance(one, dict):
            continue
        about = cast(dict[str, Any], one)
        urls, version = about.get("urls"), about.get("version")
        if isinstance(urls, list) and urls and isinstance(version, str):
            digest = str(about.get("digest") or "").removeprefix("sha256:").lower()
            gone = about.get("deprecated") == "true"
            made.append(Entry(version, str(cast(list[Any], urls)[0]), digest, gone))
    return made


def choose(found: list[Entry], chart: str, version: str, *, devel: bool = False) -> Entry:
    """The newest that is asked for. Raises HelmFailed."""
    texts = [one.version for one in found]
    exact = version if version in texts else None
    best = exact or Range(version, devel=devel).best(texts)
    if best is None:
        newest = Range("", devel=True).best(texts)
        asked = f"version {version} of " if version else "release of "
        hint = f"The newest version is {newest}" if newest else ""
        raise HelmFailed("version-unknown", f"There is no {asked}{chart}", hint)
    return next(one for one in found if one.version == best)


def _entries(text: str, chart: str) -> object:
    part = _cut(text, chart)
    if part is None:
        if len(text) > _MOST_WHOLE:
            raise HelmFailed("chart-unknown", f"The repository has no chart {chart}")
        part = text
    try:
        # Everything is text: a version 1.10 is no number.
        read = yaml.load(part, Loader=yaml.CBaseLoader)  # noqa: S506 - makes text, lists and tables
    except (yaml.YAMLError, RecursionError):
        raise HelmFailed("repository", "Its index.yaml cannot be read") from None
    if not isinstance(read, dict):
        raise HelmFailed("repository", "Its index.yaml is no index of charts")
    table = cast(dict[str, Any], read)
    charts = table.get("entries", table if part is not text else None)
    if not isinstance(charts, dict):
        raise HelmFailed("repository", "Its index.yaml is no index of charts")
    return cast(dict[str, Any], charts).get(chart)


def _cut(text: str, chart: str) -> str | None:
    """The lines of one chart, in an index as Helm writes it; None where it is written otherwise."""
    top = re.search(r"^entries:[ \t]*\r?\n", text, re.MULTILINE)
    if top is None:
        return None
    key = re.compile(rf"^( +)(['\"]?){re.escape(chart)}\2:[ \t]*\r?\n", re.MULTILINE)
    found = key.search(text, top.end())
    if found is None:
        return None
    indent = len(found[1])
    end = re.compile(rf"^ {{0,{indent}}}[^ \-#\r\n]", re.MULTILINE).search(text, found.end())
    return text[found.start() : end.start() if end else len(text)]
