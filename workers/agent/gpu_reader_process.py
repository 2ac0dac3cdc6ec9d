"""A process that asks the driver for the use of GPUs: a driver may hang or crash it."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence

from workers.agent.gpu_readings import NAMES, GpuReadings


class GpuReaderProcess:
    """Runs `workers.agent.gpu_readings`; it ends with the thread that makes this object."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workers.agent.gpu_readings", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )

    def ask(self, names: Sequence[str], timeout_seconds: float) -> GpuReadings:
        """The readings of the GPUs with these UUIDs; raises OSError, and ValueError."""
        assert self._process.stdin is not None
        self._process.stdin.write(NAMES.dump_json(list(names)) + b"\n")
        return GpuReadings.model_validate_json(self._line(timeout_seconds))

    def kill(self) -> None:
        """End it, which a call of the driver may put off for ever."""
        self._process.kill()

    def has_ended(self) -> bool:
        """Whether nothing of it is left."""
        if self._process.poll() is None:
            return False
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        return True

    def _line(self, timeout_seconds: float) -> bytes:
        assert self._process.stdout is not None
        until, line = time.monotonic() + timeout_seconds, b""
        while not line.endswith(b"\n"):
            left = max(until - time.monotonic(), 0)
            if not select.select([self._process.stdout], [], [], left)[0]:
                raise TimeoutError(f"the driver has not answered for {timeout_seconds:g} s")
            part = self._process.stdout.read(1 << 16)
            if not part:
                raise ChildProcessError("the process that asks the driver has ended")
            line += part
        return line
