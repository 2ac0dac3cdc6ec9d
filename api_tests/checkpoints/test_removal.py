"""How checkpoints go, and what a power cut in between leaves."""

import shutil
from pathlib import Path

from api_tests.support.checkpoint_folders import RecordingDisk, attempt_folder, power_cuts, save
from service.volume.folder import checkpoints_in, verify
from service.volume.removal import purge, sweep_stale


def test_at_every_prefix_of_a_purge_each_checkpoint_is_whole_or_absent(tmp_path: Path) -> None:
    volume, before = tmp_path / "volume", tmp_path / "before"
    folder = attempt_folder(volume)
    for step in (1, 2, 3):
        save(folder, step)
    shutil.copytree(volume, before)
    disk = RecordingDisk()
    for step in (1, 2):
        purge(folder / f"step-{step:09d}", disk)
    seen = set()
    for _, left in power_cuts(before, volume, disk.operations, tmp_path / "left"):
        found = checkpoints_in(left)
        assert all(verify(folder) == [] for folder, _ in found)
        seen.add(tuple(manifest.step for _, manifest in found))
        # The next sweep mends what is left.
        sweep_stale(attempt_folder(left))
        assert not list(left.rglob(".tmp-*"))
    assert seen == {(1, 2, 3), (2, 3), (3,)}
