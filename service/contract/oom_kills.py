"""How often the kernel has killed a process because memory ran out, from its own counters."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_UNIFIED, _MEMORY = "", "memory"
_FILES = {_UNIFIED: "memory.events", _MEMORY: "memory.oom_control"}
"""By controller, none of its own in version 2, the file with the counter `oom_kill`."""


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
    groups = _groups(proc)
    for line in _lines(proc / "self" / "mountinfo"):
        # See proc(5): "... root mount_point options [tags] - type source options".
        mount, _, file_system = line.partition(" - ")
        root, mount_point = mount.split()[3:5]
        kind, _, options = file_system.split(maxsplit=2)
        controller = {"cgroup2": _UNIFIED, "cgroup": _MEMORY}.get(kind)
        is_memory = controller == _UNIFIED or _MEMORY in options.split(",")
        if controller in groups and is_memory:
            yield Path(mount_point, _below(root, groups[controller]), _FILES[controller])


def _groups(proc: Path) -> dict[str, str]:
    """By controller the path of this process's group, as in `4:memory:/a` and `0::/a`."""
    groups: dict[str, str] = {}
    for line in _lines(proc / "self" / "cgroup"):
        _, controllers, path = line.split(":", 2)
        groups |= dict.fromkeys(controllers.split(","), path)
    return groups


def _below(root: str, group: str) -> PurePosixPath:
    # In a container, the mounted folder may be the group's own, whose path is that of the host.
    path = PurePosixPath(group)
    return path.relative_to(root) if path.is_relative_to(root) else PurePosixPath()


def _counter_in(file: Path) -> int | None:
    for line in _lines(file):
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return int(count)
    return None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
