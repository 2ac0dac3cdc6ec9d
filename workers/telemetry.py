"""Logging to stderr: coloured text on a terminal, JSON lines otherwise."""

import sys

import structlog

from service.contract.log_lines import line_processors
from service.contract.log_stream import lossy
from service.contract.loop import log_thread_errors


def log_to_stderr() -> None:
    """Configure structlog for this process: events with a level, a UTC time and their fields."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *line_processors(sys.stderr),
        ],
        logger_factory=structlog.PrintLoggerFactory(lossy(sys.stderr)),
    )
    log_thread_errors(structlog.get_logger())
