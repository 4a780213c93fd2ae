"""The log of one app: whole lines with their time, secrets masked, never larger than its files.

A full disk must not stop the app, so what cannot be written is dropped and only the tail remains.
"""

import os
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

FILE_BYTES = 8 << 20
FILES = 3
TAIL_LINES = 50
MAX_LINE_BYTES = 16 * 1024
MASK = b"********"


class AppLog:
    """Takes an app's output in any pieces; `<folder>/<deployment>.log`, then `.log.1`, `.log.2`."""

    def __init__(self, path: Path, *, file_bytes: int = FILE_BYTES) -> None:
        self._path = path
        self._file_bytes = file_bytes
        self._mask: list[bytes] = []
        self._partial = b""
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._descriptor = -1
        self._size = 0

    def mask(self, secrets: tuple[str, ...]) -> None:
        """From now on these values do not reach the log, nor any line of a longer one."""
        values = {part for secret in secrets for part in (secret, *secret.splitlines())}
        # Longest first, or a short value would leave the rest of a longer one readable.
        found = sorted((value.strip() for value in values), key=len, reverse=True)
        self._mask = [value.encode() for value in found if value]

    def feed(self, data: bytes) -> None:
        """Output of the app, cut anywhere."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > MAX_LINE_BYTES:
            # A secret may lie across the cut, so as much as one may be long stays for later.
            clear, keep = self._masked(self._partial), len(self._mask[0]) if self._mask else 0
            lines.append(clear[: len(clear) - keep])
            self._partial = clear[len(clear) - keep :]
        self._write(lines)

    def flush(self) -> None:
        """The app has ended: its last line may lack a line break."""
        if self._partial:
            lines, self._partial = [self._partial], b""
            self._write(lines)

    def say(self, text: str) -> None:
        """A line of the platform's own."""
        self._write([f"[windlass] {text}".encode()])

    def tail(self, count: int = 20) -> list[str]:
        """The last lines, without their times."""
        return list(self._tail)[-count:]

    def close(self) -> None:
        """Let go of the file."""
        self.flush()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, lines: list[bytes]) -> None:
        if not lines:
            return
        clear = [self._masked(line.rstrip(b"\r"))[:MAX_LINE_BYTES] for line in lines]
        self._tail.extend(line.decode(errors="replace") for line in clear)
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3].encode() + b"Z "
        try:
            self._append(b"".join(time + line + b"\n" for line in clear))
        except OSError:
            self._descriptor, broken = -1, self._descriptor
            if broken >= 0:
                os.close(broken)

    def _masked(self, line: bytes) -> bytes:
        for secret in self._mask:
            line = line.replace(secret, MASK)
        return line

    def _append(self, text: bytes) -> None:
        if self._descriptor >= 0 and self._size + len(text) > self._file_bytes:
            self._rotate()
        if self._descriptor < 0:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o600)
            self._size = os.fstat(self._descriptor).st_size
        self._size += os.write(self._descriptor, text)

    def _rotate(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1
        for number in range(FILES - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}")
            source = newer if number > 1 else self._path
            if source.exists():
                source.replace(older)
