"""What an app wrote, read backwards: newest first, by text, level, process and time.

A file is looked through in blocks from its end. In a block the rarest thing that is wanted (the
text, or the letter of a level) is found by the C library's search, so that the lines in between
are never split or decoded: a million of them cost a fraction of a second.
"""

import contextlib
import datetime as dt
import itertools
import os
import re
from collections import deque
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from windlass.core import runtime_log
from windlass.core.runtime_log import HEAD_BYTES, LETTERS, LEVELS, TIME_BYTES, Level, Segment
from windlass.core.schemas import BadCursor

_BLOCK = 1 << 20
_FIRST_BLOCK = 64 << 10
_NEAR = 64 << 10
_BATCH = 2000
# A letter that stands once in so many bytes is looked at before the text is.
_RARE = 2000
_HEAD = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [IWE] ")
_MOST_BYTES = 256 << 20
"""Looked through for one answer; the cursor goes on from there."""
_PLACE = re.compile(r"([A-Za-z0-9_-]+)\.(\d{1,9})\.(\d{1,12})")

Places = dict[str, tuple[int, int]]
"""By process: the number of a segment, and how many bytes of it come before."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `time` as the file has it, which sorts as text."""

    time: str
    process: str
    level: Level
    message: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines. The text is found in any case of its ASCII letters."""

    process: str | None = None
    search: str = ""
    level: Level | None = None
    since: str | None = None
    until: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Lines, newest first, and where to go on; None at the end."""

    lines: list[Line]
    cursor: str | None


def stamp(time: dt.datetime) -> str:
    """A time as it stands in front of a line."""
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def processes(where: Path) -> list[str]:
    """Those that have written something, `web` first. Blocks."""
    return sorted(runtime_log.segments(where), key=lambda name: (name != "web", name))


def newest(where: Path, wanted: Wanted, *, limit: int, cursor: str | None = None) -> Found:
    """The newest lines, over all processes by their time. Blocks. Raises BadCursor."""
    places = parse(cursor) if cursor else None
    budget = [_MOST_BYTES]
    scans = [
        _Scan(name, files, wanted, budget, places.get(name, (0, 0)) if places else None)
        for name, files in runtime_log.segments(where).items()
        if wanted.process in (None, name)
    ]
    with contextlib.ExitStack() as stack:
        for scan in scans:
            stack.callback(scan.close)
        lines = _taken(scans, limit, budget)
        is_over = all(scan.head() is None and scan.is_over for scan in scans)
        places = {scan.process: scan.place for scan in scans}
    return Found(lines=lines, cursor=None if is_over else text(places))


def _taken(scans: list["_Scan"], limit: int, budget: list[int]) -> list[Line]:
    """The newest lines of all, until there are enough, or the budget is used up."""
    lines: list[Line] = []
    while len(lines) < limit:
        heads = [(scan.head(), scan) for scan in scans]
        known = [(line.time, scan) for line, scan in heads if line is not None]
        if budget[0] <= 0 and any(not scan.is_over for line, scan in heads if line is None):
            break
        if not known:
            break
        _, latest = max(known, key=lambda each: each[0])
        lines.append(latest.take())
    return lines


def ends(where: Path) -> Places:
    """Where each process is in its output now: after its last whole line. Blocks."""
    return _ends(runtime_log.segments(where))


def _ends(found: dict[str, list[Segment]]) -> Places:
    return {name: (files[-1].number, _whole(files[-1])) for name, files in found.items()}


def newer(where: Path, wanted: Wanted, places: Places, *, limit: int) -> tuple[list[Line], Places]:
    """What was written after these places, oldest first, at most the newest `limit`. Blocks."""
    found = runtime_log.segments(where)
    now, lines = _ends(found), list[Line]()
    for name, files in found.items():
        number, offset = places.get(name, (0, 0))
        if wanted.process in (None, name) and now[name] > (number, offset):
            # Who was away for longer than two files does not get all of it.
            recent = deque[Line](maxlen=limit)
            for segment in files[-2:]:
                if segment.number >= number:
                    start = offset if segment.number == number else 0
                    recent.extend(_after(segment, start, now[name], name, wanted))
            lines += recent
    lines.sort(key=lambda line: line.time)
    return lines[-limit:], {**places, **now}


def everything(where: Path, wanted: Wanted) -> Iterator[bytes]:
    """All lines as text, oldest first, process by process, in pieces. Blocks at each."""
    for name, files in runtime_log.segments(where).items():
        if wanted.process not in (None, name):
            continue
        for segment in files:
            end = (segment.number, _size(segment))
            lines = _after(segment, 0, end, name, wanted)
            while batch := [*itertools.islice(lines, _BATCH)]:
                yield "".join(
                    f"{line.time} {line.process} {line.level}: {line.message}\n" for line in batch
                ).encode()


def text(places: Places) -> str:
    """Places as the text of a cursor."""
    return "~".join(f"{name}.{number}.{offset}" for name, (number, offset) in places.items())


def parse(cursor: str) -> Places:
    """The places of a cursor. Raises BadCursor."""
    places: Places = {}
    for part in cursor.split("~"):
        match = _PLACE.fullmatch(part)
        if match is None:
            raise BadCursor()
        places[match[1]] = (int(match[2]), int(match[3]))
    return places


