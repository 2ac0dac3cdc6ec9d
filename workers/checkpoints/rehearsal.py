"""Reads a file first in a process that may be lost, so that no file can hold up or fill a rank."""

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

from service.contract.kernel import die_with_parent
from workers.checkpoints.upstream import UnreadableWeights

_SECONDS, _BYTES_A_SECOND = 20, 10_000_000
_TIMES_THE_SIZE, _MEMORY_BYTES = 4, 256 << 20
_NO_MEMORY, _NOT_LIMITED = 3, 4
_STATUS = Path("/proc/self/status")


class ReadLimits(NamedTuple):
    """What reading a file may take: processor time, and memory beside that of the process."""

    cpu_seconds: int
    memory_bytes: int


def read_limits(size_bytes: int) -> ReadLimits:
    """The limits for a file of this size: many times what any file of weights takes."""
    return ReadLimits(
        _SECONDS + size_bytes // _BYTES_A_SECOND, _MEMORY_BYTES + _TIMES_THE_SIZE * size_bytes
    )


def rehearse(read: Callable[[], object], name: str, limits: ReadLimits) -> None:
    """Call `read` in a process of its own, and return if it ends within the limits.

    Its result and its exceptions are dropped: the caller calls it again. A time limit in this
    process would be of no use, as a hash of nested tuples is one call that no signal interrupts.
    Raises UnreadableWeights, which names the file `name`, and MemoryError.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _run(read, limits, parent)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return
    if code == -signal.SIGKILL:
        raise MemoryError(f"the process that read {name} was killed (signal 9)")
    raise UnreadableWeights("too_large", f"{name} is refused: {_reason(code, limits)}")


def _reason(code: int, limits: ReadLimits) -> str:
    if code == -signal.SIGXCPU:
        return (
            f"reading it takes more than {limits.cpu_seconds} s of processor time, "
            "which no file of weights of its size needs"
        )
    if code == _NO_MEMORY:
        return (
            f"reading it takes more than {limits.memory_bytes >> 20} MiB of memory, "
            "which no file of weights of its size needs"
        )
    return f"reading it crashes ({signal.Signals(-code).name if code < 0 else code})"


def _run(read: Callable[[], object], limits: ReadLimits, parent: int) -> NoReturn:
    status = _NOT_LIMITED
    try:
        die_with_parent(parent)
        _limit(limits)
        status = _status_of(read)
    finally:
        # Without the exit handlers and buffers of the process of which this one is a fork.
        os._exit(status)


def _limit(limits: ReadLimits) -> None:
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # At the hard limit the kernel sends SIGKILL, as it does when it lacks memory.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 5))
    lines = _STATUS.read_text().splitlines()
    present = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:"))
    resource.setrlimit(resource.RLIMIT_DATA, (present + limits.memory_bytes,) * 2)


def _status_of(read: Callable[[], object]) -> int:
    try:
        read()
    except MemoryError:
        return _NO_MEMORY
    except Exception:
        # The caller reads again, and raises it where it can be handled.
        return 0
    return 0
