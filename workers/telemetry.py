"""Logging to stderr: coloured text on a terminal, JSON lines otherwise."""

import sys

import structlog

from service.contract.log_stream import lossy
from service.contract.loop import log_thread_errors


def log_to_stderr() -> None:
    """Configure structlog for this process: events with a level, a UTC time and their fields."""
    renderers: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if sys.stderr.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderers,
        ],
        logger_factory=structlog.PrintLoggerFactory(lossy(sys.stderr)),
    )
    log_thread_errors(structlog.get_logger())
