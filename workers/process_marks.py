"""The processes that carry a mark: a variable of the environment that their first one was given."""

from collections.abc import Iterator
from pathlib import Path

_EXITING = 0x4
"""`PF_EXITING` of Linux' `include/linux/sched.h`, in the flags of `/proc/PID/stat`."""


def processes_with(variable: str, value: str) -> list[int]:
    """The processes that were started with `variable=value` in their environment."""
    return [pid for pid, environment in _environments() if _has(environment, variable, value)]


def remaining_processes(variable: str, value: str) -> list[int]:
    """The processes that keep those of this mark from having ended.

    One that is ending has no environment any more, and may hold files, sockets and GPU memory for
    a while: each such process is among them, for it may have had the mark.
    """
    return [
        pid
        for pid, environment in _environments()
        if _has(environment, variable, value) or (not environment and _is_ending(pid))
    ]


def _environments() -> Iterator[tuple[int, bytes]]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            environment = (folder / "environ").read_bytes()
        except ProcessLookupError:
            # So newer kernels say that a process has none any more.
            environment = b""
        except OSError:
            # What is gone, or another user's, is none of the worker's.
            continue
        yield int(folder.name), environment


def _has(environment: bytes, variable: str, value: str) -> bool:
    return f"{variable}={value}".encode() in environment.split(b"\0")


def _is_ending(pid: int) -> bool:
    """Whether a process has begun to end, and some thread of it is left that is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return False
    # The name in front may have spaces and brackets.
    fields = stat.rpartition(")")[2].split()
    state, flags, threads = fields[0], int(fields[6]), int(fields[17])
    return bool(flags & _EXITING) and (state not in "ZX" or threads > 1)
