"""Reads gettext catalogues (.po) as they stand in the source: nothing to compile, nothing stale.

Only what our own catalogues hold: msgid, msgid_plural, msgstr and where a message stands. A message
that is marked fuzzy or has no translation is left out. `make translations` writes the files.
"""

import json
from collections.abc import Callable, Iterator
from gettext import c2py
from pathlib import Path
from typing import Any, cast

import msgspec

FOLDER = Path(__file__).parent.parent / "i18n"
_HEADER, _SCRIPT = "", ".ts"


class Catalogue(msgspec.Struct, frozen=True):
    """What one language says for each English message."""

    messages: dict[str, tuple[str, ...]]
    plural: Callable[[int], int]
    # What the scripts of a page say, by message; plural messages have several forms.
    scripts: dict[str, list[str]]

    def one(self, message: str) -> str:
        found = self.messages.get(message)
        return found[0] if found else message

    def many(self, one: str, many: str, count: int) -> str:
        found = self.messages.get(one)
        if found is None:
            return one if count == 1 else many
        return found[min(self.plural(count), len(found) - 1)]


class Entry:
    """One message of a file, while it is read."""

    def __init__(self) -> None:
        self.flags: str = ""
        self.places: list[str] = []
        self.texts: dict[str, str] = {}

    @property
    def said(self) -> tuple[str, ...]:
        return tuple(text for name, text in self.texts.items() if name.startswith("msgstr"))


def path_of(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "windlass.po"


def read(language: str) -> Catalogue:
    """The catalogue of a language; about 2 µs for each message."""
    messages: dict[str, tuple[str, ...]] = {}
    scripts: dict[str, list[str]] = {}
    rule = "n != 1"
    for entry in entries(path_of(language).read_text("utf-8")):
        id = entry.texts["msgid"]
        if id == _HEADER:
            rule = _rule(entry.said[0]) or rule
        elif all(entry.said) and "fuzzy" not in entry.flags:
            messages[id] = entry.said
            if any(place.endswith(_SCRIPT) for place in entry.places):
                scripts[id] = list(entry.said)
    # The standard library's own reader of these rules; its stubs leave it out.
    plural = cast("Callable[[str], Any]", c2py)(rule)
    return Catalogue(messages, plural, scripts)


def entries(text: str) -> Iterator[Entry]:
    """The messages of a file; those that are out of use (`#~`) are left out."""
    for block in text.split("\n\n"):
        entry, name = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#"):
                entry.flags += line[2:] if line.startswith("#,") else ""
                entry.places += line[2:].split() if line.startswith("#:") else []
                continue
            keyword, quote, rest = line.partition('"')
            if not quote:
                continue
            name = keyword.strip() or name
            # The escapes of both formats are the same: \n \t \" \\
            entry.texts[name] = entry.texts.get(name, "") + json.loads(quote + rest)
        if "msgid" in entry.texts:
            yield entry


def _rule(header: str) -> str | None:
    found = header.partition("plural=")[2].partition(";")[0].strip()
    return found or None
