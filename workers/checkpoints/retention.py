"""Which checkpoints of a job stay, and how the others go. No torch."""

import math
from collections.abc import Collection, Sequence
from pathlib import Path

from service.contract.checkpoints import Manifest
from workers.checkpoints.disk import DISK, Disk, remove_tree
from workers.checkpoints.folder import STAGE_PREFIX, checkpoints_in, verify


def retain(
    attempt_folders: Sequence[Path],
    *,
    keep_last: int,
    keep_best: int,
    metric: str,
    protected: Collection[str] = (),
    disk: Disk = DISK,
) -> list[str]:
    """Purge a job's surplus training checkpoints and give their ids, oldest first.

    Kept are the newest, the best by `metric` (lower is better), the `protected` ids and every final
    one. Nothing goes unless the newest checkpoint verifies. Only the live attempt or the control
    plane may ask.
    """
    assert keep_last >= 1, "the newest checkpoint is always kept"
    training = [
        (folder, manifest)
        for attempt_folder in attempt_folders
        for folder, manifest in checkpoints_in(attempt_folder)
        if manifest.phase != "final"
    ]
    # By attempt first: a later attempt may have gone back behind a step that nobody recorded.
    training.sort(key=lambda found: (found[1].attempt, found[1].step))
    kept = {manifest.checkpoint_id for _, manifest in training[-keep_last:]}
    kept |= set(_best([manifest for _, manifest in training], keep_best, metric))
    kept |= set(protected)
    surplus = [found for found in training if found[1].checkpoint_id not in kept]
    if not surplus or verify(training[-1][0]):
        return []
    for folder, _ in surplus:
        purge(folder, disk)
    return [manifest.checkpoint_id for _, manifest in surplus]


def purge(folder: Path, disk: Disk = DISK) -> None:
    """Remove one checkpoint so that at every moment it is whole, or a stage that is swept."""
    stage = folder.with_name(f"{STAGE_PREFIX}purged-{folder.name}")
    disk.rename(folder, stage)
    disk.sync(folder.parent)
    remove_tree(stage, disk)


def _best(manifests: list[Manifest], count: int, metric: str) -> list[str]:
    ranked = [m for m in manifests if math.isfinite(m.metrics.get(metric, math.nan))]
    # Of two equal ones the newer stays: it has trained for longer.
    ranked.sort(key=lambda m: (m.metrics[metric], -m.attempt, -m.step))
    return [manifest.checkpoint_id for manifest in ranked[:count]]
