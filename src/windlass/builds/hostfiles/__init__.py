"""What users already have: the files that tell other hosts how to build and serve a project.

Each file has a small reader that fills a `Reader`: rules of addresses, settings, variables, and a
row for every key with what becomes of it here. Nothing is executed.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from windlass.builds.hostfiles import plain
from windlass.builds.hostfiles.loops import circular
from windlass.builds.hostfiles.report import Reader, Row
from windlass.builds.plan import MANIFEST_BYTES
from windlass.core.rules import Matcher, Place, Rules

__all__ = ["Reader", "Row", "Served", "answering", "of_output", "together"]

_PLAIN = ((plain.REDIRECTS, plain.redirects), (plain.HEADERS, plain.headers))

Read = Callable[[str, int], bytes | None]


class Served(msgspec.Struct, frozen=True):
    """The rules of one site, ready to be served, and what was said about them."""

    rules: Rules | None
    rows: tuple[Row, ...]


def of_output(read: Read, folder: str = "") -> list[Reader]:
    """`_redirects` and `_headers` of a folder of finished files (with its slash)."""
    found: list[Reader] = []
    for name, parse in _PLAIN:
        content = read(folder + name, MANIFEST_BYTES + 1)
        if content is None:
            continue
        reader = Reader(folder + name)
        found.append(reader)
        if len(content) > MANIFEST_BYTES:
            reader.impossible("the file", f"it is larger than {MANIFEST_BYTES >> 10} KiB")
            continue
        try:
            parse(content.decode("utf-8-sig").replace("\r\n", "\n"), reader)
        except UnicodeDecodeError as error:
            reader.impossible("the file", f"byte {error.start} is not UTF-8; save it as UTF-8")
    return found


def together(readers: Sequence[Reader], addresses: Callable[[str], bool]) -> Served:
    """The rules of several files as one, without those that go round in circles.

    `addresses` says whether a file answers there.
    """
    slashes = [each.trailing_slash for each in readers if each.trailing_slash is not None]
    rules = Rules(
        rules=tuple(rule for each in readers for rule in each.rules),
        headers=tuple(header for each in readers for header in each.headers),
        trailing_slash=slashes[0] if slashes else None,
    )
    rows = [row for each in readers for row in each.rows]
    file = readers[0].file if readers else ""
    try:
        loops = circular(rules, addresses)
        rules = replace(rules, rules=tuple(each for each in rules.rules if each not in loops))
        Matcher(rules)
    except ValueError as error:
        rows.append(Row(file=file, key="all rules", verdict="impossible", detail=str(error)))
        return Served(None, tuple(rows))
    for rule in loops:
        named = next((each.file for each in readers if rule in each.rules), file)
        detail = f"{_shown(rule.place)} to {rule.target} leads back to itself; it is left out"
        rows.append(Row(file=named, key="redirect loop", verdict="impossible", detail=detail))
    return Served(None if rules == Rules() else rules, tuple(rows))


def answering(paths: Sequence[str]) -> Callable[[str], bool]:
    """Whether one of these files answers at an address, however it is spelled."""
    known = set(paths)

    def is_there(address: str) -> bool:
        bare = address.strip("/")
        inside = f"{bare}/index.html" if bare else "index.html"
        return bare in known or f"{bare}.html" in known or inside in known

    return is_there


def _shown(place: Place) -> str:
    return place.pattern if place.pattern is not None else place.literal
