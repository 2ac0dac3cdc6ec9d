"""Signals as a file descriptor for `select`, for single-threaded processes that fork others."""

import os
import select
import signal
import socket


class SignalPipe:
    """A pipe that becomes readable when a child process ends or SIGTERM arrives."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def wait(self, channel: socket.socket, timeout_seconds: float | None = None) -> bool:
        """Sleep until a signal arrives, `channel` is readable, or the time is over.

        Returns True if `channel` has a message or has been closed by the peer.
        """
        sources: list[socket.socket | int] = [channel, self._reader]
        ready, _, _ = select.select(sources, [], [], timeout_seconds)
        if self._reader in ready:
            os.read(self._reader, 1 << 16)
        return channel in ready

    def close(self) -> None:
        """Close the pipe and restore the default signal handlers; a forked child does so first."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.close(self._reader)
        os.close(self._writer)
