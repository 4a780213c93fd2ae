"""What Helm made of a chart, sorted: what is applied, what runs around it, what stands apart.

Each template keeps its own name: nothing is guessed from comments, which templates can write too.
"""

from enum import StrEnum
from typing import cast

import msgspec

from windlass.charts.documents import Document, Reading, Resource, read, resources

HOOK = "helm.sh/hook"
_TEST_HOOKS = frozenset(("test", "test-success", "test-failure"))
_MANIFESTS = (".yaml", ".yml", ".json", ".tpl")


class Part(StrEnum):
    """What becomes of an object when the chart is installed."""

    manifest = "manifest"
    hook = "hook"
    """It runs before or after, and is not part of the release."""
    test = "test"
    """Only `helm test` makes it."""
    crd = "crd"
    """Installed before everything, never upgraded and never deleted."""


class Piece(msgspec.Struct, frozen=True):
    """One document, and the template it came from. A text that is no YAML is one without a kind."""

    part: Part
    file: str
    kind: str
    name: str
    text: str
    """Its document as it came out."""
    hooks: tuple[str, ...] = ()
    """When it runs: `pre-install`, `post-upgrade`, …"""
    weight: int = 0
    document: int = 0


class Sorted(msgspec.Struct, frozen=True):
    """The objects of a chart, in the order of files and documents."""

    pieces: list[Piece]
    readings: list[Reading]
    """What is to be checked, tests left out, with places in what each template gave."""
    notes: str = ""

    def of(self, *parts: Part) -> list[Piece]:
        return [one for one in self.pieces if one.part in parts]


def sort(templates: dict[str, str], crds: dict[str, str], *, chart: str = "") -> Sorted:
    """Sorts what templates gave. A text that is no YAML stays in `readings`, with its problem."""
    pieces: list[Piece] = []
    readings: list[Reading] = []
    for file in sorted(crds):
        readings.append(read(crds[file], file))
        pieces += _pieces(readings[-1], crds[file], Part.crd)
    for file in sorted(templates):
        text = templates[file]
        if not text.strip() or not file.endswith(_MANIFESTS):
            continue
        reading = read(text, file)
        made = _pieces(reading, text, Part.manifest)
        pieces += made
        tests = {one.document for one in made if one.part is Part.test}
        kept = [one for one in reading.documents if one.index not in tests]
        if kept or reading.problems:
            readings.append(Reading(kept, reading.problems))
    return Sorted(pieces, readings, _notes(templates, chart))


def _pieces(reading: Reading, text: str, part: Part) -> list[Piece]:
    """A piece for each document; what cannot be read stays in one piece, as Helm would send it."""
    if reading.problems:
        return [Piece(part, reading.problems[0].file, "", "", text.strip("\n") + "\n")]
    first: dict[int, Resource] = {}
    for one in resources(reading).resources:
        first.setdefault(one.document.index, one)
    return [_piece(one, first.get(one.index), part) for one in reading.documents]


def _piece(document: Document, one: Resource | None, part: Part) -> Piece:
    about = one.data.get("metadata") if one is not None else None
    named = cast(dict[str, object], about) if isinstance(about, dict) else {}
    annotations = named.get("annotations")
    given = cast(dict[str, object], annotations) if isinstance(annotations, dict) else {}
    hooks = tuple(word.strip() for word in str(given.get(HOOK, "")).split(",") if word.strip())
    if hooks:
        part = Part.test if _TEST_HOOKS.issuperset(hooks) else Part.hook
    return Piece(
        part,
        document.file,
        one.kind if one is not None else "",
        one.name if one is not None else "",
        _text(document),
        hooks,
        _number(given.get(f"{HOOK}-weight")),
        document.index,
    )


def _text(document: Document) -> str:
    """The document without its marker and the empty lines around it."""
    text = document.text
    if text.startswith("---"):
        text = text.partition("\n")[2] if text[3:].partition("\n")[0].strip() == "" else text[3:]
    return text.strip("\n") + "\n"


def _number(value: object) -> int:
    try:
        return int(str(value or 0))
    except ValueError:
        return 0


def _notes(templates: dict[str, str], chart: str) -> str:
    """What the chart itself tells people; its dependencies' notes are theirs."""
    names = [name for name in templates if name.endswith("templates/NOTES.txt")]
    own = [
        name for name in names if name == f"{chart}/templates/NOTES.txt" or "/charts/" not in name
    ]
    return templates[own[0]].strip() if own else ""
