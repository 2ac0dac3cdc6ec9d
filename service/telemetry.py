"""Logs: an event name with fields, one line each; JSON unless a person is watching."""

import logging
import sys

import structlog

from service.contract.log_lines import line_processors
from service.contract.log_stream import lossy
from service.contract.loop import log_thread_errors


def configure_logs() -> None:
    """Send structlog's lines, and the libraries' warnings, to stderr."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *line_processors(sys.stderr),
        ],
        logger_factory=structlog.PrintLoggerFactory(lossy(sys.stderr)),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    log_thread_errors(structlog.get_logger())
