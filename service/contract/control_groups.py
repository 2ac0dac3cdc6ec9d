"""Where the kernel has the files of this process's control groups, in version 1 and 2."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_UNIFIED = ""


@dataclass(frozen=True)
class ControlGroup:
    """The folder of this process's group for one controller, and the mount that it is below."""

    folder: Path
    mount_point: Path
    is_unified: bool

    def with_ancestors(self) -> Iterator[Path]:
        """The group's folder and those of the groups that it is in, up to the mount."""
        yield self.folder
        for parent in self.folder.parents:
            if not parent.is_relative_to(self.mount_point):
                return
            yield parent


def control_groups(controller: str, proc: Path = Path("/proc")) -> Iterator[ControlGroup]:
    """The groups of this process that may have the files of a controller, such as `memory`."""
    groups = _groups(proc)
    for line in lines_of(proc / "self" / "mountinfo"):
        # See proc(5): "... root mount_point options [tags] - type source options".
        mount, _, file_system = line.partition(" - ")
        root, mount_point = mount.split()[3:5]
        kind, _, options = file_system.split(maxsplit=2)
        is_unified = kind == "cgroup2"
        if not is_unified and (kind != "cgroup" or controller not in options.split(",")):
            continue
        group = groups.get(_UNIFIED if is_unified else controller)
        if group is not None:
            folder = Path(mount_point, _below(root, group))
            yield ControlGroup(folder, Path(mount_point), is_unified)


def lines_of(file: Path) -> list[str]:
    """The lines of a file of the kernel; none where it cannot be read."""
    try:
        return file.read_text().splitlines()
    except OSError:
        return []


def _groups(proc: Path) -> dict[str, str]:
    """By controller the path of this process's group, as in `4:memory:/a` and `0::/a`."""
    groups: dict[str, str] = {}
    for line in lines_of(proc / "self" / "cgroup"):
        _, controllers, path = line.split(":", 2)
        groups |= dict.fromkeys(controllers.split(","), path)
    return groups


def _below(root: str, group: str) -> PurePosixPath:
    # In a container, the mounted folder may be the group's own, whose path is that of the host.
    path = PurePosixPath(group)
    return path.relative_to(root) if path.is_relative_to(root) else PurePosixPath()
