"""Logs on stderr: event names with fields, for eyes on a terminal and as JSON lines elsewhere."""

import sys

import structlog


def log_to_stderr() -> None:
    """Set up structlog for this process."""
    shown: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if sys.stderr.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *shown,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
