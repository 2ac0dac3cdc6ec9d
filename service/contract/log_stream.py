"""A stream for logs that costs its lines, and nothing else, when it cannot be written."""

from contextlib import suppress
from typing import TextIO, cast


def lossy(stream: TextIO) -> TextIO:
    """A stream whose text is lost if a full disk, a closed pipe or a closed file refuses it.

    A log tells of what a process does. It must not keep the process from doing it.
    """
    return cast(TextIO, _LossyStream(stream))


class _LossyStream:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write if possible; gives the length of the text."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush if possible."""
        with suppress(OSError, ValueError):
            self._stream.flush()
