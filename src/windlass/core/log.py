"""Logs are events with fields, one JSON object a line, with the request they belong to (C-091)."""

import logging
import sys
from contextvars import ContextVar

import structlog

request_id: ContextVar[str] = ContextVar("request_id", default="")


def configure(level: str, *, pretty: bool) -> None:
    """Set up the log of this process: coloured lines for people, JSON for machines."""
    render = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _add_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            render,
        ]
        if not pretty
        else [
            _add_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
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


def _add_request_id(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    if id := request_id.get():
        event["requestId"] = id
    return event
