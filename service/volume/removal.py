"""How checkpoint folders go: at every moment one is whole, or a stage that is swept."""

from pathlib import Path

from service.volume.disk import DISK, Disk, remove_tree
from service.volume.folder import STAGE_PREFIX


def purge(folder: Path, disk: Disk = DISK) -> None:
    """Remove one checkpoint."""
    stage = folder.with_name(f"{STAGE_PREFIX}purged-{folder.name}")
    disk.rename(folder, stage)
    disk.sync(folder.parent)
    remove_tree(stage, disk)


def stages_in(attempt_folder: Path) -> list[Path]:
    """What a save or a removal that was cut off has left."""
    found = sorted(attempt_folder.glob(f"{STAGE_PREFIX}*"))
    return [path for path in found if path.is_dir() and not path.is_symlink()]


def sweep_stale(attempt_folder: Path, disk: Disk = DISK) -> list[str]:
    """Remove them and give their names; only once no writer of the attempt can live."""
    stages = stages_in(attempt_folder)
    for path in stages:
        remove_tree(path, disk)
    return [path.name for path in stages]
