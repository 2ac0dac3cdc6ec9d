"""The ranks of an attempt on this host, as the agent holds them."""

import socket
import threading
from collections.abc import Sequence

from pydantic import ValidationError

from workers.launcher.local.supervisor import DEADLINE, DUMP, KILL, TERMINATE
from workers.launcher.process_exit import ProcessExit

_MAX_MESSAGE_BYTES = 1 << 17


class LocalHandle:
    """An attempt's supervisor: commands go to it over a socket, and its ProcessExit comes back."""

    def __init__(self, channel: socket.socket, gpus: Sequence[int]) -> None:
        self._channel, self.gpus = channel, gpus
        self._ended = threading.Event()
        self._exit = ProcessExit()

    def terminate(self) -> None:
        """Send SIGTERM to the ranks, which then save a checkpoint and end."""
        self._send(TERMINATE)

    def extend_deadline(self, boot_seconds: float) -> None:
        """Set the time of `boot_clock`, in seconds, at which the supervisor kills the ranks."""
        # A supervisor that is stopped (SIGSTOP) reads nothing, and must not block the agent.
        self._send(DEADLINE + str(boot_seconds).encode(), socket.MSG_DONTWAIT)

    def dump_stacks(self) -> None:
        """Have each rank write the stacks of its threads to the attempt's log."""
        self._send(DUMP)

    def kill(self) -> None:
        """Kill the ranks and all their descendants at once."""
        self._send(KILL)

    def wait(self, timeout_seconds: float | None = None) -> ProcessExit | None:
        """Wait until no process of the attempt is left; None if `timeout_seconds` pass first."""
        return self._exit if self._ended.wait(timeout_seconds) else None

    def end(self, problem: str) -> None:
        """Read the supervisor's ProcessExit; if it sent none, make one with `problem`."""
        try:
            message = self._last_message()
        except OSError:
            message = b""
        try:
            self._exit = ProcessExit.model_validate_json(message)
        except ValidationError:
            # A supervisor that was killed has sent nothing, or half of it.
            self._exit = ProcessExit(problem=problem)
        self._channel.close()
        self._ended.set()

    def _last_message(self) -> bytes:
        try:
            return self._channel.recv(_MAX_MESSAGE_BYTES, socket.MSG_DONTWAIT)
        except ConnectionResetError:
            # A supervisor that ended before it read a command: its message comes after the error.
            return self._channel.recv(_MAX_MESSAGE_BYTES, socket.MSG_DONTWAIT)

    def _send(self, command: bytes, flags: int = 0) -> None:
        # A supervisor that has ended needs no command.
        try:
            self._channel.send(command, flags)
        except OSError:
            return
