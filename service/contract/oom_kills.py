"""How often the kernel has killed a process because memory ran out, from its own counters."""

from collections.abc import Iterator
from pathlib import Path

from service.contract.control_groups import control_groups, lines_of


def count_oom_kills(proc: Path = Path("/proc")) -> int:
    """How many processes of this one's control group have been killed so, in version 1 or 2.

    Where the group has no such counter, those of the whole machine; 0 where nothing counts them.
    """
    for file in (*_counters(proc), proc / "vmstat"):
        count = _counter_in(file)
        if count is not None:
            return count
    return 0


def _counters(proc: Path) -> Iterator[Path]:
    for group in control_groups("memory", proc):
        yield group.folder / ("memory.events" if group.is_unified else "memory.oom_control")


def _counter_in(file: Path) -> int | None:
    for line in lines_of(file):
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return int(count)
    return None
