"""A command that is run with all processes it starts, and ended with them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import FrameType

from service.contract.kernel import die_with_parent

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE_SECONDS = 10.0
_LOOK_SECONDS = 1.0


def run_tree(command: list[str], limit_seconds: float, folder: Path | None = None) -> int:
    """The exit code of a command in a folder; its process group is ended with it.

    So it is whatever ends the wait. Raises TimeoutError after the limit, and SystemExit for a
    signal that is to end this process.
    """
    with _recorded_signals() as received:
        process = subprocess.Popen(
            command,
            cwd=folder,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid()),
        )
        try:
            return _exit_code(process, received, limit_seconds)
        finally:
            _end(process)


def exit_on_sigterm() -> None:
    """Have SIGTERM end this process as an exception does, by way of its `finally`."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _exit_code(
    process: "subprocess.Popen[bytes]", received: list[int], limit_seconds: float
) -> int:
    end = time.monotonic() + limit_seconds
    while not received:
        try:
            return process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired as error:
            if time.monotonic() > end:
                raise TimeoutError(f"no result after {limit_seconds:g} s") from error
    raise SystemExit(128 + received[0])


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The process may remove its own folders first; what is left of its group is killed."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        if process.poll() is None:
            process.terminate()
            process.wait(_GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def _recorded_signals() -> Iterator[list[int]]:
    """The signals that would end this process, in the order in which they come."""
    received: list[int] = []

    def record(number: int, _: FrameType | None) -> None:
        received.append(number)

    # A signal that is ignored, as SIGHUP by nohup, ends nothing.
    ends = [number for number in _ENDS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, record) for number in ends}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
