"""What an app wrote: the end of the files that the edge keeps for it."""

from pathlib import Path

from windlass.core import runtime_log
from windlass.core.process import WEB

_BLOCK = 64 << 10


def last_lines(home: Path, deployment: str, count: int) -> list[str]:
    """The last lines of the web process over all kept files, oldest first. Blocks."""
    lines: list[str] = []
    found = runtime_log.segments(runtime_log.folder(home, deployment))
    for segment in reversed(found.get(WEB, [])):
        lines = _tail(segment.path, count - len(lines)) + lines
        if len(lines) >= count:
            break
    return lines[-count:]


def _tail(path: Path, count: int) -> list[str]:
    with path.open("rb") as file:
        place, found = file.seek(0, 2), b""
        while place > 0 and found.count(b"\n") <= count:
            step = min(_BLOCK, place)
            place -= step
            file.seek(place)
            found = file.read(step) + found
    return found.decode(errors="replace").splitlines()[-count:] if count > 0 else []
