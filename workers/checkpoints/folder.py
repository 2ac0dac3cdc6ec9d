"""Checkpoint folders as a writer sees them: staged, then published whole or not at all. No torch.

How they are read and verified is in `service.volume`, which the control plane shares.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from service.contract.checkpoints import MANIFEST, Manifest
from service.volume.disk import DISK, Disk, remove_tree
from service.volume.folder import (
    MANIFEST_DIGEST,
    STAGE_PREFIX,
    DamagedCheckpoint,
    checkpoints_in,
    latest_in,
    latest_resumable_in,
    read_manifest,
    verify,
)
from service.volume.removal import sweep_stale

__all__ = [
    "DamagedCheckpoint",
    "checkpoints_in",
    "latest_in",
    "latest_resumable_in",
    "read_manifest",
    "staged",
    "sweep_stale",
    "verify",
    "write_manifest",
]


@contextmanager
def staged(attempt_folder: Path, name: str, disk: Disk = DISK) -> Iterator[Path]:
    """Give an empty folder that becomes `attempt_folder/name` when the block ends well.

    The block writes its files with `disk.write` and, last, `write_manifest`. A block that raises
    leaves nothing. Raises FileExistsError if the name is taken: a folder is never replaced.
    """
    target = attempt_folder / name
    if os.path.lexists(target):
        raise FileExistsError(f"{target} is there already, and a checkpoint is never replaced")
    stage = attempt_folder / f"{STAGE_PREFIX}{uuid4().hex}"
    disk.make_folder(stage)
    try:
        yield stage
        assert (stage / MANIFEST).exists(), "the block ended without a manifest"
        disk.sync(stage)
        disk.rename(stage, target)
    except Exception:
        # What cannot be removed now is swept later; the first error is the one to tell.
        with suppress(OSError):
            remove_tree(stage, disk)
        raise
    for parent in _unsynced_parents(attempt_folder):
        disk.sync(parent)


def write_manifest(stage: Path, manifest: Manifest, disk: Disk = DISK) -> None:
    """Write the manifest as the last file of a stage, its own digest just before it."""
    body = manifest.model_dump_json(indent=1).encode()
    line = f"{hashlib.sha256(body).hexdigest()}  {MANIFEST}\n"
    disk.write(stage / MANIFEST_DIGEST, [line.encode()])
    disk.write(stage / MANIFEST, [body])


def _unsynced_parents(attempt_folder: Path) -> list[Path]:
    # The folders of a job, down to the attempt, are young: a power cut may take their names too.
    above = list(attempt_folder.parents[:3]) if attempt_folder.parent.name == "attempts" else []
    return [attempt_folder, *above]
