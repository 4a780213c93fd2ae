"""Makes findings go away that have one answer: changes the text where they stand, nothing else.

After each round everything is checked again, so that a change is never made on the ground of what
another change has made untrue.
"""

from collections.abc import Mapping

import msgspec

from windlass.charts.checks import engine
from windlass.charts.checks.engine import Finding, Options, Report
from windlass.charts.documents import Change, Delete, NotEditable, Unreadable, edit, read
from windlass.charts.schemas import Schemas

ROUNDS = 10


class Mended(msgspec.Struct, frozen=True):
    """The texts afterwards, what was mended, and the report of what is left."""

    texts: dict[str, str]
    mended: list[Finding]
    report: Report


def mend(texts: Mapping[str, str], options: Options, *, extra: Schemas | None = None) -> Mended:
    """Mends what can be mended in these files. Raises as engine.check does."""
    now = dict(texts)
    mended: list[Finding] = []
    stuck: set[tuple[str, str]] = set()
    report = _checked(now, options, extra)
    for _ in range(ROUNDS):
        wanted = [
            one for one in report.counted if one.fix and (one.file, repr(one.fix)) not in stuck
        ]
        if not wanted:
            break
        for file in dict.fromkeys(one.file for one in wanted):
            mine = [one for one in wanted if one.file == file]
            now[file], done = _round(now[file], mine)
            mended += done
            stuck |= {(file, repr(one.fix)) for one in mine if one not in done}
        report = _checked(now, options, extra)
    return Mended(now, mended, report)


def _checked(texts: Mapping[str, str], options: Options, extra: Schemas | None) -> Report:
    return engine.check([read(text, file) for file, text in texts.items()], options, extra=extra)


def _round(text: str, findings: list[Finding]) -> tuple[str, list[Finding]]:
    """One pass over a file. What takes items out of lists comes last and from the end: it moves
    what stands behind it.
    """
    done: list[Finding] = []
    ordered = sorted((one for one in findings if _moves(one)), key=_last, reverse=True)
    for one in [*(one for one in findings if not _moves(one)), *ordered]:
        try:
            text = edit(text, one.fix, document=one.document)
        except (NotEditable, Unreadable):
            continue
        done.append(one)
    return text, done


def _moves(one: Finding) -> bool:
    return any(_takes_an_item(change) for change in one.fix)


def _takes_an_item(change: Change) -> bool:
    return isinstance(change, Delete) and isinstance(change.path[-1], int)


def _last(one: Finding) -> tuple[int, int]:
    return one.line, one.column