class _Scan:
    """The lines of one process that are wanted, from a place backwards."""

    def __init__(
        self,
        process: str,
        files: list[Segment],
        wanted: Wanted,
        budget: list[int],
        before: tuple[int, int] | None,
    ) -> None:
        self.process = process
        self.is_over = False
        self._place = before or (files[-1].number, _size(files[-1]))
        self._budget = budget
        self._wanted = wanted
        self._pending: list[tuple[int, Line]] = []
        self._blocks = self._read([file for file in files if file.number <= self._place[0]])

    @property
    def place(self) -> tuple[int, int]:
        """Everything that was not taken is before it."""
        return (self._place[0], self._pending[-1][0]) if self._pending else self._place

    def close(self) -> None:
        """Let go of the file."""
        self._blocks.close()

    def head(self) -> Line | None:
        """The newest one that was not taken; None at the end, or when the budget is used up."""
        while not self._pending and not self.is_over and self._budget[0] > 0:
            if next(self._blocks, None) is None:
                self.is_over = True
        return self._pending[-1][1] if self._pending else None

    def take(self) -> Line:
        """The newest one; the next is older."""
        return self._pending.pop()[1]

    def _read(self, files: list[Segment]) -> Generator[bool]:
        """Fill `_pending` block by block; the place is left before what was looked through."""
        # Most look at the newest lines only.
        size = _FIRST_BLOCK
        for segment in reversed(files):
            try:
                file = segment.path.open("rb")
            except FileNotFoundError:
                return
            with file:
                is_first = segment.number == self._place[0]
                end = min(self._place[1], _size(segment)) if is_first else _size(segment)
                if self._wanted.until is not None:
                    end = _end_of(file, end, self._wanted.until)
                while end > 0:
                    start = max(0, end - size)
                    size = min(size * 4, _BLOCK)
                    file.seek(start)
                    block = file.read(end - start)
                    cut = block.find(b"\n") + 1 if start else 0
                    if start and cut in (0, len(block)):
                        # A line cannot be that long; whatever it is, it is no log.
                        cut = len(block)
                    self._budget[0] -= len(block)
                    self._pending = _matching(block, cut, start, self.process, self._wanted)
                    first = block[cut : cut + TIME_BYTES].decode(errors="replace")
                    end = start + cut
                    self._place = (segment.number, end)
                    yield True
                    if self._wanted.since is not None and first and first < self._wanted.since:
                        return
            self._place = (segment.number, 0)


def _matching(
    block: bytes, start: int, base: int, process: str, wanted: Wanted
) -> list[tuple[int, Line]]:
    """The wanted lines of a block of whole lines, each with where it ends, oldest first."""
    found: list[tuple[int, Line]] = []
    for begin, end in _candidates(block, start, wanted):
        line = _line(block[begin:end], process)
        if line is not None and _fits(line, wanted):
            found.append((base + end + 1, line))
    return found


def _candidates(block: bytes, start: int, wanted: Wanted) -> Iterator[tuple[int, int]]:
    """Where lines are that may be wanted: those with the text, or with the letter of the level."""
    needle = wanted.search.encode().lower()
    letter = b"Z " + LETTERS[wanted.level] + b" " if wanted.level else b""
    hay = block
    if letter and (not needle or block.count(letter) < len(block) // _RARE):
        needle = letter
    elif needle and needle.upper() != needle:
        hay = block.lower()
    place = start
    while place < len(block):
        if needle:
            place = hay.find(needle, place)
            if place < 0:
                return
        begin = block.rfind(b"\n", start, place) + 1 or start
        end = block.find(b"\n", place)
        if end < 0:
            # Being written at this moment.
            return
        yield begin, end
        place = end + 1


def _line(raw: bytes, process: str) -> Line | None:
    # A disk that was full for a moment leaves halves.
    if _HEAD.match(raw) is None:
        return None
    return Line(
        time=raw[:TIME_BYTES].decode(),
        process=process,
        level=LEVELS[raw[TIME_BYTES + 1 : TIME_BYTES + 2]],
        message=raw[HEAD_BYTES:].decode(errors="replace"),
    )


def _fits(line: Line, wanted: Wanted) -> bool:
    if wanted.level is not None and line.level != wanted.level:
        return False
    if (wanted.since or "") > line.time or (wanted.until and line.time > wanted.until):
        return False
    return not wanted.search or _folded(wanted.search) in _folded(line.message)


def _folded(words: str) -> str:
    """As the bytes are compared: only ASCII letters have two cases."""
    return words.encode(errors="replace").lower().decode(errors="replace")


def _after(
    segment: Segment, start: int, end: tuple[int, int], process: str, wanted: Wanted
) -> Iterator[Line]:
    """The wanted lines of a segment from a place on, up to where it was."""
    stop = end[1] if segment.number == end[0] else _size(segment)
    try:
        with segment.path.open("rb") as file:
            file.seek(start)
            rest = b""
            while start < stop and (block := file.read(min(_BLOCK, stop - start))):
                start += len(block)
                block = rest + block
                cut = block.rfind(b"\n") + 1
                block, rest = block[:cut], block[cut:]
                for _, line in _matching(block, 0, 0, process, wanted):
                    yield line
    except FileNotFoundError:
        return


def _end_of(file: BinaryIO, end: int, time: str) -> int:
    """A place after the last line that is not later, at the beginning of a line."""
    start, wanted = 0, time.encode()
    while end - start > _NEAR:
        middle = (start + end) // 2
        file.seek(middle)
        next_line = middle + len(file.readline())
        if next_line >= end:
            return end
        if file.read(TIME_BYTES) > wanted:
            end = next_line
        else:
            start = next_line
    return end


def _whole(segment: Segment) -> int:
    """How long it is without a line that is being written at this moment."""
    try:
        with segment.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            for back in (1, _NEAR):
                start = max(0, size - back)
                file.seek(start)
                if cut := file.read(size - start).rfind(b"\n") + 1:
                    return start + cut
    except FileNotFoundError:
        return 0
    # A line cannot be that long, unless it is the first one.
    return size if size > _NEAR else 0


def _size(segment: Segment) -> int:
    try:
        return segment.path.stat().st_size
    except FileNotFoundError:
        return 0
