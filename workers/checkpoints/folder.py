"""Writes checkpoint folders: staged, and then published whole or not at all. Imports no torch.

The functions that read and verify folders are in `service.volume`, which the server uses as well.
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
    STAGE_PREFIX,
    DamagedCheckpoint,
    checkpoints_in,
    latest_in,
    latest_resumable_in,
    read_manifest,
    verify,
    verify_published,
)
from service.volume.manifests import MANIFEST_DIGEST
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
    "verify_published",
    "write_manifest",
]


@contextmanager
def staged(attempt_folder: Path, name: str, disk: Disk = DISK) -> Iterator[Path]:
    """Yield an empty staging folder that becomes `attempt_folder/name` when the block succeeds.

    The block writes its files with `disk.write` and, last, calls `write_manifest`. If the block
    raises, the staging folder is removed. Raises FileExistsError if `name` exists: a checkpoint is
    never replaced.
    """
    target = attempt_folder / name
    if os.path.lexists(target):
        raise FileExistsError(f"{target} already exists, and a checkpoint is never replaced")
    stage = attempt_folder / f"{STAGE_PREFIX}{uuid4().hex}"
    disk.make_folder(stage)
    try:
        yield stage
        assert (stage / MANIFEST).exists(), "the block ended without a manifest"
        disk.sync(stage)
        disk.rename(stage, target)
    except Exception:
        # A later sweep removes what is left; the error of the block is the one to raise.
        with suppress(OSError):
            remove_tree(stage, disk)
        raise
    for parent in _unsynced_parents(attempt_folder):
        disk.sync(parent)


def write_manifest(stage: Path, manifest: Manifest, disk: Disk = DISK) -> None:
    """Write the manifest's digest, and then the manifest as the last file of a staging folder."""
    body = manifest.model_dump_json(indent=1).encode()
    line = f"{hashlib.sha256(body).hexdigest()}  {MANIFEST}\n"
    disk.write(stage / MANIFEST_DIGEST, [line.encode()])
    disk.write(stage / MANIFEST, [body])


def _unsynced_parents(attempt_folder: Path) -> list[Path]:
    # The folders of the job and the attempt may be new, and must survive a power failure too.
    above = list(attempt_folder.parents[:3]) if attempt_folder.parent.name == "attempts" else []
    return [attempt_folder, *above]
