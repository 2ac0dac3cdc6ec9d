"""Signals as something to select on, for the processes of one thread that start others."""

import os
import select
import signal
import socket


class SignalPipe:
    """Ends every wait of this process when a child ends or SIGTERM comes."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def wait(self, channel: socket.socket, timeout_seconds: float | None = None) -> bool:
        """Sleep until a signal or a word comes; True if there is a word, or the end, to receive."""
        awaited: list[socket.socket | int] = [channel, self._reader]
        ready, _, _ = select.select(awaited, [], [], timeout_seconds)
        if self._reader in ready:
            os.read(self._reader, 1 << 16)
        return channel in ready

    def close(self) -> None:
        """Give the signals back their default meaning: what a forked child does first."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.close(self._reader)
        os.close(self._writer)
