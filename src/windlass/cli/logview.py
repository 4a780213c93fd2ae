"""The log as people read it: phases with their durations, and levels in colour."""

from datetime import datetime

from windlass.cli.amounts import seconds
from windlass.cli.schemas import LogLine
from windlass.cli.session import Session, coloured, plain

_STYLES: dict[str, dict[str, str | bool]] = {
    "error": {"fg": "red"},
    "warn": {"fg": "yellow"},
    "success": {"fg": "green"},
}


class LogView:
    """Prints lines as they come. Call `finish` after the last one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._step: str | None = None
        self._since: datetime | None = None
        self._latest: datetime | None = None

    def show(self, line: LogLine) -> None:
        if line.step != self._step:
            self._end_phase(line.timestamp)
            self._step, self._since = line.step, line.timestamp
            if line.step:
                self.session.say(f"> {plain(line.step)}", bold=True)
        self._latest = line.timestamp or self._latest
        indent = "  " if line.step else ""
        style = _STYLES.get(line.level, {})
        clean = coloured if self.session.has_colour and not style else plain
        # A progress bar rewrites its line with carriage returns: its last state is what counts.
        for part in line.message.split("\n"):
            last = part.rstrip("\r").rpartition("\r")[2]
            self.session.say(f"{indent}{clean(last)}", **style)

    def finish(self) -> None:
        self._end_phase(self._latest)
        self._step = None

    def _end_phase(self, now: datetime | None) -> None:
        if self._step and self._since and now:
            took = seconds((now - self._since).total_seconds())
            self.session.say(f"  {plain(self._step)} took {took}", dim=True)
