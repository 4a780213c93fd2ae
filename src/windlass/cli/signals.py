"""The first Ctrl-C (or SIGTERM) is a request that we can answer; the second leaves at once."""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class _Seen:
    count = 0
    held = 0


_seen = _Seen()


@contextmanager
def caught() -> Generator[None]:
    """Inside, SIGINT and SIGTERM raise KeyboardInterrupt once; a second one ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _seen.count = _seen.held = 0
    before = {number: signal.signal(number, _on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Generator[None]:
    """Puts the first interrupt off to the end of the block.

    For a request whose answer must be seen: a deployment that was created, but whose id got lost,
    could not be cancelled.
    """
    _seen.held += 1
    seen_before = _seen.count
    try:
        yield
    finally:
        _seen.held -= 1
    if _seen.count > seen_before:
        raise KeyboardInterrupt


def were_caught() -> bool:
    """An interrupt came while `caught` was in charge."""
    return _seen.count > 0


def _on(number: int, frame: FrameType | None) -> None:
    _seen.count += 1
    if _seen.count > 1:
        if os.isatty(2):
            # A progress bar hides the cursor, and nobody else will bring it back.
            os.write(2, b"\x1b[?25h\n")
        os._exit(130)
    if not _seen.held:
        raise KeyboardInterrupt
