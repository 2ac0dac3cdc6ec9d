"""What a line of a log looks like: JSON, or coloured text where a person is watching."""

from typing import TextIO

import structlog


def line_processors(stream: TextIO) -> list[structlog.typing.Processor]:
    """The last processors of structlog for lines that go to `stream`.

    A stack has no values of variables, of which some are tokens.
    """
    if stream.isatty():
        formatter = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(exception_formatter=formatter)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
