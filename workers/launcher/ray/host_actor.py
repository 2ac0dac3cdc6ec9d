"""What runs on each node, in a process of Ray: it holds the host process by its pipes."""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from queue import SimpleQueue
from signal import SIGKILL
from threading import Event, Thread
from typing import IO

from workers.launcher.ray.messages import MARK
from workers.process_marks import remaining_processes

_SWEEP_SECONDS = 20.0
_POLL_SECONDS = 0.05


class HostActor:
    """Starts the host process; it ends when this process does, for its input ends then."""

    def __init__(self) -> None:
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._last_errors: deque[str] = deque(maxlen=1)
        self._input: int | None = None
        self._has_begun = Event()

    def start(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        """Start `command` with the environment of this node and `variables`; raises OSError."""
        try:
            self._begin(command, variables)
        finally:
            self._has_begun.set()

    def read(self) -> list[str]:
        """The next lines of the host process, waited for; none once it has ended."""
        first = self._lines.get()
        lines = [first]
        while not self._lines.empty():
            lines.append(self._lines.get())
        if first is not None and lines[-1] is None:
            self._lines.put(None)
        return [line for line in lines if line is not None]

    def send(self, line: str) -> None:
        """Give a line to the host process; it is lost where that reads nothing."""
        # Lines come by a thread of their own, which may be ahead of the start.
        self._has_begun.wait()
        if self._input is None:
            return
        with suppress(OSError):
            os.write(self._input, f"{line}\n".encode())

    def ended(self) -> str:
        """How the host process has ended, once `read` has given no line; empty if it did well."""
        status = self._process.wait()
        self._errors.join()
        said = f": {self._last_errors[0]}" if self._last_errors else ""
        return f"status {status}{said}" if status else ""

    def _begin(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        process = self._process = subprocess.Popen(
            command,
            env=os.environ | dict(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Ray may signal the group of its own process.
            start_new_session=True,
        )
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        self._input = process.stdin.fileno()
        assert process.stderr is not None
        self._errors = Thread(target=self._read_errors, args=(process.stderr,), daemon=True)
        self._errors.start()
        Thread(target=self._read_lines, args=(process.stdout,), daemon=True).start()

    def _read_lines(self, output: IO[bytes]) -> None:
        for line in output:
            self._lines.put(line.decode(errors="replace").rstrip("\n"))
        self._lines.put(None)

    def _read_errors(self, errors: IO[bytes]) -> None:
        # For Ray's log of this node, too.
        for line in errors:
            sys.stderr.buffer.write(line)
            sys.stderr.flush()
            if text := line.decode(errors="replace").strip():
                self._last_errors.append(text)


def end_marked(mark: str) -> bool:
    """Kill the processes of this node that have this mark; whether none is left."""
    give_up_at = time.monotonic() + _SWEEP_SECONDS
    while pids := remaining_processes(MARK, mark):
        if time.monotonic() >= give_up_at:
            return False
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, SIGKILL)
        time.sleep(_POLL_SECONDS)
    return True
