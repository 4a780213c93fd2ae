"""What a running application writes: its last lines, and then each as it comes."""

import time
from collections.abc import Callable, Iterator, Mapping

from windlass.cli.api import Api
from windlass.cli.client import ApiError, ConnectionLost, NotWindlass, Unreachable
from windlass.cli.errors import CliError
from windlass.cli.schemas import RuntimeLine
from windlass.cli.session import Session, coloured, plain

PATIENCE_SECONDS = 180.0
LONGEST_PAUSE_SECONDS = 5.0
_STYLES: dict[str, dict[str, str | bool]] = {"error": {"fg": "red"}, "warn": {"fg": "yellow"}}


class ServerSilent(CliError):
    """The server has not answered for {seconds} s; the application may still run."""


def follow(
    api: Api,
    deployment_id: str,
    *,
    wanted: Mapping[str, str | None],
    lines: int,
    on_trouble: Callable[[str], None],
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[RuntimeLine]:
    """Each line once, for as long as somebody listens. Raises ApiError and ServerSilent."""
    after: str | None = None
    heard_at, failures = clock(), 0
    while True:
        try:
            with api.runtime_stream(
                deployment_id, wanted=wanted, lines=lines, after=after
            ) as events:
                heard_at, failures = clock(), 0
                for place, line in events:
                    after = place or after
                    yield line
        except (Unreachable, ConnectionLost, NotWindlass, ApiError) as error:
            if isinstance(error, ApiError) and error.status < 500:
                raise
            if clock() - heard_at > PATIENCE_SECONDS:
                raise ServerSilent(seconds=round(PATIENCE_SECONDS)) from error
            failures += 1
            if failures == 1:
                on_trouble("The connection was lost; trying again.")
        pause(min(LONGEST_PAUSE_SECONDS, 0.25 * 2**failures))


def show(session: Session, line: RuntimeLine, *, with_name: bool) -> None:
    """One line as people read it."""
    style = _STYLES.get(line.level, {})
    clean = coloured if session.has_colour and not style else plain
    name = f"{line.process} | " if with_name else ""
    session.say(f"{name}{clean(line.message)}", **style)
