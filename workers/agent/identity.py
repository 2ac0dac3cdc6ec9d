"""Which process this is, and whether another one of the same kernel still lives."""

import os
from pathlib import Path

from service.contract.registration import ProcessIdentity

_ENDED = ("Z", "X")


def own_identity() -> ProcessIdentity:
    """This process, as a worker that starts later can check it."""
    _, started_ticks = _state_and_start(os.getpid())
    return ProcessIdentity(
        boot_id=Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        pid_namespace=os.readlink("/proc/self/ns/pid"),
        pid=os.getpid(),
        started_ticks=started_ticks,
    )


def has_ended(process: ProcessIdentity) -> bool:
    """True only if it is sure: the same kernel and names of processes, and no such process."""
    own = own_identity()
    if (process.boot_id, process.pid_namespace) != (own.boot_id, own.pid_namespace):
        return False
    try:
        state, started_ticks = _state_and_start(process.pid)
    except (FileNotFoundError, ProcessLookupError):
        return True
    return started_ticks != process.started_ticks or state in _ENDED


def _state_and_start(pid: int) -> tuple[str, int]:
    # The second field is a name in parentheses, which may hold anything.
    _, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    fields = rest.split()
    return fields[0], int(fields[19])
