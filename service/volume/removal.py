"""Removes checkpoint folders, staging folders and leftovers of deleted jobs.

A checkpoint is renamed to a staging folder before it is removed: after a crash at any moment it is
either whole, or a staging folder that a later sweep removes.
"""

from contextlib import suppress
from pathlib import Path

from service.contract.checkpoints import TENSORBOARD
from service.volume.disk import DISK, Disk, remove_tree
from service.volume.folder import STAGE_PREFIX, is_checkpoint


def purge(folder: Path, disk: Disk = DISK) -> None:
    """Remove one checkpoint folder."""
    stage = folder.with_name(f"{STAGE_PREFIX}purged-{folder.name}")
    disk.rename(folder, stage)
    disk.sync(folder.parent)
    remove_tree(stage, disk)


def staging_folders_in(attempt_folder: Path) -> list[Path]:
    """The staging folders that an interrupted save or removal has left in an attempt folder."""
    if attempt_folder.is_symlink():
        return []
    paths = sorted(attempt_folder.glob(f"{STAGE_PREFIX}*"))
    return [path for path in paths if path.is_dir() and not path.is_symlink()]


def sweep_stale(attempt_folder: Path, disk: Disk = DISK) -> list[str]:
    """Remove the staging folders of an attempt, and return their names.

    Call it only when no process of the attempt can be running.
    """
    stages = staging_folders_in(attempt_folder)
    for path in stages:
        remove_tree(path, disk)
    return [path.name for path in stages]


def leftovers_in(job_folder: Path) -> list[Path]:
    """What a job has beside checkpoints: logs, events, the files for TensorBoard."""
    of_job = [] if job_folder.is_symlink() else [job_folder / TENSORBOARD]
    return [path for path in of_job if path.is_dir() or path.is_symlink()] + [
        path
        for attempt in attempt_folders_in(job_folder)
        for path in sorted(attempt.iterdir())
        if not is_checkpoint(path)
    ]


def remove_leftovers(job_folder: Path, disk: Disk = DISK) -> None:
    """Remove the leftovers of a job, and then those of its folders that are empty."""
    for path in leftovers_in(job_folder):
        # Another server may remove the same path at the same time.
        with suppress(FileNotFoundError):
            if path.is_dir() and not path.is_symlink():
                remove_tree(path, disk)
            else:
                disk.unlink(path)
    for folder in (*attempt_folders_in(job_folder), job_folder / "attempts", job_folder):
        if folder.is_dir() and not any(folder.iterdir()):
            disk.remove_folder(folder)


def attempt_folders_in(job_folder: Path) -> list[Path]:
    """The attempt folders of a job; none behind a symbolic link, whose target is not the job's."""
    if any(path.is_symlink() for path in (job_folder, job_folder / "attempts")):
        return []
    paths = sorted((job_folder / "attempts").glob("*"))
    return [path for path in paths if path.is_dir() and not path.is_symlink()]
