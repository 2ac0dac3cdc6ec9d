"""The process of a trial of `torch.compile`, as a run starts it, waits for it and ends it."""

import os
import signal
import subprocess
import sys
from types import TracebackType

from pydantic import ValidationError

from workers.training.execution import keep_compiled
from workers.training.trial_messages import TrialAnswer, TrialRequest

_END_SECONDS = 2.0


class TrialProcess:
    """A context: the process starts with it, and has ended after it."""

    def __init__(self, request: TrialRequest) -> None:
        self._request = request
        self._process: subprocess.Popen[bytes] | None = None
        self._start_problem = ""

    def __enter__(self) -> "TrialProcess":
        keep_compiled()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workers.training.compile_trial"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
            assert self._process.stdin is not None
            self._process.stdin.write(self._request.model_dump_json().encode() + b"\n")
        except OSError as error:
            self._start_problem = f"compiling could not be started: {error}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        # At the end of its input it ends its own children first.
        process.stdin.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def has_ended(self, within_seconds: float) -> bool:
        """Wait for its end so long at most."""
        if self._process is None:
            return True
        try:
            self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def answer(self) -> TrialAnswer:
        """Its answer, once it has ended; a process that ended without one is a problem too."""
        if self._process is None:
            return TrialAnswer(problem=self._start_problem)
        assert self._process.stdout is not None
        # What it has forked may hold the pipe open, and outlive it where it was killed.
        os.set_blocking(self._process.stdout.fileno(), False)
        try:
            return TrialAnswer.model_validate_json(self._process.stdout.read() or b"")
        except ValidationError:
            status = self._process.returncode
            # A kernel without memory kills it first, whoever has used the memory.
            lasts = status < 0 and status != -signal.SIGKILL
            return TrialAnswer(problem=_end_of(status), lasts=lasts)


def _end_of(status: int) -> str:
    if status == -signal.SIGKILL:
        return "the process that compiled was killed (signal 9), as when memory runs out"
    if status < 0:
        return f"the process that compiled crashed ({signal.Signals(-status).name})"
    return f"the process that compiled ended with status {status}, see the log"
