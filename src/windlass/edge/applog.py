"""The log of one process: whole lines with time and level, secrets masked, of bounded size.

A full disk must not stop the app, so what cannot be written is dropped and only the tail remains.
One that writes without end costs neither the disk nor the other visitors of the edge: what goes
over its rate is counted and left out.
"""

import os
import re
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from windlass.core import runtime_log
from windlass.core.runtime_log import Keep

TAIL_LINES = 50
MAX_LINE_BYTES = 16 * 1024
MASK = b"********"
_DAY_SECONDS = 86_400
# Where programs say how bad it is: in the line's first words, or in a field that is called so.
_LEVEL_WITHIN = 160
_ALARMS = (
    *(b"error", b"warn", b"critical", b"fatal", b"panic", b"exception", b"traceback (", b"crit]"),
    *(b"emerg", b"severe", b"level", b"lvl", b"severity"),
)
_LEVEL = re.compile(
    rb"(?P<E>\b(?:ERROR|CRITICAL|FATAL|PANIC|EMERG|SEVERE)\b|\A[\w.]*(?:Error|Exception)\b"
    rb"|\ATraceback \(|\b(?:error|fatal|panic):|\[(?:error|crit|fatal)\]"
    rb"|(?:level|severity|lvl)\"?[:=] ?\"?(?:error|critical|fatal|panic|[56]0\b))"
    rb"|(?P<W>\bWARN(?:ING)?\b|\b[Ww]arning:|\[warn(?:ing)?\]"
    rb"|(?:level|severity|lvl)\"?[:=] ?\"?(?:warn|40\b))"
)


class AppLog:
    """Takes the output of a process in any pieces."""

    def __init__(self, folder: Path, process: str, keep: Keep | None = None) -> None:
        self._folder = folder
        self._process = process
        self._keep = keep or Keep()
        self._mask: list[bytes] = []
        self._partial = b""
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._descriptor = -1
        self._number = 0
        self._size = 0
        self._began = 0.0
        self._allowance = float(self._keep.file_bytes)
        self._counted_at = time.monotonic()
        self._left_out = 0
        self._is_skipping = False

    def mask(self, secrets: tuple[str, ...]) -> None:
        """From now on these values do not reach the log, nor any line of a longer one."""
        values = {part for secret in secrets for part in (secret, *secret.splitlines())}
        # Longest first, or a short value would leave the rest of a longer one readable.
        found = sorted((value.strip() for value in values), key=len, reverse=True)
        self._mask = [value.encode() for value in found if value]

    def feed(self, data: bytes) -> None:
        """Output of the process, cut anywhere."""
        if not self._may(len(data)):
            self._left_out += data.count(b"\n")
            self._partial, self._is_skipping = b"", True
            return
        if self._is_skipping:
            # The rest of a line whose beginning was left out.
            _, end, data = data.partition(b"\n")
            if not end:
                return
            self._is_skipping = False
            self._left_out += 1
        if self._left_out:
            self._say_left_out()
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > MAX_LINE_BYTES:
            # A secret may lie across the cut, so as much as one may be long stays for later.
            clear, keep = self._masked(self._partial), len(self._mask[0]) if self._mask else 0
            lines.append(clear[: len(clear) - keep])
            self._partial = clear[len(clear) - keep :]
        self._write(lines)

    def flush(self) -> None:
        """The process has ended: its last line may lack a line break."""
        if self._left_out:
            self._say_left_out()
        self._is_skipping = False
        if self._partial:
            lines, self._partial = [self._partial], b""
            self._write(lines)

    def say(self, text: str) -> None:
        """A line of the platform's own."""
        self._write([f"[windlass] {text}".encode()], level=b"W")

    def tail(self, count: int = 20) -> list[str]:
        """The last lines, without their times."""
        return list(self._tail)[-count:]

    def close(self) -> None:
        """Let go of the file."""
        self.flush()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _may(self, size: int) -> bool:
        """Whether so much more is within its rate; a file's worth may come at once."""
        now, keep = time.monotonic(), self._keep
        gained = (now - self._counted_at) * keep.bytes_per_second
        self._allowance = min(self._allowance + gained, float(keep.file_bytes))
        self._counted_at = now
        if self._allowance < size:
            return False
        self._allowance -= size
        return True

    def _say_left_out(self) -> None:
        count, self._left_out = self._left_out, 0
        self.say(
            f"{count} lines were left out: it wrote more than"
            f" {self._keep.bytes_per_second >> 10} KiB a second."
        )

    def _write(self, lines: list[bytes], level: bytes | None = None) -> None:
        if not lines:
            return
        # All at once: no secret has a line break in it.
        block = self._masked(b"\n".join(lines))
        clear = [line.rstrip(b"\r")[:MAX_LINE_BYTES] for line in block.split(b"\n")]
        self._tail.extend(line.decode(errors="replace") for line in clear[-TAIL_LINES:])
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3].encode() + b"Z "
        if level is None and _is_calm(block):
            level = b"I"
        try:
            self._append(
                b"".join(
                    [b"%s%s %s\n" % (time, level or _level(line), line) for line in clear],
                )
            )
        except OSError:
            self._descriptor, broken = -1, self._descriptor
            if broken >= 0:
                os.close(broken)

    def _masked(self, line: bytes) -> bytes:
        for secret in self._mask:
            line = line.replace(secret, MASK)
        return line

    def _append(self, text: bytes) -> None:
        if self._descriptor < 0:
            self._open()
        if self._is_full(len(text)):
            os.close(self._descriptor)
            self._descriptor = -1
            self._number += 1
            self._open()
        self._size += os.write(self._descriptor, text)

    def _is_full(self, more: int) -> bool:
        """It is time for the next file: by size, after a day, or because this one was removed."""
        is_large = self._size > 0 and self._size + more > self._keep.file_bytes
        if is_large or time.time() - self._began > _DAY_SECONDS:
            return True
        return os.fstat(self._descriptor).st_nlink == 0

    def _open(self) -> None:
        """The newest file, or the next; those beyond what is kept go."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        there = runtime_log.segments(self._folder).get(self._process, [])
        self._number = max(self._number, 1, there[-1].number if there else 0)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        path = runtime_log.segment(self._folder, self._process, self._number).path
        self._descriptor = os.open(path, flags, 0o600)
        self._size = os.fstat(self._descriptor).st_size
        self._began = time.time()
        older = [one for one in there if one.number < self._number]
        for one in older[: max(0, len(older) - self._keep.files + 1)]:
            one.path.unlink(missing_ok=True)


def _is_calm(text: bytes) -> bool:
    """Nothing in it can be more than information; a quick answer for most of what is written."""
    words = text.lower()
    return not any(word in words for word in _ALARMS)


def _level(line: bytes) -> bytes:
    """The letter of how bad a line is, from what programs usually write."""
    if _is_calm(line[:_LEVEL_WITHIN]):
        return b"I"
    found = _LEVEL.search(line, 0, _LEVEL_WITHIN)
    return (found.lastgroup or "I").encode() if found else b"I"
