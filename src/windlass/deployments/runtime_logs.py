"""What an app wrote: the end of the files that the edge keeps for it."""

from pathlib import Path

_BLOCK = 64 << 10
_FILES = 4


def last_lines(home: Path, deployment: str, count: int) -> list[str]:
    """The last lines over all kept files, oldest first. Blocks."""
    lines: list[str] = []
    for path in _newest_first(home, deployment):
        lines = _tail(path, count - len(lines)) + lines
        if len(lines) >= count:
            break
    return lines[-count:]


def _newest_first(home: Path, deployment: str) -> list[Path]:
    base = home / "logs" / "apps" / f"{deployment}.log"
    older = [base.with_name(f"{base.name}.{number}") for number in range(1, _FILES)]
    return [path for path in (base, *older) if path.exists()]


def _tail(path: Path, count: int) -> list[str]:
    with path.open("rb") as file:
        place, found = file.seek(0, 2), b""
        while place > 0 and found.count(b"\n") <= count:
            step = min(_BLOCK, place)
            place -= step
            file.seek(place)
            found = file.read(step) + found
    return found.decode(errors="replace").splitlines()[-count:] if count > 0 else []
