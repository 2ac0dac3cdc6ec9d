"""Which errors mean that memory ran out: of the device, of the host, of shared memory."""

import errno
import re

import torch

_TEXTS = (
    # The CPU allocator of torch; CUDA, NCCL and the kernel; cuBLAS and cuDNN.
    "can't allocate memory",
    "out of memory",
    "cannot allocate memory",
    "_status_alloc_failed",
    # Loader processes hand their batches over in /dev/shm.
    "out of shared memory",
    "unable to write to file </torch_",
)
_SOURCE_LINE = re.compile(r"^\[enforce fail at [^\]]*\] [^.]*\. ")
_LOADER = "DataLoader worker"


def memory_problem(error: Exception, *, oom_killed: bool) -> str | None:
    """How memory ran out, in a line; None for any other error.

    `oom_killed` is whether the kernel has killed a process of this group since the run began.
    """
    lines = str(error).splitlines() or [type(error).__name__]
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return lines[0]
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return error.strerror
    if not isinstance(error, RuntimeError):
        return None
    # An error of a loader process has its traceback before it.
    named = (line for line in reversed(lines) if any(text in line.lower() for text in _TEXTS))
    line = next(named, None)
    if line is not None:
        return _SOURCE_LINE.sub("", line.strip().removeprefix("RuntimeError: "))
    if oom_killed and _LOADER in lines[0]:
        return f"a loader process was killed (signal 9) as memory ran out: {lines[0].strip()}"
    return None
