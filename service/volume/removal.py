"""How checkpoint folders go: at every moment one is whole, or a stage that is swept."""

from contextlib import suppress
from pathlib import Path

from service.volume.disk import DISK, Disk, remove_tree
from service.volume.folder import STAGE_PREFIX, is_checkpoint


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


def beside_checkpoints(job_folder: Path) -> list[Path]:
    """What a job has left that is no checkpoint: logs, events, files, stages."""
    return [
        path
        for attempt in _attempts_in(job_folder)
        for path in sorted(attempt.iterdir())
        if not is_checkpoint(path)
    ]


def clear(job_folder: Path, disk: Disk = DISK) -> None:
    """Remove that, and then each folder of the job that is empty."""
    for path in beside_checkpoints(job_folder):
        # Another server may sweep too.
        with suppress(FileNotFoundError):
            if path.is_dir() and not path.is_symlink():
                remove_tree(path, disk)
            else:
                disk.unlink(path)
    for folder in (*_attempts_in(job_folder), job_folder / "attempts", job_folder):
        if folder.is_dir() and not any(folder.iterdir()):
            disk.remove_folder(folder)


def _attempts_in(job_folder: Path) -> list[Path]:
    # What is linked to is another's.
    if any(path.is_symlink() for path in (job_folder, job_folder / "attempts")):
        return []
    found = sorted((job_folder / "attempts").glob("*"))
    return [path for path in found if path.is_dir() and not path.is_symlink()]
