"""Logs are events with fields, one JSON object a line, with the request they belong to (C-091)."""

import logging
import sys
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import TextIO, cast

# structlog takes rich along where it finds it, 5 MB for tracebacks that nobody sees here.
_had_rich = "rich" in sys.modules
if not _had_rich:
    sys.modules["rich"] = cast(ModuleType, None)
import structlog  # noqa: E402

if not _had_rich:
    del sys.modules["rich"]

request_id: ContextVar[str] = ContextVar("request_id", default="")
_FILE_BYTES = 16 << 20
_LOUD = {"warning", "error", "critical"}


class _File:
    """A log file and the one before it, never larger than 16 MiB each."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("a")

    def msg(self, message: str) -> None:
        """Write one line."""
        self._file.write(message + "\n")
        self._file.flush()
        if self._file.tell() > _FILE_BYTES:
            self._file.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            self._file = self._path.open("a")

    log = debug = info = warning = error = critical = exception = msg


def configure(level: str, *, file: Path | None = None) -> None:
    """Set up the log of this process: JSON lines on standard error, or in a file.

    With a file, warnings and errors are also said on standard error, in a short line for people.
    """
    kept = _File(file) if file is not None else None
    processors: list[structlog.typing.Processor] = [
        _add_request_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    if kept is not None:
        processors.append(_say_aloud(sys.stderr))
    structlog.configure(
        processors=[
            *processors,
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=(lambda *_: kept) if kept else structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries speak up only when something is wrong; some set up the root logger themselves.
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s", force=True
    )
    for name in ("uvicorn", "uvicorn.error", "pgqueuer"):
        logging.getLogger(name).setLevel(logging.WARNING)


_LOGGER: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def get() -> structlog.typing.FilteringBoundLogger:
    """The logger everybody uses."""
    return _LOGGER


def _say_aloud(stream: TextIO) -> structlog.typing.Processor:
    def processor(
        _logger: object, _name: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        if event.get("level") in _LOUD:
            quiet = {"level", "time", "event", "exc_info"}
            fields = " ".join(f"{key}={_plain(event[key])}" for key in event if key not in quiet)
            stream.write(f"{event['level']}: {event['event']} {fields}\n")
        return event

    return processor


def _plain(value: object) -> str:
    """On one line, and nothing that a terminal would obey."""
    text = str(value)
    return text if text.isprintable() else ascii(text)


def _add_request_id(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    if id := request_id.get():
        event["requestId"] = id
    return event
